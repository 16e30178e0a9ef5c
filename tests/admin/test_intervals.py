"""Can people fill in a time interval without knowing how it is stored?"""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from alertcenter.alerts.models import Route, TimeInterval
from tenants.models import Audit
from tenants.rls import in_tenant

ADD = reverse("admin:alerts_timeinterval_add")
LIST = reverse("admin:alerts_timeinterval_changelist")


def entry(number: int = 0, **parts: Any) -> dict[str, Any]:
    empty = dict.fromkeys(("hours", "location", "days_of_month", "years"), "")
    return {f"times-{number}-{key}": value for key, value in (empty | parts).items()}


def change(row: TimeInterval) -> str:
    return reverse("admin:alerts_timeinterval_change", args=[row.pk])


def stored(cast) -> TimeInterval:
    with in_tenant(cast.id):
        return TimeInterval.objects.get()


def make(cast, *times: dict[str, Any], name: str = "nights") -> TimeInterval:
    with in_tenant(cast.id):
        return TimeInterval.objects.create(
            tenant=cast.tenant, name=name, times=list(times)
        )


def test_ticked_days_and_written_hours_are_stored_as_alertmanager_writes_them(
    alice, acme
):
    given = {"name": "work"}
    given |= entry(
        0,
        weekdays=["monday", "tuesday", "wednesday", "thursday", "friday"],
        hours="9:00-12:00, 13:00–17:00",
        location="Europe/Paris",
    )
    given |= entry(1, days_of_month="1:3, -1", months=["january", "march"])
    given |= entry(2)  # the empty one at the end
    assert alice.post(ADD, given).status_code == 302
    assert stored(acme).times == [
        {
            "weekdays": ["monday:friday"],
            "times": [
                {"start_time": "09:00", "end_time": "12:00"},
                {"start_time": "13:00", "end_time": "17:00"},
            ],
            "location": "Europe/Paris",
        },
        {"days_of_month": ["1:3", "-1"], "months": ["january", "march"]},
    ]


def test_what_is_stored_is_shown_to_be_changed_and_stays_when_nothing_is(alice, acme):
    times = {"weekdays": ["saturday", "sunday"], "years": ["2026:2027"]}
    row = make(acme, times, {})
    shown = alice.get(change(row)).content.decode()
    assert 'value="sunday" checked' in shown
    assert 'value="friday" checked' not in shown
    assert "at all times" in shown
    given = {"name": "nights", "times-1-always": "1"}
    given |= entry(0, weekdays=["saturday", "sunday"], years="2026:2027") | entry(1)
    assert alice.post(change(row), given).status_code == 302
    assert stored(acme).times == [
        {"weekdays": ["sunday", "saturday"], "years": ["2026:2027"]},
        {},
    ]


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"hours": "22:00-06:00"}, "ends before it begins"),
        ({"hours": "25:00-26:00"}, "no span of hours"),
        ({"hours": "all day"}, "no span of hours"),
        ({"days_of_month": "0"}, "write for example 1:5, -1"),
        ({"years": "next"}, "write for example 2026"),
        ({"hours": "09:00-10:00", "location": "Mars/Base"}, "no time zone"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_number_of_its_entry(
    alice, acme, parts, said
):
    given = {"name": "x"} | entry(0, hours="09:00-10:00") | entry(1, **parts)
    response = alice.post(ADD, given)
    (error,) = response.context["adminform"].form.errors["times"]
    assert error.startswith("Entry 2:")
    assert said in error
    assert str(next(iter(parts.values()))) in response.content.decode()  # to be mended


def test_an_interval_needs_an_entry(alice, acme):
    response = alice.post(ADD, {"name": "x"} | entry(0))
    assert "times" in response.context["adminform"].form.errors


def test_an_entry_can_be_removed(alice, acme):
    row = make(acme, {"years": ["2026"]}, {"years": ["2027"]})
    given = {"name": "nights", "times-0-gone": "1"}
    given |= entry(0, years="2026") | entry(1, years="2027")
    assert alice.post(change(row), given).status_code == 302
    assert stored(acme).times == [{"years": ["2027"]}]


def test_the_page_says_whether_it_holds_and_what_comes_next(alice, acme):
    row = make(acme, {"years": ["1999"]})
    shown = alice.get(change(row)).content.decode()
    assert "not in force" in shown
    assert "No change in sight." in shown
    with in_tenant(acme.id):
        TimeInterval.objects.update(times=[{"weekdays": ["monday:saturday"]}])
    assert "(UTC)" in alice.get(change(row)).content.decode()
    assert "Monday – Saturday" in alice.get(LIST).content.decode()


def test_routes_follow_a_new_name_and_keep_an_interval_from_being_deleted(alice, acme):
    row = make(acme, {"years": ["1999"]})
    with in_tenant(acme.id):
        route = Route.objects.create(
            tenant=acme.tenant, name="db", matchers=['a="b"'], mute_intervals=["nights"]
        )
    given = {"name": "evenings"} | entry(0, years="1999")
    assert alice.post(change(row), given).status_code == 302
    with in_tenant(acme.id):
        route.refresh_from_db()
        assert route.mute_intervals == ["evenings"]
        assert Audit.objects.filter(action="timeinterval.change").exists()
    assert ">db</a>" in alice.get(change(row)).content.decode()
    removal = reverse("admin:alerts_timeinterval_delete", args=[row.pk])
    assert "Route: db" in alice.get(removal).content.decode()
    alice.post(removal, {"post": "yes"})
    with in_tenant(acme.id):
        assert TimeInterval.objects.exists()


def test_a_viewer_reads_the_entries_in_words(vera, acme):
    row = make(acme, {"times": [{"start_time": "22:00", "end_time": "24:00"}]})
    shown = vera.get(change(row)).content.decode()
    assert "22:00-24:00 (UTC)" in shown
