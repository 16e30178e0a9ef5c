"""What is told of a group at a flush, and why: Alertmanager's dedup stage."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from alertcenter.alerts.notices import Last, Now, decide

T = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def told(last: Last | None, now: Now, at: datetime = T, **options: bool):
    return decide(last, now, at=at, repeat=HOUR, **options)


@pytest.mark.parametrize(
    ("last", "now", "reason"),
    [
        (None, Now({1}, set(), set()), "first"),
        (None, Now(set(), set(), {1}), ""),  # came and went before the first flush
        (None, Now(set(), {1}, set()), ""),  # all of it is quiet
        (Last(T, {1}), Now({1}, set(), set()), ""),
        (Last(T, {1}), Now({1, 2}, set(), set()), "new_alerts"),
        (Last(T, {1, 2}), Now({1}, set(), set()), ""),
        (Last(T, {1, 2}), Now({1}, set(), {2}), "resolved"),
        (Last(T, {1}, {2}), Now({1}, set(), {2}), ""),
        (Last(T, {1}), Now(set(), set(), {1}), "all_resolved"),
        (Last(T, set(), {1}), Now(set(), set(), {1}), ""),
        (Last(T - 2 * HOUR, {1}), Now({1}, set(), set()), "repeat"),
        (Last(T - HOUR, {1}), Now({1}, set(), set()), ""),
    ],
)
def test_the_reason(last, now, reason):
    assert told(last, now).reason == reason


def test_what_is_unsaid_on_purpose_is_remembered_all_the_same():
    decision = told(Last(T, {1}), Now(set(), set(), {1}), tells_resolved=False)
    assert (decision.reason, decision.resolved) == ("all_resolved", set())
    assert decision.last == Last(T, frozenset(), frozenset({1}))


def test_the_end_of_what_fell_quiet_is_owed_and_told_once():
    # 1 was told; it is silenced now, and 2 comes: only 2 is new.
    first = told(Last(T, {1}), Now({2}, {1}, set()))
    assert (first.reason, first.last.firing, first.last.owed) == (
        "new_alerts",
        {2},
        {1},
    )
    # 1 ends, still silenced: its end is told, because its beginning was.
    second = told(first.last, Now({2}, set(), set(), {1}))
    assert (second.reason, second.resolved) == ("resolved", {1})
    assert told(second.last, Now({2}, set(), set(), set())).reason == ""


def test_the_end_of_what_was_never_told_is_not_told_when_it_was_quiet():
    decision = told(Last(T, {2}), Now({2}, set(), set(), {1}))
    assert (decision.reason, decision.resolved) == ("", set())


def test_a_lifted_silence_makes_it_new_again():
    first = told(Last(T, {1}), Now({2}, {1}, set()))
    assert told(first.last, Now({1, 2}, set(), set())).reason == "new_alerts"


def test_a_channel_may_be_told_exactly_what_alertmanager_tells():
    first = told(Last(T, {1}), Now({2}, {1}, set()), tells_quiet_ends=False)
    assert first.last.owed == set()
    second = told(first.last, Now({2}, set(), set(), {1}), tells_quiet_ends=False)
    assert second.reason == ""
