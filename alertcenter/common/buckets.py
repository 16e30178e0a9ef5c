"""How much may still be taken? Token buckets: filled by time, emptied by use.

One takes while a whole token is left, and may take more than that: the debt is paid
by time. So what comes in one piece is never refused for ever, and the rate holds all
the same.
"""

from __future__ import annotations

import time
from collections.abc import Hashable

MOST_BUCKETS = 50_000


class Bucket:
    """`rate` tokens a second, `burst` at most."""

    __slots__ = ("burst", "left", "rate", "seen")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self.rate = rate
        self.burst = burst
        self.left = burst
        self.seen = now

    def look(self, now: float, share: float = 1.0) -> float:
        """Return what is left, after filling it with `share` of its rate."""
        left = self.left + (now - self.seen) * self.rate * share
        self.left = left if left < self.burst else self.burst
        self.seen = now
        return self.left

    def seconds_until(self, tokens: float, share: float = 1.0) -> float:
        """Return how long it takes until `tokens` are left, nothing taken meanwhile."""
        return max(0.0, (tokens - self.left) / (self.rate * share))


class Buckets:
    """Equal buckets by name; those that were not used for long are full, and go."""

    def __init__(self, rate: float, burst: float, most: int = MOST_BUCKETS) -> None:
        self.rate = rate
        self.burst = burst
        self._most = most
        self._recent: dict[Hashable, Bucket] = {}
        self._older: dict[Hashable, Bucket] = {}

    def __len__(self) -> int:
        return len(self._recent) + len(self._older)

    def of(self, name: Hashable) -> Bucket:
        """Return the bucket of `name`, a full one for a new name."""
        found = self._recent.get(name)
        if found is None:
            found = self._older.pop(name, None)
            if found is None:
                found = Bucket(self.rate, self.burst, time.monotonic())
            if len(self._recent) >= self._most // 2:
                self._recent, self._older = {}, self._recent
            self._recent[name] = found
        return found

    def wait(self, name: Hashable) -> float:
        """Return for how many seconds nothing may be taken; 0.0 when it may."""
        bucket = self.of(name)
        if bucket.look(time.monotonic()) >= 1:
            return 0.0
        return bucket.seconds_until(1.0)

    def take(self, name: Hashable, tokens: float = 1.0) -> None:
        """Take, into debt if need be, one burst deep at most."""
        bucket = self.of(name)
        left = bucket.look(time.monotonic()) - tokens
        bucket.left = max(left, -self.burst)
