"""Can people silence by a form, see what it does, end it, and is it written down?"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from alertcenter.alerts import silences
from alertcenter.alerts.models import (
    Alert,
    GroupAlert,
    Maintenance,
    Route,
    Silence,
)
from tenants.models import Audit
from tenants.rls import in_tenant
from tests.admin.conftest import make_alert

LIST = reverse("admin:alerts_silence_changelist")
ADD = reverse("admin:alerts_silence_add")
PREVIEW = reverse("admin:alerts_silence_preview")
CALENDAR = reverse("admin:alerts_maintenance_changelist")
PLAN = reverse("admin:alerts_maintenance_add")
GIVEN = {"matchers": 'alertname="Lag"', "comment": "we know", "lasting": "1h"}


def page(row: Silence, what: str = "change") -> str:
    return reverse(f"admin:alerts_silence_{what}", args=[row.pk])


def stored(cast) -> Silence:
    with in_tenant(cast.id):
        return Silence.objects.select_related("owner").get()


def errors(response) -> dict[str, list[str]]:
    assert response.status_code == 200
    return dict(response.context["adminform"].form.errors)


def at(moment: datetime, name: str) -> dict[str, str]:
    """Return a moment as the form's two boxes take it."""
    return {f"{name}_0": f"{moment:%Y-%m-%d}", f"{name}_1": f"{moment:%H:%M:%S}"}


def again(given: dict[str, Any], row: Silence) -> dict[str, Any]:
    """Return what the form of a stored silence sends when nothing is touched."""
    times = at(row.starts_at, "starts_at") | at(row.ends_at, "ends_at")
    return given | times | {"lasting": "until"}


# --- the form ---


def test_a_responder_silences_for_an_hour_and_owns_it(bob, acme, filled_alert):
    assert bob.post(ADD, GIVEN).status_code == 302
    row = stored(acme)
    assert row.ends_at - row.starts_at == pytest.approx(
        timedelta(hours=1), abs=timedelta(seconds=5)
    )
    assert (str(row.owner), row.created_by, row.kind) == ("Bob", "Bob", "silence")
    assert row.in_force
    with in_tenant(acme.id):
        assert GroupAlert.objects.get().silenced_by == [row.pk]
        assert Audit.objects.get(action="silence.create").actor_label == "Bob"
    shown = bob.get(LIST).content.decode()
    assert "1 alert" in shown
    assert 'pill good">active' in shown


@pytest.fixture
def filled_alert(filled, acme):
    """Everything of acme but its silences: one alert of the name Lag fires."""
    with in_tenant(acme.id):
        Silence.objects.all().delete()
    return filled


def test_a_viewer_may_look_and_not_silence(vera, acme):
    assert vera.get(LIST).status_code == 200
    assert vera.post(ADD, GIVEN).status_code == 403


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"matchers": ""}, "matchers"),
        ({"matchers": "nonsense"}, "matchers"),
        ({"matchers": 'a=~"(?=x)"'}, "matchers"),
        ({"matchers": 'a=~".*"'}, "matchers"),
        ({"comment": ""}, "comment"),
        ({"lasting": "until"}, "ends_at"),
        ({"lasting": "until"} | at(datetime(2020, 1, 1), "ends_at"), "ends_at"),
        ({"repeats": "own"}, "repeats"),
        ({"repeats": "days", "duration_seconds": "2h"}, "repeats"),
        ({"repeats": "own", "recurrence": "FREQ=SECONDLY"}, "repeats"),
        ({"repeats": "daily", "lasting": "week"}, "repeats"),  # for how long?
        (
            {"repeats": "daily", "duration_seconds": "2h", "until_gone": "on"},
            "until_gone",
        ),
        ({"remind_seconds": "later"}, "remind_seconds"),
    ],
)
def test_what_makes_no_sense_is_refused_where_it_was_written(bob, acme, given, field):
    zone = {"time_zone": "UTC", "lasting": "week"} if "repeats" in given else {}
    assert field in errors(bob.post(ADD, GIVEN | zone | given))
    with in_tenant(acme.id):
        assert not Silence.objects.exists()


def test_a_route_of_another_tenant_is_no_scope(bob, acme, globex):
    with in_tenant(globex.id):
        theirs = Route.objects.create(tenant=globex.tenant, name="theirs")
    assert "route" in errors(bob.post(ADD, GIVEN | {"route": str(theirs.pk)}))
    assert "theirs" not in bob.get(ADD).content.decode()


def test_nothing_touched_is_nothing_changed(bob, acme, filled_alert):
    bob.post(ADD, GIVEN)
    before = stored(acme)
    given = again(GIVEN | {"comment": "still"}, before)
    assert bob.post(page(before), given).status_code == 302
    after = stored(acme)
    assert (after.pk, after.starts_at, after.ends_at) == (
        before.pk,
        before.starts_at,
        before.ends_at,
    )
    assert after.comment == "still"


def test_other_conditions_end_it_and_begin_another(bob, acme):
    bob.post(ADD, GIVEN)
    before = stored(acme)
    given = again(GIVEN, before) | {"matchers": 'alertname="Disk"', "_continue": "1"}
    response = bob.post(page(before), given)
    with in_tenant(acme.id):
        first, second = Silence.objects.order_by("created_at")
    assert first.pk == before.pk
    assert silences.state_of(first, timezone.now()) == "expired"
    assert response.url == page(second)
    assert list(second.matchers) == ['alertname="Disk"']


def test_over_half_of_what_is_open_is_asked_a_second_time(bob, acme):
    with in_tenant(acme.id):
        for number in range(6):
            make_alert(acme, number)
    response = bob.post(ADD, GIVEN)
    assert "6 of 6 open alerts" in errors(response)["confirm"][0]
    assert 'type="checkbox" name="confirm"' in response.content.decode()
    assert bob.post(ADD, GIVEN | {"confirm": "on"}).status_code == 302
    assert stored(acme).in_force


# --- its end ---


def test_expired_now_it_mutes_nothing_more_and_can_be_done_again(
    bob, acme, filled_alert
):
    bob.post(ADD, GIVEN)
    row = stored(acme)
    assert bob.post(page(row, "expire")).status_code == 302
    with in_tenant(acme.id):
        assert GroupAlert.objects.get().silenced_by == []
        assert Audit.objects.filter(action="silence.expire").exists()
    shown = bob.get(page(row)).content.decode()
    assert "_save" not in shown
    assert f"?again={row.pk}" in shown
    copy = bob.get(f"{ADD}?again={row.pk}").content.decode()
    assert "alertname=&quot;Lag&quot;" in copy
    assert "we know" in copy
    assert bob.post(page(row), GIVEN).status_code == 403


def test_the_list_ends_many_and_hides_what_is_over(bob, acme):
    for name in ("Lag", "Disk"):
        bob.post(ADD, GIVEN | {"matchers": f'alertname="{name}"'})
    with in_tenant(acme.id):
        ids = [str(row.pk) for row in Silence.objects.all()]
    bob.post(LIST, {"action": "expire_selected", "_selected_action": ids})
    assert bob.get(LIST).context["cl"].result_count == 0
    assert bob.get(LIST + "?state=expired").context["cl"].result_count == 2
    assert bob.get(LIST + "?state=all").context["cl"].result_count == 2


def test_an_outsider_expires_nothing(charlie, globex, bob, acme):
    bob.post(ADD, GIVEN)
    row = stored(acme)
    assert charlie.post(page(row, "expire")).status_code == 404
    assert charlie.get(f"{ADD}?again={row.pk}").status_code == 200
    assert "we know" not in charlie.get(f"{ADD}?again={row.pk}").content.decode()
    charlie.post(LIST, {"action": "expire_selected", "_selected_action": [str(row.pk)]})
    assert silences.state_of(stored(acme), timezone.now()) == "active"


def test_an_alert_leads_to_a_silence_of_its_labels(bob, vera, charlie, globex, filled):
    alert = filled[Alert]
    opened = reverse("admin:alerts_alert_change", args=[alert.pk])
    link = f"{ADD}?alert={alert.pk}"
    assert link in bob.get(opened).content.decode()
    assert link not in vera.get(opened).content.decode()
    assert "host=&quot;db-1&quot;" in bob.get(link).content.decode()
    assert "db-1" not in charlie.get(link).content.decode()


# --- the preview ---


def test_the_preview_counts_now_and_the_last_week(bob, acme, filled_alert):
    told = bob.post(PREVIEW, GIVEN).json()
    assert told["sentence"] == "Mutes 1 now, 1 in the last 7 days."
    assert not told["alarming"]
    (example,) = told["examples"]
    assert bob.get(example["url"]).status_code == 200


def test_the_preview_keeps_to_its_tenant_and_to_its_bounds(charlie, globex, filled):
    assert charlie.post(PREVIEW, GIVEN).json()["sentence"].startswith("Mutes 0 now")
    for matchers in ("", "nonsense", 'a=~".*"', "\n".join(['a="b"'] * 500)):
        told = charlie.post(PREVIEW, {"matchers": matchers}).json()
        assert "examples" not in told
        assert told["sentence"]
    assert charlie.get(PREVIEW).status_code == 405


# --- maintenance ---


def test_a_nightly_window_stands_in_the_calendar(alice, acme):
    begin = (timezone.now() + timedelta(days=2)).replace(hour=22, minute=0, second=0)
    given = GIVEN | {
        "title": "Backups",
        "lasting": "until",
        "repeats": "daily",
        "duration_seconds": "2h",
        "time_zone": "UTC",
    }
    given |= at(begin, "starts_at") | at(begin + timedelta(days=100), "ends_at")
    assert alice.post(PLAN, given).status_code == 302
    with in_tenant(acme.id):
        row = Maintenance.objects.get()
    assert (row.kind, row.recurrence, row.duration_seconds) == (
        "maintenance",
        "FREQ=DAILY",
        7200,
    )
    response = alice.get(CALENDAR)
    ahead = response.context["coming"]
    assert len(ahead) in (29, 30)
    assert {one.starts_at.hour for one in ahead} == {22}
    shown = response.content.decode()
    assert "every day, 2h each time (UTC)" in shown
    assert 'pill warn">pending' in shown
    assert "Backups" not in alice.get(LIST).content.decode()


def test_weekdays_come_back_as_they_were_ticked(alice, acme):
    given = GIVEN | {
        "title": "Weekend",
        "lasting": "week",
        "repeats": "days",
        "on_days": ["SA", "SU"],
        "duration_seconds": "12h",
        "time_zone": "Europe/Paris",
    }
    assert alice.post(PLAN, given).status_code == 302
    row = stored(acme)
    assert row.recurrence == "FREQ=WEEKLY;BYDAY=SA,SU"
    shown = alice.get(
        reverse("admin:alerts_maintenance_change", args=[row.pk])
    ).content.decode()
    for day, ticked in (("SA", True), ("SU", True), ("MO", False)):
        box = shown[shown.index(f'value="{day}"') :].partition(">")[0]
        assert ("checked" in box) is ticked


def test_a_window_needs_a_name(alice, acme):
    assert "title" in errors(alice.post(PLAN, GIVEN | {"title": ""}))


def test_the_preview_says_that_a_null_cannot_be(bob, acme):
    told = bob.post(PREVIEW, {"matchers": 'a="\0"'}).json()
    assert told["alarming"]
    assert "null" in told["sentence"].lower()
