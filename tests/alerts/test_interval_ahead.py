"""Is the next change of a time interval the one that a minute's walk would find?"""

from __future__ import annotations

import random
import zoneinfo
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from alertcenter.alerts import intervals

ZONES = ["UTC", "Europe/Paris", "America/St_Johns", "Australia/Lord_Howe"]


def walked(entries: list[intervals.Entry], moment: datetime, days: int) -> Any:
    """Look at every minute."""
    now = intervals.contains(entries, moment)
    minute = moment.replace(second=0, microsecond=0)
    for _ in range(days * 24 * 60):
        minute += timedelta(minutes=1)
        if intervals.contains(entries, minute) != now:
            return minute
    return None


def anything(dice: random.Random) -> dict[str, Any]:
    entry: dict[str, Any] = {"location": dice.choice(ZONES)}
    if dice.random() < 0.8:
        begin, end = sorted(dice.sample(range(24 * 60), 2))
        span = [f"{n // 60:02d}:{n % 60:02d}" for n in (begin, end)]
        entry["times"] = [{"start_time": span[0], "end_time": span[1]}]
    if dice.random() < 0.5:
        entry["weekdays"] = [dice.choice(intervals.DAYS)]
    return entry


@pytest.mark.parametrize("seed", range(12))
def test_the_next_change_is_the_first_minute_that_differs(seed):
    dice = random.Random(seed)
    entries = intervals.parse([anything(dice) for _ in range(dice.randint(1, 3))])
    # Around the days on which clocks are put forward or back, in either hemisphere.
    begin = dice.choice([(2026, 3, 28), (2026, 10, 24), (2026, 4, 4), (2026, 6, 1)])
    moment = datetime(*begin, tzinfo=UTC) + timedelta(minutes=dice.randrange(1500))
    found = intervals.next_change(entries, moment)
    assert walked(entries, moment, 9) == (
        found if found and found <= moment + timedelta(days=9) else None
    )


def test_what_never_changes_has_no_next_change():
    now = datetime(2026, 11, 21, tzinfo=UTC)
    assert intervals.next_change(intervals.parse([{}]), now) is None
    assert intervals.next_change(intervals.parse([]), now) is None
    long_ago = intervals.parse([{"years": ["1999"]}])
    assert intervals.next_change(long_ago, now) is None


def test_two_hundred_entries_cost_no_minute():
    times = [
        {"start_time": f"{n // 10:02d}:{n % 10:02d}", "end_time": "24:00"}
        for n in range(200)
    ]
    many = intervals.parse([{"times": times, "years": ["1999"]}] * 200)
    begun = datetime.now(UTC)
    assert intervals.next_change(many, begun) is None
    assert datetime.now(UTC) - begun < timedelta(seconds=3)


def test_a_list_of_very_many_bounds_is_not_looked_through_to_its_end(monkeypatch):
    zones = sorted(zoneinfo.available_timezones())[: intervals.MOST_ENTRIES]
    minutes = [f"{minute // 60:02}:{minute % 60:02}" for minute in range(300)]
    times = [
        {"start_time": begin, "end_time": end}
        for begin, end in zip(minutes[::2], minutes[1::2], strict=True)
    ]
    entries = intervals.parse(
        [{"location": zone, "times": times, "years": ["2099"]} for zone in zones]
    )
    looks: list[int] = []

    def never(given: list[intervals.Entry], _moment: datetime) -> bool:
        looks.append(len(given))
        return False

    monkeypatch.setattr(intervals, "contains", never)
    moment = datetime(2026, 3, 29, tzinfo=UTC)
    assert intervals.next_change(entries, moment) is None
    assert sum(looks) <= intervals.MOST_ASKED + 2 * len(entries)
