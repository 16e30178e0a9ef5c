"""What is let go when it is old, what stays, and who notices?"""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import psycopg2
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.urls import reverse

from alertcenter.alerts import intake
from alertcenter.alerts.models import Alert, Episode, Group, RawEvent, Transition
from alertcenter.alerts.sources import own_json
from alertcenter.alerts.writer import connect
from escalation.models import DueStep, Run
from notifications.models import Attempt, Channel, Delivery, Thread
from tenants import partitions, retention, tasks
from tenants.models import RetentionRun, Tenant
from tenants.rls import in_tenant
from tests.admin.conftest import fill
from tests.cast import Cast
from tests.conftest import login_as

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime.now(UTC)
OLD_CHANGES = """
INSERT INTO transition (tenant_id, at, kind, from_state, to_state, actor_kind, actor_id,
  actor_label, reason, data, correlation_id)
SELECT %s, %s::timestamptz + n * interval '1 millisecond', 'noted', '', '', 'engine',
  '', '', '', '{}', ''
FROM generate_series(1, %s) n
"""


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


@contextmanager
def superuser(servers) -> Iterator[Any]:
    own = psycopg2.connect(**servers.superuser)
    own.autocommit = True
    with closing(own), own.cursor() as cursor:
        yield cursor


@pytest.fixture
def months(servers) -> Iterator[list[str]]:
    """Partitions of transition for two months of long ago, and for last month."""
    made = {
        "transition_2020_01": ("2020-01-01", "2020-02-01"),
        "transition_2020_02": ("2020-02-01", "2020-03-01"),
    }
    with login_as("owner"), connection.cursor() as cursor:
        for name, (first, after) in made.items():
            bounds = f"FOR VALUES FROM ('{first} 00:00+00') TO ('{after} 00:00+00')"
            cursor.execute(
                "SELECT ac_create_partition('transition', %s, %s)", [name, bounds]
            )
    yield list(made)
    with superuser(servers) as cursor:
        for name in made:
            cursor.execute(f"DROP TABLE IF EXISTS {name}")


def put_changes(tenant_id, at: datetime, rows: int) -> None:
    with in_tenant(tenant_id), connection.cursor() as cursor:
        cursor.execute(OLD_CHANGES, [tenant_id, at, rows])


def changes(tenant_id) -> int:
    with in_tenant(tenant_id):
        return Transition.objects.filter(tenant_id=tenant_id).count()


def set_terms(cast: Cast, **days: int | None) -> None:
    with in_tenant(cast.id):
        Tenant.objects.filter(pk=cast.id).update(**days)


def run_now() -> RetentionRun:
    with login_as("engine"):
        assert retention.work(always=True)
        return RetentionRun.objects.get(pk=RetentionRun.objects.latest("id").pk)


def names() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT child FROM ac_partitions()")
        return {name for (name,) in cursor.fetchall()}


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
    monkeypatch.setattr(
        retention, "forget_some", lambda given: sizes.append(forget(given)) or sizes[-1]
    )
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


def test_an_alert_that_outlived_its_history_still_resolves(acme, send):
    send.own(acme.id, {"title": "old", "key": "k"})
    with in_tenant(acme.id):
        assert Episode.objects.update(at=ago(50)) == 1
    set_terms(acme, history_days=40)
    assert run_now().deleted == {"episode": 1}
    send.own(acme.id, {"title": "old", "key": "k", "status": "resolved"})
    with in_tenant(acme.id):
        assert Alert.objects.get().state == "resolved"


# --- runs ---


def test_one_run_a_day_in_slices_one_at_a_time(acme, globex):
    for cast in (acme, globex):
        put_changes(cast.id, ago(20), 6000)
        set_terms(cast, history_days=10)
    with login_as("engine"):
        assert not retention.work(0.0)
        first = RetentionRun.objects.get()
        assert first.finished_at is None
        while not retention.work(0.01):
            pass
        first.refresh_from_db()
        assert first.finished_at
        assert first.deleted == {"transition": 12_000}
        assert retention.work()  # nothing more today
        assert RetentionRun.objects.count() == 1
        with somebody_else_at_it():
            assert retention.work(always=True)
        assert RetentionRun.objects.count() == 1


@contextmanager
def somebody_else_at_it() -> Iterator[None]:
    with closing(connect("test")) as other, other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtext('ac_retention'))")
        yield


def test_what_beat_asks_for_is_known_to_the_workers():
    from alertcenter.celery import app

    app.loader.import_default_modules()
    asked = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert "tenants.retention" in asked
    assert asked <= set(app.tasks)


def test_a_worker_asks_for_the_next_slice_until_the_days_run_is_done(
    acme, as_engine, monkeypatch
):
    asked: list[bool] = []
    monkeypatch.setattr(tasks.let_old_rows_go, "delay", lambda: asked.append(True))
    monkeypatch.setattr(tasks, "SLICE_SECONDS", 0.0)
    put_changes(acme.id, ago(20), 6000)
    set_terms(acme, history_days=10)
    while not tasks.let_old_rows_go():
        pass
    assert len(asked) >= 2
    assert changes(acme.id) == 0


def test_the_command_says_what_would_go_and_lets_it_go(acme, months):
    put_changes(acme.id, datetime(2020, 1, 5, tzinfo=UTC), 10)
    put_changes(acme.id, ago(20), 30)
    set_terms(acme, history_days=10)
    with login_as("owner"):
        would = StringIO()
        call_command("retention", "--dry-run", stdout=would)
        assert changes(acme.id) == 40
        assert not RetentionRun.objects.exists()
        gone = StringIO()
        call_command("retention", stdout=gone)
        again = StringIO()
        call_command("retention", stdout=again)
    assert "partition transition_2020_01: would go" in would.getvalue()
    assert "40 rows of transition: would go" in would.getvalue()
    assert "partition transition_2020_01: gone" in gone.getvalue()
    assert "30 rows of transition: gone" in gone.getvalue()
    assert again.getvalue() == "Nothing is old enough.\n"
    assert changes(acme.id) == 0


def test_a_lock_that_somebody_holds_puts_the_drop_off(acme, months, monkeypatch):
    monkeypatch.setattr(partitions, "TRIES", 2)
    with closing(connect("test")) as other, other.cursor() as cursor:
        cursor.execute("BEGIN; LOCK TABLE transition IN ROW EXCLUSIVE MODE")
        began = time.monotonic()
        run = run_now()
        assert time.monotonic() - began < 5
    assert run.put_off == ["transition"]
    assert run.dropped == []
    assert run_now().dropped == months


# --- while events come in ---


def test_senders_do_not_notice(acme, globex, months, send, capsys):
    """50,000 rows go and partitions come and go while a sender never pauses."""
    put_changes(globex.id, ago(20), 50_000)
    put_changes(globex.id, datetime(2020, 1, 5, tzinfo=UTC), 1000)
    set_terms(globex, history_days=10)
    with sender(acme) as seconds:
        time.sleep(0.5)
        quiet = len(seconds)
        began = time.monotonic()
        run = run_now()
        took = time.monotonic() - began
    assert run.deleted == {"transition": 50_000}
    assert run.dropped == months
    assert run.put_off == []
    during = seconds[quiet:]
    with capsys.disabled():
        print(
            f"\nretention took {took:.2f} s beside {len(during)} commits: median "
            f"{statistics.median(during) * 1000:.1f} ms, slowest "
            f"{max(during) * 1000:.0f} ms; before it {max(seconds[:quiet]) * 1000:.0f}"
        )
    assert max(during) < 1.0
    with in_tenant(acme.id):
        assert Alert.objects.count() == len(seconds) * 10


def test_a_long_reader_holds_up_the_drop_and_not_the_senders(
    acme, months, send, capsys
):
    """Our wait for him is short, as whoever comes after us would wait with us."""
    with closing(connect("test")) as reader, reader.cursor() as cursor:
        cursor.execute("BEGIN; SELECT count(*) FROM transition")
        let_go = threading.Timer(2.0, reader.close)
        let_go.start()
        with sender(acme) as seconds:
            run = run_now()
        let_go.join()
    assert run.dropped == months
    with capsys.disabled():
        print(f"\nslowest commit beside a long reader {max(seconds) * 1000:.0f} ms")
    assert max(seconds) < 0.5


def test_new_partitions_hold_up_nobody(acme, send, servers, capsys):
    in_a_week = f"raw_event_{datetime.now(UTC) + timedelta(days=7):%Y_%m_%d}"
    soon = months_from_now(3)
    with superuser(servers) as cursor:
        cursor.execute(f"DROP TABLE {in_a_week}, transition_{soon}, episode_{soon}")
    with sender(acme) as seconds, login_as("engine"):
        time.sleep(0.3)
        quiet = len(seconds)
        partitions.ensure()
        time.sleep(0.1)
    assert {in_a_week, f"transition_{soon}", f"episode_{soon}"} <= names()
    with capsys.disabled():
        print(f"\nslowest commit beside new ones {max(seconds[quiet:]) * 1000:.0f} ms")
    assert max(seconds[quiet:]) < 0.5


def months_from_now(months: int) -> str:
    today = datetime.now(UTC)
    total = today.year * 12 + today.month - 1 + months
    return f"{total // 12}_{total % 12 + 1:02}"


@contextmanager
def sender(cast: Cast) -> Iterator[list[float]]:
    """Send new alerts without a pause; yield the seconds that each commit took."""
    seconds: list[float] = []
    stop = threading.Event()
    failed: list[Exception] = []

    def run() -> None:
        while not stop.is_set():
            first = len(seconds) * 10
            items = ",".join(f'{{"title": "t {first + n}"}}' for n in range(10))
            parsed = own_json.parse(f"[{items}]".encode())
            began = time.perf_counter()
            try:
                future = intake.accept(cast.id, parsed, correlation_id=f"c{first}")
                assert future.result(10).kept == 10
            except (intake.DatabaseAway, intake.Overloaded, TimeoutError) as error:
                failed.append(error)
                return
            seconds.append(time.perf_counter() - began)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield seconds
    finally:
        stop.set()
        thread.join(10)
    assert failed == []


# --- the admin ---


def test_operators_see_sizes_and_runs_and_set_the_days(acme, client, django_user_model):
    run_now()
    client.force_login(django_user_model.objects.create_superuser("root"))
    shown = client.get(reverse("admin:tenants_retentionrun_changelist"))
    assert "transition" in shown.content.decode()
    page = reverse("admin:tenants_tenant_change", args=[acme.id])
    form = {
        "name": "Acme",
        "language": "en",
        "time_zone": "UTC",
        "keep_raw": "all",
        "history_days": "30",
    }
    assert client.post(page, form).status_code == 302
    for wrong in ("0", "3651", "-1", "x"):
        assert client.post(page, form | {"raw_days": wrong}).status_code == 200
    with in_tenant(acme.id):
        found = Tenant.objects.get()
    assert (found.history_days, found.raw_days, found.keep_raw) == (30, None, "all")


def test_owners_choose_what_is_copied_and_not_for_how_long(acme, client):
    client.force_login(acme.user("alice"))
    page = reverse("admin:tenants_tenant_change", args=[acme.id])
    form = {"name": "Acme", "language": "en", "time_zone": "UTC", "keep_raw": "off"}
    assert client.post(page, form | {"history_days": "1"}).status_code == 302
    with in_tenant(acme.id):
        found = Tenant.objects.get()
    assert (found.keep_raw, found.history_days) == ("off", None)


def test_a_body_is_shown_as_text_whatever_it_is(acme, client):
    bodies = [b'{"a": "<script>x</script>"}', b"<script>\x00\xff", b"[" * 200_000]
    with in_tenant(acme.id):
        rows = [
            RawEvent.objects.create(
                tenant_id=acme.id,
                at=NOW,
                protocol="events",
                outcome="refused",
                correlation_id=f"c-{number}",
                size=len(body) + 1,
                body=body,
            )
            for number, body in enumerate(bodies)
        ]
    client.force_login(acme.user("alice"))
    for row in rows:
        page = reverse("admin:alerts_rawevent_change", args=[row.pk])
        shown = client.get(page).content.decode()
        assert "<script>x" not in shown
        assert "Cut off here." in shown
    listed = reverse("admin:alerts_rawevent_changelist")
    found = client.get(listed + "?q=c-1").content.decode()
    assert f"/{rows[1].pk}/change/" in found
    assert f"/{rows[0].pk}/change/" not in found
