"""Who lets old rows go, when, and who notices?"""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from alertcenter import engine
from alertcenter.alerts import intake
from alertcenter.alerts.models import Alert
from alertcenter.alerts.sources import own_json
from alertcenter.alerts.writer import connect
from tenants import partitions, retention, tasks
from tenants.models import RetentionRun
from tenants.rls import in_tenant
from tests.alerts.old_rows import (
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


def test_the_command_goes_on_with_a_run_but_not_beside_one(acme):
    put_changes(acme.id, ago(20), 6000)
    set_terms(acme, history_days=10)
    with login_as("engine"):
        assert not retention.work(0.0)
    with login_as("owner"):
        with somebody_else_at_it(), pytest.raises(CommandError, match="Another"):
            call_command("retention")
        gone = StringIO()
        call_command("retention", stdout=gone)
    assert gone.getvalue() == "6000 rows of transition: gone\n"
    assert RetentionRun.objects.count() == 1


def test_dispatchers_make_partitions_when_they_start(as_engine, servers):
    in_a_week = f"raw_event_{datetime.now(UTC) + timedelta(days=7):%Y_%m_%d}"
    with superuser(servers) as cursor:
        cursor.execute(f"DROP TABLE {in_a_week}")
    (job,) = [job for job in engine.jobs() if job.name == "partitions"]
    assert job.work() == 0
    assert in_a_week in names()


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
