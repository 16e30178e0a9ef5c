"""Is a request that is sent again kept once?"""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection

from alertcenter.alerts import intake, receipts
from alertcenter.alerts.models import Alert, Receipt, Transition
from alertcenter.alerts.sources import own_json
from tenants.rls import in_tenant
from tests.sending import only_alert

pytestmark = pytest.mark.django_db(transaction=True)

TRIGGER = b'[{"title": "Backup failed", "key": "backup"}]'
RESOLVE = b'[{"key": "backup", "status": "resolved"}]'


def say(tenant_id: Any, body: bytes, key: str = "") -> intake.Accepted:
    once = receipts.once("events", key, body) if key else None
    parsed = own_json.parse(body)
    done = intake.accept(tenant_id, parsed, correlation_id="t", once=once)
    return done.result(10)


def test_a_trigger_that_is_sent_again_does_not_reopen_what_was_resolved(acme, send):
    first = say(acme.id, TRIGGER, "a")
    say(acme.id, RESOLVE)
    again = say(acme.id, TRIGGER, "a")
    assert (first.kept, again.kept, again.replayed) == (1, 1, True)
    alert = only_alert(acme.id)
    assert (alert.state, alert.count) == ("resolved", 2)
    say(acme.id, TRIGGER, "b")
    assert only_alert(acme.id).state == "firing"


def test_another_body_under_the_same_key_is_refused(acme, send):
    say(acme.id, TRIGGER, "a")
    with pytest.raises(intake.KeyReused):
        say(acme.id, RESOLVE, "a")
    assert only_alert(acme.id).state == "firing"


def test_tenants_and_protocols_do_not_share_keys(acme, globex, send):
    say(acme.id, TRIGGER, "a")
    assert not say(globex.id, TRIGGER, "a").replayed
    body = receipts.once("events", "a", TRIGGER)
    assert body.key != receipts.once("alertmanager_webhook", "a", TRIGGER).key


def test_at_the_same_moment_one_is_kept_and_all_are_answered_alike(acme, send):
    answers: list[intake.Accepted] = []
    threads = [
        threading.Thread(target=lambda: answers.append(say(acme.id, TRIGGER, "a")))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert [a.kept for a in answers] == [1] * 8
    assert sum(not a.replayed for a in answers) == 1
    assert only_alert(acme.id).count == 1


def test_refused_items_are_named_again(acme, send, monkeypatch):
    from alertcenter.alerts import rows

    real = rows.as_text

    def spoil(tenant, key, event, correlation_id):
        text = real(tenant, key, event, correlation_id)
        return text.replace('"severity":5', '"severity":"bad"')

    monkeypatch.setattr(rows, "as_text", spoil)
    body = b'[{"title": "good"}, {"title": "bad", "severity": "critical"}]'
    answers = [say(acme.id, body, "a") for _ in range(2)]
    assert [(a.kept, [e.index for e in a.errors]) for a in answers] == [(1, [1])] * 2
    with in_tenant(acme.id):
        assert Alert.objects.count() == 1
        assert Transition.objects.count() == 1


def test_without_a_commit_there_is_no_receipt(acme, send, monkeypatch):
    monkeypatch.setattr(receipts, "FILL", "SELECT 1/0 -- %s %s %s %s %s")
    with pytest.raises(intake.DatabaseAway):
        say(acme.id, TRIGGER, "a")
    monkeypatch.undo()
    with in_tenant(acme.id):
        assert not Receipt.objects.exists()
        assert not Alert.objects.exists()


@pytest.mark.parametrize("key", ["", "x" * 256, "line\nbreak", "schlüssel"])
def test_what_cannot_be_a_key(key):
    with pytest.raises(receipts.BadKey):
        receipts.once("events", key, b"")


def test_a_day_later_it_is_forgotten(acme, send):
    say(acme.id, TRIGGER, "a")
    with in_tenant(acme.id):
        assert receipts.prune() == 0
        with connection.cursor() as cursor:
            cursor.execute("UPDATE receipt SET at = now() - interval '25 hours'")
        assert receipts.prune() == 1
        assert not Receipt.objects.exists()


def test_a_fault_of_ours_between_leaves_no_transaction_open(acme, send, monkeypatch):
    def fail(*_: object) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(receipts, "fill", fail)
    with pytest.raises(intake.DatabaseAway):
        say(acme.id, TRIGGER, "a")
    monkeypatch.undo()
    assert say(acme.id, TRIGGER).kept == 1
    assert only_alert(acme.id).count == 1  # seen by others: committed
    assert not say(acme.id, TRIGGER, "a").replayed
