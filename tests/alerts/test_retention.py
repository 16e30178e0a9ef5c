"""What is let go when it is old, and what stays?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection

from alertcenter.alerts.models import Alert, Episode, Group, RawEvent
from escalation.models import DueStep, Run
from notifications.models import Attempt, Channel, Delivery, Destination, Thread
from tenants import partitions, retention
from tenants.rls import in_tenant
from tests.admin.conftest import fill
from tests.alerts.old_rows import (
    NOW,
    ago,
    changes,
    names,
    put_changes,
    run_now,
    set_terms,
    superuser,
)
from tests.cast import Cast
from tests.conftest import login_as

pytestmark = pytest.mark.django_db(transaction=True)

# --- partitions ---


def test_days_and_months_are_made_ahead():
    today = datetime.now(UTC)
    for days in range(8):
        assert f"raw_event_{today + timedelta(days=days):%Y_%m_%d}" in names()
    for table in ("transition", "episode", "attempt", "audit"):
        assert f"{table}_{today:%Y_%m}" in names()
    with login_as("engine"):
        before = names()
        partitions.ensure()
        assert names() == before


def test_a_partition_too_old_for_all_is_dropped(acme, globex, months):
    put_changes(acme.id, datetime(2020, 1, 5, tzinfo=UTC), 10)
    put_changes(globex.id, datetime(2020, 2, 5, tzinfo=UTC), 10)
    run = run_now()
    assert run.dropped == months
    assert not names() & set(months)
    assert (changes(acme.id), changes(globex.id)) == (0, 0)
    assert run.finished_at


def test_it_stays_while_one_tenant_keeps_longer(acme, globex, months):
    put_changes(acme.id, datetime(2020, 1, 5, tzinfo=UTC), 10)
    put_changes(globex.id, datetime(2020, 1, 5, tzinfo=UTC), 10)
    set_terms(globex, history_days=3650)
    run = run_now()
    assert run.dropped == []
    assert set(months) <= names()
    assert (changes(acme.id), changes(globex.id)) == (0, 10)
    assert run.deleted["transition"] == 10


def test_what_no_partition_was_made_for_is_deleted_by_row(acme, months):
    put_changes(acme.id, datetime(2021, 7, 5, tzinfo=UTC), 10)
    run_now()
    assert changes(acme.id) == 0


def test_nobody_can_be_made_to_drop_what_is_young(acme):
    put_changes(acme.id, ago(0.5), 5)
    with login_as("engine"):
        with pytest.raises(DatabaseError, match="younger than a day"):
            partitions.drop_oldest("transition", NOW + timedelta(days=400))
        with pytest.raises(DatabaseError), connection.cursor() as cursor:
            cursor.execute(
                "SELECT ac_forget('transition', %s, now(), 10, false)", [acme.id]
            )
    with pytest.raises(DatabaseError, match="permission"):  # as the web
        partitions.drop_oldest("transition", ago(400))
    assert changes(acme.id) == 5


def test_another_tenants_rows_are_out_of_the_functions_reach(acme, globex):
    put_changes(acme.id, ago(30), 5)
    with login_as("engine"), in_tenant(globex.id), connection.cursor() as cursor:
        cursor.execute(
            "SELECT ac_forget('transition', %s, %s, 10, false)", [acme.id, ago(10)]
        )
        assert cursor.fetchone() == (0,)
    assert changes(acme.id) == 5


def test_batches_are_found_without_reading_the_partition(acme, servers):
    """The row's address must not wait behind the policy, as other conditions do."""
    put_changes(acme.id, datetime(2021, 7, 5, tzinfo=UTC), 20_000)
    with superuser(servers) as cursor:
        cursor.execute("ANALYZE transition_rest")
    part, tenant = "transition_rest", "tenant_id = %(tenant)s"
    with login_as("owner"), in_tenant(acme.id), connection.cursor() as cursor:
        cursor.execute(
            f"EXPLAIN DELETE FROM {part} WHERE {tenant} AND ctid = ANY (ARRAY("
            f"SELECT ctid FROM {part} WHERE {tenant} AND at < now() LIMIT 5000))",
            {"tenant": acme.id},
        )
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "Tid Scan" in plan, plan


# --- rows ---


def test_a_tenant_may_keep_less_and_others_are_not_touched(acme, globex):
    for cast in (acme, globex):
        put_changes(cast.id, ago(20), 12_000)
        put_changes(cast.id, ago(5), 7)
        keep_raw(cast, days=5)
        keep_raw(cast, days=1.5)
    set_terms(acme, history_days=10, raw_days=2)
    run = run_now()
    assert (changes(acme.id), changes(globex.id)) == (7, 12_007)
    assert run.deleted == {"transition": 12_000, "raw_event": 1}
    assert (raw(acme), raw(globex)) == (1, 2)


def keep_raw(cast: Cast, days: float) -> None:
    with in_tenant(cast.id):
        RawEvent.objects.create(
            tenant_id=cast.id, at=ago(days), protocol="x", outcome="kept", size=0
        )


def raw(cast: Cast) -> int:
    with in_tenant(cast.id):
        return RawEvent.objects.count()


def test_no_transaction_deletes_more_than_a_batch(acme, monkeypatch):
    put_changes(acme.id, ago(20), 12_000)
    set_terms(acme, history_days=10)
    sizes: list[int] = []
    forget = retention.forget_some

    def noted(given: list[Any]) -> int:
        sizes.append(forget(given))
        return sizes[-1]

    monkeypatch.setattr(retention, "forget_some", noted)
    run_now()
    assert [size for size in sizes if size] == [5000, 5000, 2000]


def test_an_old_group_goes_with_all_that_belongs_to_it(acme, globex):
    for cast in (acme, globex):
        close_all(cast, fill(cast), days=50)
    set_terms(acme, closed_days=40)
    run = run_now()
    assert counts(acme) == dict.fromkeys(counts(acme), 0)
    assert counts(globex) == dict.fromkeys(counts(globex), 1)
    assert run.deleted == dict.fromkeys(
        ("alert", "alert_group", "group_alert", "run", "due_step", "delivery"), 1
    ) | {"thread": 1}


def close_all(cast: Cast, rows: dict[type, Any], days: float) -> None:
    with in_tenant(cast.id):
        Group.objects.update(state="resolved", resolved_at=ago(days))
        Alert.objects.update(state="resolved", state_at=ago(days), last_at=ago(days))
        Thread.objects.create(
            tenant=cast.tenant, group_id=rows[Group].pk, channel=rows[Channel]
        )


def counts(cast: Cast) -> dict[str, int]:
    with in_tenant(cast.id):
        models = (Alert, Group, Run, DueStep, Delivery, Thread)
        return {model._meta.db_table: model.objects.count() for model in models}


def test_what_is_open_or_remembered_stays_however_old(acme):
    rows = fill(acme)
    close_all(acme, rows, days=50)
    with in_tenant(acme.id):
        Group.objects.update(state="acknowledged", resolved_at=None)
    set_terms(acme, closed_days=1)
    assert run_now().deleted == {}
    with in_tenant(acme.id):
        Group.objects.update(state="resolved", resolved_at=ago(50))
        Alert.objects.update(state="firing")
    run_now()
    assert counts(acme) == dict.fromkeys(counts(acme), 0) | {"alert": 1}


def test_a_group_without_end_forgets_who_left_long_ago(acme):
    rows = fill(acme)
    close_all(acme, rows, days=50)
    with in_tenant(acme.id):
        Group.objects.update(state="firing", resolved_at=None)
        rows[Group].memberships.update(left_at=ago(45))
    set_terms(acme, closed_days=40)
    assert run_now().deleted == {"group_alert": 1, "alert": 1}


def test_messages_without_a_group_go_once_they_are_done(acme):
    fill(acme)
    with in_tenant(acme.id):
        Delivery.objects.update(group_id=None, created_at=ago(50), state="leased")
    set_terms(acme, closed_days=40)
    run_now()
    with in_tenant(acme.id):
        assert Delivery.objects.update(state="sent") == 1
    run_now()
    with in_tenant(acme.id):
        assert not Delivery.objects.exists()
        assert Attempt.objects.count() == 1  # history, which is kept longer


def test_a_place_that_nobody_wrote_to_for_so_long_is_forgotten(acme):
    with in_tenant(acme.id):
        for key, days in (("email:gone@acme.example", 4000), ("email:here", 1)):
            Destination.objects.create(
                tenant_id=acme.id, key=key, open_at=ago(days), asked_until=ago(days),
                paced_until=ago(days), failures=3,
            )  # fmt: skip
    run_now()
    with in_tenant(acme.id):
        assert [place.key for place in Destination.objects.all()] == ["email:here"]


def test_an_alert_that_outlived_its_history_still_resolves(acme, send):
    send.own(acme.id, {"title": "old", "key": "k"})
    with in_tenant(acme.id):
        assert Episode.objects.update(at=ago(50)) == 1
    set_terms(acme, history_days=40)
    assert run_now().deleted == {"episode": 1}
    send.own(acme.id, {"title": "old", "key": "k", "status": "resolved"})
    with in_tenant(acme.id):
        assert Alert.objects.get().state == "resolved"
