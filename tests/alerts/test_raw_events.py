"""What is kept of a body as it arrived, and what does keeping it never do?"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import psycopg2
import pytest
from prometheus_client import REGISTRY

from alertcenter.alerts import raw_events
from alertcenter.alerts.events import ItemError
from alertcenter.alerts.models import RawEvent
from alertcenter.common.ids import uuid7
from tenants.models import Tenant
from tenants.rls import in_tenant

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def keeper(transactional_db) -> Iterator[raw_events.Keeper]:
    yield raw_events.start()
    raw_events.stop()


def keep(tenant_id, body: bytes = b"{}", **given: Any) -> None:
    known: dict[str, Any] = {
        "protocol": "events",
        "key_id": None,
        "correlation_id": "c-1",
        "content_type": "application/json",
        "outcome": "refused",
    }
    raw_events.keep(tenant_id, body=body, **(known | given))


def wait_for(what: Callable[[], Any], seconds: float = 8.0) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = what()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError("it did not come about in time")


def rows(tenant_id) -> list[RawEvent]:
    with in_tenant(tenant_id):
        return list(RawEvent.objects.order_by("id"))


def dropped(reason: str) -> float:
    labels = {"reason": reason}
    return (
        REGISTRY.get_sample_value("alertcenter_raw_copies_dropped_total", labels) or 0
    )


def test_a_body_is_kept_word_for_word_with_what_was_wrong(acme, keeper):
    body = b'{"not json": \x00\xff' + b" " * 5000
    key = uuid7()
    keep(acme.id, body, key_id=key, errors=[ItemError(3, "no\x00 title \ud800")])
    (row,) = wait_for(lambda: rows(acme.id))
    assert row.content == body
    assert row.packed
    assert len(bytes(row.body)) < 200
    assert (row.size, row.key_id, row.outcome) == (len(body), key, "refused")
    assert row.errors == [{"index": 3, "reason": "no title ?"}]


def test_a_body_longer_than_a_megabyte_is_cut(acme, keeper):
    keep(acme.id, b"x" * (raw_events.LARGEST + 7))
    (row,) = wait_for(lambda: rows(acme.id))
    assert len(row.content) == raw_events.LARGEST
    assert row.size == raw_events.LARGEST + 7


def test_other_tenants_see_nothing(acme, globex, keeper):
    keep(acme.id)
    keep(globex.id, b"theirs")
    wait_for(lambda: rows(acme.id) and rows(globex.id))
    assert [row.content for row in rows(acme.id)] == [b"{}"]
    assert RawEvent.objects.count() == 0


def test_by_default_what_was_refused_is_wanted_and_nothing_else(acme, keeper):
    assert not raw_events.wanted(acme.id, "kept")
    for outcome in ("refused", "partly", "unknown"):
        assert raw_events.wanted(acme.id, outcome)


@pytest.mark.parametrize(
    ("wish", "kept", "refused"), [("all", True, True), ("off", False, False)]
)
def test_a_tenants_wish_is_heard_within_seconds(acme, keeper, wish, kept, refused):
    with in_tenant(acme.id):
        Tenant.objects.update(keep_raw=wish)
    wanted = raw_events.wanted
    wait_for(
        lambda: (wanted(acme.id, "kept"), wanted(acme.id, "refused")) == (kept, refused)
    )


def test_of_what_was_kept_only_a_sample_is_copied(acme, keeper):
    keeper._wishes[acme.id] = "all"
    before = dropped("sampled")
    wanted = sum(raw_events.wanted(acme.id, "kept") for _ in range(500))
    assert 50 <= wanted <= 60
    assert dropped("sampled") - before == 500 - wanted


def test_a_flood_stays_bounded_and_never_waits(acme, globex, keeper):
    """Of 200 MB of one tenant a burst is kept, and of others what they send."""
    body = b"x" * 50_000
    began = time.perf_counter()
    for _ in range(4000):
        keep(acme.id, body)
        assert keeper._bytes <= raw_events.MOST_BYTES
    seconds = time.perf_counter() - began
    keep(globex.id)
    print(f"4,000 bodies offered in {seconds:.3f} s")
    assert seconds < 2.0
    wait_for(lambda: rows(globex.id))
    wait_for(lambda: not keeper._waiting)
    with in_tenant(acme.id):
        assert 100 <= RawEvent.objects.count() <= 200
    assert dropped("share") > 3000


def test_a_queue_without_a_writer_fills_up_and_no_more(acme):
    idle = raw_events.Keeper()
    for _ in range(raw_events.MOST_WAITING + 50):
        idle.put(copy_for(uuid7(), b"x"))
    assert len(idle._waiting) == raw_events.MOST_WAITING
    fat = raw_events.Keeper()
    for _ in range(50):
        fat.put(copy_for(uuid7(), b"x" * 1_000_000))
    assert fat._bytes <= raw_events.MOST_BYTES


def copy_for(tenant_id, body: bytes) -> raw_events.Copy:
    now = time.monotonic()
    return raw_events.Copy(
        tenant_id,
        now,
        "events",
        None,
        None,
        "",
        "",
        {},
        "refused",
        [],
        len(body),
        body,
    )


def test_it_goes_on_after_its_connection_was_cut(acme, keeper, servers):
    keep(acme.id, b"first")
    wait_for(lambda: rows(acme.id))
    with closing(psycopg2.connect(**servers.superuser)) as own, own.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'alertcenter-raw'"
        )
        assert cursor.fetchall() == [(True,)]
    keep(acme.id, b"second")
    wait_for(lambda: len(rows(acme.id)) == 2)
    assert [row.content for row in rows(acme.id)] == [b"first", b"second"]


def test_while_the_database_is_away_copies_are_counted_and_gone(
    acme, keeper, monkeypatch
):
    def away(_purpose: str) -> Any:
        raise psycopg2.OperationalError("no route")

    with monkeypatch.context() as patch:
        patch.setattr(raw_events, "connect", away)
        before = dropped("database")
        keep(acme.id)
        wait_for(lambda: dropped("database") == before + 1)
    time.sleep(raw_events.RECONNECT_SECONDS)
    keep(acme.id, b"back")
    wait_for(lambda: rows(acme.id))
    assert rows(acme.id)[0].content == b"back"


def test_what_waits_is_written_at_the_end(acme):
    raw_events.start()
    for _ in range(300):
        keep(acme.id)
    raw_events.stop()
    assert len(rows(acme.id)) == 300


def test_nothing_is_wanted_or_kept_where_no_thread_runs(acme):
    assert not raw_events.wanted(acme.id, "refused")
    keep(acme.id)
    assert rows(acme.id) == []
    assert "raw" not in {thread.name for thread in threading.enumerate()}
