"""Does each silence become one alert, whoever dies or is quicker?"""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import DataError, connection

from alertcenter.alerts import inside
from alertcenter.alerts.heartbeat_sweep import sweep_overdue
from alertcenter.alerts.models import Episode, Heartbeat, Transition
from alertcenter.common import failpoints
from tenants.rls import in_tenant
from tests.alerts.beats import FAIL, again, alerts, make, pass_time, ping, sweep

pytestmark = pytest.mark.django_db(transaction=True)

PERIOD, GRACE = 3600, 60


# --- crashes and races ---


class PowerCut(Exception):
    pass


def test_killed_between_claim_and_alert_it_is_told_by_the_next_sweep(acme, monkeypatch):
    row, _ = make(acme)
    ping(row)
    pass_time(row, PERIOD + GRACE + 1)

    def die(_name: str) -> None:
        raise PowerCut

    with monkeypatch.context() as patch:
        patch.setattr(failpoints, "hit", die)
        with pytest.raises(PowerCut):
            sweep()
    assert again(row).state == "late" or again(row).due_at is not None
    assert alerts(acme) == []
    assert sweep() == 1
    with in_tenant(acme.id):
        assert Episode.objects.filter(tenant_id=acme.id).count() == 1


def test_one_that_cannot_be_stored_does_not_silence_the_others(acme, monkeypatch):
    rows = [make(acme, f"job-{n}")[0] for n in range(5)]
    for row in rows:
        ping(row)
        pass_time(row, PERIOD + GRACE + 1)
    usual = inside.accept

    def picky(pairs: Any, **named: Any) -> None:
        if any(event.labels["heartbeat"] == "job-3" for _, event in pairs):
            raise DataError("poison")
        usual(pairs, **named)

    monkeypatch.setattr(inside, "accept", picky)
    assert sweep() == 5
    told = {alert.labels["heartbeat"] for alert in alerts(acme)}
    assert told == {"job-0", "job-1", "job-2", "job-4"}


def test_two_dispatchers_tell_once(acme):
    row, _ = make(acme)
    ping(row)
    pass_time(row, PERIOD + GRACE + 1)
    with in_tenant(acme.id):
        Heartbeat.objects.select_for_update().get()
        done: list[int] = []
        thread = threading.Thread(target=lambda: done.append(swept_elsewhere(acme)))
        thread.start()
        thread.join(10)
        assert done == [0]
    assert sweep() == 1


def swept_elsewhere(cast) -> int:
    try:
        with in_tenant(cast.id):
            return sweep_overdue([cast.id])
    finally:
        connection.close()


def ping_elsewhere(*given: Any) -> None:
    ping(*given)
    connection.close()


def test_a_ping_that_waited_for_the_sweep_still_resolves(acme):
    """Its transaction is older than the alert it has to close."""
    row, _ = make(acme)
    ping(row)
    pass_time(row, PERIOD + GRACE + 1)
    thread = threading.Thread(target=ping_elsewhere, args=[row])
    with in_tenant(acme.id):
        with connection.cursor() as cursor:
            cursor.execute("SELECT FROM heartbeat FOR UPDATE")
        thread.start()
        threading.Event().wait(0.3)
    connection.close()
    thread.join(10)
    assert again(row).state == "up"
    pass_time(row, PERIOD + GRACE + 1)
    racers = [threading.Thread(target=ping_elsewhere, args=[row, FAIL])]
    racers += [threading.Thread(target=ping_elsewhere, args=[row]) for _ in range(3)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join(20)
    now = again(row)
    (alert,) = alerts(acme)
    assert (alert.state == "firing") is (now.state == "down")
    with in_tenant(acme.id):
        assert Transition.objects.filter(kind="opened").count() == 1


# --- alerts that stand for pings ---


def watchdog(send, cast) -> None:
    send.prometheus(
        cast.id,
        {"labels": {"alertname": "Watchdog", "cluster": "a", "severity": "none"}},
    )


def test_a_watched_alert_counts_as_a_ping(acme, send):
    row, _ = make(
        acme,
        "prom",
        match=['alertname="Watchdog"', 'cluster=~"a|b"'],
        period_seconds=60,
    )
    watchdog(send, acme)
    sweep()
    first = again(row)
    assert first.state == "up"
    sweep()
    assert again(row).last_ping_at == first.last_ping_at
    pass_time(row, 60 + GRACE + 1)
    watchdog(send, acme)
    assert sweep() == 0
    assert again(row).state == "up"


def test_a_watched_alert_that_is_not_seen_again_is_missed(acme, send):
    row, _ = make(acme, "prom", match=['alertname="Watchdog"'], period_seconds=60)
    watchdog(send, acme)
    sweep()
    with in_tenant(acme.id), connection.cursor() as cursor:
        cursor.execute("UPDATE alert SET last_at = last_at - interval '1 hour'")
    pass_time(row, 60 + GRACE + 1)
    assert sweep() == 1
    assert again(row).state == "down"


def test_an_alert_that_does_not_match_is_no_ping(acme, globex, send):
    row, _ = make(acme, "prom", match=['alertname="Watchdog"', 'cluster!="a"'])
    watchdog(send, acme)
    watchdog(send, globex)
    sweep()
    assert again(row).state == "new"
