"""Which turn of a changed layer comes first, so that who is on call stays on call?

To add or to remove a turn moves all that are counted after it: the one at work is put
back to where the count is.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from escalation.shifts import Layer, People


def rebased(old: Layer, new: Layer, at: datetime) -> int:
    """Return `first` for `new`, with which it has at `at` the turn that `old` has.

    If that turn is gone, its people are looked for, then the turn that would have come
    next. A layer that begins elsewhere, or has not begun, begins with its first turn.
    """
    if not old.turns or not new.turns:
        return 0
    if (old.starts, old.zone) != (new.starts, new.zone):
        return 0
    was, now = old.index(at), new.index(at)
    if was < 0 or now < 0:
        return 0
    before = _from(old.turns, was + old.first)
    return (_place(before, new.turns) - now) % len(new.turns)


def _from(turns: Sequence[People], number: int) -> list[People]:
    """Return the turns from one on, once around."""
    begin = number % len(turns)
    return [*turns[begin:], *turns[:begin]]


def _place(before: list[People], turns: Sequence[People]) -> int:
    """Return the place of the turn at work, or of whichever comes nearest to it."""
    now = before[0]
    places = range(len(turns))
    same = [n for n in places if set(turns[n]) == set(now)]
    if same:
        return max(same, key=lambda n: _alike(before, _from(turns, n)))
    shared = max(places, key=lambda n: len(set(turns[n]) & set(now)))
    if set(turns[shared]) & set(now):
        return shared
    for later in before[1:]:
        if later in turns:
            return list(turns).index(later)
    return 0


def _alike(one: Sequence[People], other: Sequence[People]) -> int:
    """Return how many turns follow each other in the same way in both."""
    count = 0
    for mine, yours in zip(one, other, strict=False):
        if mine != yours:
            break
        count += 1
    return count
