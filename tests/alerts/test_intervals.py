"""Time intervals as Alertmanager reads them."""

from __future__ import annotations

from datetime import datetime

import pytest

from alertcenter.alerts.intervals import IntervalError, contains, parse

OFFICE = [
    {
        "times": [{"start_time": "09:00", "end_time": "17:00"}],
        "weekdays": ["monday:friday"],
        "location": "Europe/Paris",
    }
]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("entries", "moment", "inside"),
    [
        (OFFICE, "2026-11-20T08:00:00+00:00", True),  # Friday, 9:00 in Paris
        (OFFICE, "2026-11-20T07:59:59+00:00", False),
        (OFFICE, "2026-11-20T15:59:59+00:00", True),
        (OFFICE, "2026-11-20T16:00:00+00:00", False),  # the end is outside
        (OFFICE, "2026-07-03T07:00:00+00:00", True),  # summer time
        (OFFICE, "2026-11-21T10:00:00+00:00", False),  # Saturday
        ([], "2026-11-20T08:00:00+00:00", False),
        ([{}], "2026-11-20T08:00:00+00:00", True),
        ([{"days_of_month": ["-1"]}], "2026-02-28T12:00:00+00:00", True),
        ([{"days_of_month": ["-1"]}], "2028-02-28T12:00:00+00:00", False),
        ([{"days_of_month": ["1:-2"]}], "2026-02-27T12:00:00+00:00", True),
        ([{"days_of_month": ["29:31"]}], "2026-02-28T12:00:00+00:00", False),
        ([{"months": ["november:december"]}], "2026-11-01T00:00:00+00:00", True),
        ([{"months": ["1:3"]}], "2026-11-01T00:00:00+00:00", False),
        ([{"years": ["2027"]}], "2026-11-01T00:00:00+00:00", False),
        (
            [{"times": [{"start_time": "22:00", "end_time": "24:00"}]}],
            "2026-11-01T23:59:59+00:00",
            True,
        ),
    ],
)
def test_a_moment_is_inside_or_not(entries, moment, inside):
    assert contains(parse(entries), at(moment)) is inside


@pytest.mark.parametrize(
    "value",
    [
        {},
        ["x"],
        [{"hours": []}],
        [{"times": [{"start_time": "9:00", "end_time": "17:00"}]}],
        [{"times": [{"start_time": "17:00", "end_time": "09:00"}]}],
        [{"times": ["09:00"]}],
        [{"weekdays": ["friday:monday"]}],
        [{"weekdays": ["freitag"]}],
        [{"days_of_month": ["0"]}],
        [{"days_of_month": ["32"]}],
        [{"days_of_month": ["-3:5"]}],
        [{"months": ["13"]}],
        [{"years": ["soon"]}],
        [{"location": "Mars/Olympus"}],
        [{"location": "../../etc/passwd"}],
        [{"weekdays": "monday"}],
        [{}] * 1_000,
    ],
)
def test_what_cannot_be_read_is_refused_with_a_sentence(value):
    with pytest.raises(IntervalError, match=r"\."):
        parse(value)
