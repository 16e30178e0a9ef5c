"""When is a heartbeat expected, and what makes no sense?"""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from alertcenter.alerts.expected import BadCron, check_cron, next_due, next_expected
from tests.alerts.beats import make


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def plan(**values: Any) -> Any:
    given = {"period_seconds": None, "cron": "", "time_zone": "UTC", "grace_seconds": 0}
    return SimpleNamespace(**(given | values))


@pytest.mark.parametrize(
    ("cron", "zone", "after", "expected"),
    [
        ("30 2 * * *", "UTC", "2026-03-28T03:00", "2026-03-29T02:30"),
        # 02:30 does not exist in Berlin on 29 March 2026: right after the gap.
        ("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00", "2026-03-29T01:00"),
        ("30 2 * * *", "Europe/Berlin", "2026-03-29T01:00", "2026-03-30T00:30"),
        # It comes twice on 25 October 2026: expected once.
        ("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00", "2026-10-25T00:30"),
        ("30 2 * * *", "Europe/Berlin", "2026-10-25T00:30", "2026-10-26T01:30"),
        # What runs each half hour runs through both.
        ("*/30 * * * *", "Europe/Berlin", "2026-10-25T00:30", "2026-10-25T01:00"),
        ("*/30 * * * *", "Europe/Berlin", "2026-03-29T00:30", "2026-03-29T01:00"),
        ("0 9 * * 1-5", "America/New_York", "2026-11-20T15:00", "2026-11-23T14:00"),
        ("0 0 29 2 *", "UTC", "2026-01-01T00:00", "2028-02-29T00:00"),
    ],
)
def test_cron_follows_the_clocks_of_its_zone(cron, zone, after, expected):
    found = next_expected(plan(cron=cron, time_zone=zone), at(after))
    assert found.astimezone(UTC) == at(expected)


def test_the_grace_is_real_time_over_a_change_of_clocks():
    night = plan(cron="30 1 * * *", time_zone="Europe/Berlin", grace_seconds=3600)
    assert next_due(night, at("2026-03-28T12:00")) == at("2026-03-29T01:30")


@pytest.mark.parametrize(
    "text", ["", "nonsense", "0 0 30 2 *", "* * * * * *", "61 * * * *", "@daily"]
)
def test_what_never_comes_true_is_refused(text):
    with pytest.raises(BadCron):
        check_cron(text)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "values",
    [
        {"period_seconds": None},
        {"cron": "* * * * *", "period_seconds": 60},
        {"cron": "0 0 30 2 *", "period_seconds": None},
        {"time_zone": "Mars/Base", "period_seconds": 60},
        {"period_seconds": 1},
        {"match": ['alertname=~"x"']},
        {"match": ['severity="critical"']},
        {"match": ["???"]},
    ],
)
def test_what_makes_no_sense_is_refused(acme, values):
    with pytest.raises(ValidationError):
        make(acme, **values)


@pytest.mark.django_db(transaction=True)
def test_the_short_name_is_taken_once_in_a_tenant(acme, globex):
    make(acme)
    make(globex)
    with pytest.raises(ValidationError):
        make(acme)
