"""Does what is not heard of become an alert, once, and a ping its end?"""

from __future__ import annotations

from datetime import timedelta

import pytest

from alertcenter.alerts import heartbeats
from alertcenter.alerts.heartbeats import Ping
from alertcenter.alerts.models import (
    Episode,
    Heartbeat,
    HeartbeatPing,
    Rule,
)
from alertcenter.alerts.models.heartbeat import PingKind
from tenants.actors import THE_ENGINE
from tenants.models import Audit
from tenants.rls import in_tenant
from tests.alerts.beats import (
    FAIL,
    LOG,
    START,
    again,
    alerts,
    make,
    pass_time,
    ping,
    sweep,
)

pytestmark = pytest.mark.django_db(transaction=True)

PERIOD, GRACE = 3600, 60


def opened(cast) -> int:
    """Count the stretches of firing."""
    with in_tenant(cast.id):
        return Episode.objects.filter(tenant_id=cast.id).count()


# --- waiting ---


def test_nothing_is_waited_for_before_the_first_ping(acme):
    row, _ = make(acme)
    pass_time(row, 10 * PERIOD)
    assert sweep() == 0
    assert again(row).state == "new"
    assert alerts(acme) == []


def test_a_ping_makes_it_wait_for_the_next(acme):
    row, _ = make(acme)
    assert ping(row)
    now = again(row)
    assert now.state == "up"
    assert now.last_ping_at
    assert now.expected_at == now.last_ping_at + timedelta(seconds=PERIOD)
    assert now.due_at == now.last_ping_at + timedelta(seconds=PERIOD + GRACE)


def test_within_the_grace_it_is_late_and_nobody_is_told(acme):
    row, _ = make(acme)
    ping(row)
    pass_time(row, PERIOD + GRACE - 30)
    assert sweep() == 0
    assert again(row).state == "late"
    assert alerts(acme) == []


def test_after_the_grace_it_is_an_alert_once(acme):
    row, _ = make(acme, message="See the runbook", labels={"team": "db"}, severity=4)
    ping(row)
    pass_time(row, PERIOD + GRACE + 1)
    assert [sweep(), sweep(), sweep()] == [1, 0, 0]
    (alert,) = alerts(acme)
    assert (alert.title, alert.state, alert.severity) == (
        "Backup is expired",
        "firing",
        4,
    )
    assert alert.dedup_key == f"k/heartbeat/{row.pk}"
    assert alert.labels == {
        "alertname": "Heartbeat",
        "heartbeat": "backup",
        "team": "db",
    }
    assert alert.annotations["description"] == "See the runbook"
    assert alert.count == 1
    assert again(row).state == "down"


def test_the_next_ping_resolves_it_and_the_next_silence_opens_it_again(acme):
    row, _ = make(acme)
    for _ in range(2):
        ping(row)
        assert all(alert.state == "resolved" for alert in alerts(acme))
        pass_time(row, PERIOD + GRACE + 1)
        assert sweep() == 1
        assert [alert.state for alert in alerts(acme)] == ["firing"]
    assert opened(acme) == 2
    ping(row)
    assert [alert.state for alert in alerts(acme)] == ["resolved"]
    assert again(row).state == "up"


def test_many_at_once_are_one_sweep(acme, globex):
    rows = [make(acme, f"job-{n}")[0] for n in range(5)] + [make(globex, "job")[0]]
    for row in rows:
        ping(row)
        pass_time(row, PERIOD + GRACE + 1)
    assert sweep() == 6
    assert len(alerts(acme)) == 5
    assert len(alerts(globex)) == 1


def test_a_rule_of_the_tenant_holds_for_heartbeats_too(acme):
    with in_tenant(acme.id):
        Rule.objects.create(
            tenant_id=acme.id,
            name="quiet",
            matchers=['heartbeat="backup"'],
            set_severity=1,
        )
    row, _ = make(acme)
    ping(row, FAIL)
    assert alerts(acme)[0].severity == 1


# --- what a job says of itself ---


def test_a_failure_fires_at_once_and_success_ends_it(acme):
    row, _ = make(acme)
    ping(row, Ping(PingKind.FAIL, body="disk full"))
    (alert,) = alerts(acme)
    assert (alert.title, alert.state) == ("Backup failed", "firing")
    assert alert.annotations["output"] == "disk full"
    assert again(row).due_at is None
    ping(row)
    assert alerts(acme)[0].state == "resolved"


@pytest.mark.parametrize(("code", "state"), [(0, "up"), (1, "down"), (255, "down")])
def test_an_exit_code_is_success_or_failure(acme, code, state):
    row, _ = make(acme)
    ping(row, Ping(PingKind.EXIT, exit_code=code))
    now = again(row)
    assert (now.state, now.last_exit) == (state, code)
    titles = [alert.title for alert in alerts(acme)]
    assert titles == ([f"Backup failed with exit code {code}"] if code else [])


def test_what_is_expired_and_then_fails_stays_one_alert(acme):
    row, _ = make(acme)
    ping(row)
    pass_time(row, PERIOD + GRACE + 1)
    sweep()
    ping(row, FAIL)
    (alert,) = alerts(acme)
    assert (alert.title, alert.state) == ("Backup failed", "firing")
    assert opened(acme) == 1


def test_a_job_that_starts_has_the_grace_to_finish(acme):
    row, _ = make(acme)
    ping(row, START)
    now = again(row)
    assert now.state == "started"
    assert now.last_start_at
    assert now.due_at == now.last_start_at + timedelta(seconds=GRACE)
    pass_time(row, GRACE + 1)
    assert sweep() == 1
    assert alerts(acme)[0].title == "Backup is expired"


def test_a_start_gives_no_more_time_than_there_was(acme):
    row, _ = make(acme)
    ping(row)
    pass_time(row, PERIOD + 30)
    before = again(row).due_at
    ping(row, START)
    assert again(row).due_at == before


def test_a_start_does_not_end_an_alert(acme):
    row, _ = make(acme)
    ping(row, FAIL)
    ping(row, START)
    assert again(row).state == "down"
    assert alerts(acme)[0].state == "firing"


def test_a_log_line_changes_nothing(acme):
    row, _ = make(acme)
    ping(row, LOG)
    assert again(row).state == "new"
    with in_tenant(acme.id):
        assert HeartbeatPing.objects.get().kind == "log"


def test_the_last_hundred_pings_are_kept(acme, monkeypatch):
    monkeypatch.setattr(heartbeats, "KEPT_PINGS", 3)
    row, _ = make(acme)
    other, _ = make(acme, "other")
    ping(other)
    for code in range(6):
        ping(row, Ping(PingKind.EXIT, exit_code=code))
    with in_tenant(acme.id):
        codes = row.pings.order_by("id").values_list("exit_code", flat=True)
        assert list(codes) == [3, 4, 5]
        assert other.pings.count() == 1


# --- people ---


def test_what_is_paused_is_not_missed_and_its_alert_ends(acme):
    row, _ = make(acme)
    ping(row, FAIL)
    with in_tenant(acme.id):
        heartbeats.pause(Heartbeat.objects.get(), actor=THE_ENGINE)
        verbs = list(Audit.objects.values_list("action", flat=True))
    assert "heartbeat.pause" in verbs
    assert alerts(acme)[0].state == "resolved"
    ping(row, FAIL)
    pass_time(row, 100 * PERIOD)
    assert sweep() == 0
    assert alerts(acme)[0].state == "resolved"
    assert again(row).state == "paused"
    with in_tenant(acme.id):
        heartbeats.resume(Heartbeat.objects.get(), actor=THE_ENGINE)
    assert again(row).state == "up"
    assert sweep() == 0
    pass_time(row, PERIOD + GRACE + 1)
    assert sweep() == 1
    assert alerts(acme)[0].state == "firing"


def test_a_shorter_period_holds_at_once(acme):
    row, _ = make(acme)
    ping(row)
    pass_time(row, 600)
    with in_tenant(acme.id):
        Heartbeat.objects.update(period_seconds=300)
        heartbeats.reschedule(row)
    assert sweep() == 1


def test_what_is_deleted_leaves_no_alert_open(acme):
    row, _ = make(acme)
    ping(row, FAIL)
    with in_tenant(acme.id):
        heartbeats.remove(Heartbeat.objects.get(), actor=THE_ENGINE)
    assert alerts(acme)[0].state == "resolved"
    assert ping(row) is False


# --- others ---


def test_others_see_nothing_and_reach_nothing(acme, globex):
    row, token = make(acme)
    ping(row)
    with in_tenant(globex.id):
        assert not Heartbeat.objects.exists()
        assert not HeartbeatPing.objects.exists()
    assert heartbeats.ping(globex.id, row.pk, FAIL) is False
    assert again(row).state == "up"
    assert heartbeats.find(token) == (acme.id, row.pk)
    assert heartbeats.find("0" * 32) is None
