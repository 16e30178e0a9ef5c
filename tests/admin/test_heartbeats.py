"""Can a person make a heartbeat, see its address once, pause it and take it away?"""

from __future__ import annotations

import re

from django.urls import reverse

from alertcenter.alerts import heartbeats
from alertcenter.alerts.models import Heartbeat
from tenants.models import Audit
from tenants.rls import in_tenant
from tests.alerts.beats import again, make

NEW = {
    "name": "Backup",
    "slug": "backup",
    "period_seconds": "3600",
    "cron": "",
    "time_zone": "UTC",
    "grace_seconds": "60",
    "severity": "5",
    "labels": "team=db",
    "message": "",
    "match": "",
}
ADDRESS = re.compile(r"/h/([0-9a-f]{32})")


def page(what: str, row: Heartbeat | None = None) -> str:
    given = [row.pk] if row else []
    return reverse(f"admin:alerts_heartbeat_{what}", args=given)


def the_one(cast) -> Heartbeat:
    with in_tenant(cast.id):
        return Heartbeat.objects.get()


def test_the_address_is_shown_once_and_works(alice, acme):
    shown = alice.post(page("add"), NEW).content.decode()
    (token,) = set(ADDRESS.findall(shown))
    row = the_one(acme)
    assert heartbeats.find(token) == (acme.id, row.pk)
    assert row.labels == {"team": "db"}
    for where in (page("changelist"), page("change", row)):
        assert not ADDRESS.search(alice.get(where).content.decode())


def test_a_new_address_is_asked_for_by_those_who_configure(alice, bob, acme):
    row, token = make(acme)
    assert bob.post(page("renew", row)).status_code == 403
    shown = alice.post(page("renew", row)).content.decode()
    (fresh,) = set(ADDRESS.findall(shown))
    assert heartbeats.find(token) is None
    assert heartbeats.find(fresh) == (acme.id, row.pk)


def test_a_change_leaves_alone_what_pings_wrote(alice, acme):
    row, _ = make(acme)
    with in_tenant(acme.id):
        Heartbeat.objects.update(last_body="kept", state="up")
    alice.post(page("change", row), changed(NEW | {"name": "Nightly"}))
    now = again(row)
    assert (now.name, now.last_body, now.state) == ("Nightly", "kept", "up")


def changed(values: dict[str, str]) -> dict[str, str]:
    return values | {"pings-TOTAL_FORMS": "0", "pings-INITIAL_FORMS": "0"}


def test_both_a_period_and_cron_are_refused_at_the_field(alice, acme):
    answer = alice.post(page("add"), NEW | {"cron": "* * * * *"})
    assert "cron" in answer.context["adminform"].form.errors


def test_it_is_paused_resumed_and_deleted_on_record(alice, acme):
    row, _ = make(acme)
    alice.post(page("pause", row))
    assert again(row).state == "paused"
    alice.post(page("resume", row))
    assert again(row).state == "new"
    alice.post(page("delete", row), {"post": "yes"})
    with in_tenant(acme.id):
        assert not Heartbeat.objects.exists()
        verbs = Audit.objects.order_by("id").values_list("action", flat=True)
        found = [verb for verb in verbs if verb.startswith("heartbeat.")]
    assert found == ["heartbeat.pause", "heartbeat.resume", "heartbeat.delete"]


def test_the_dashboard_shows_each_the_worst_first(alice, acme, globex):
    make(globex, "secret")
    assert "beats" not in alice.get("/t/acme/").content.decode()
    make(acme, "calm", state="up")
    make(acme, "gone", state="down")
    shown = alice.get("/t/acme/").content.decode()
    assert shown.index("Gone") < shown.index("Calm")
    assert "Secret" not in shown
