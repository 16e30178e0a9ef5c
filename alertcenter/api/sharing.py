"""How do several processes keep to one limit, and who hears that it was passed?

One thread: it tells Redis what was taken here and hears what was taken elsewhere, reads
the tenants' limits, writes down their use, and raises an alert in a tenant that passes
its limit. Nothing waits for it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg2
import redis
from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _
from psycopg2.extras import execute_values
from redis.backoff import NoBackoff
from redis.retry import Retry

from alertcenter.alerts import intake
from alertcenter.alerts.events import Event, Parsed
from alertcenter.alerts.severity import WARNING
from alertcenter.alerts.writer import connect
from alertcenter.api.limits import LIMITS, Limits, Name, Quota, Use
from alertcenter.common.ids import uuid7
from tenants.rls import SET_CONTEXT, as_literal

log = logging.getLogger(__name__)

SHARE_SECONDS = 0.2
RELOAD_SECONDS = 2.0
WRITE_SECONDS = 5.0
REDIS_SECONDS = 0.25
CLOSED_SECONDS = 1.0
FORGET_SECONDS = 120
DAYS_OF_USE = 40
# While the limit is passed the alert is said again; unsaid so long, it ends.
SAY_SECONDS = 60.0
ACCEPT_SECONDS = 2.0
ALERT_SECONDS = 600
ALERT_KEY = "alertcenter/events-a-second"

LOAD = """
SELECT id, events_per_second, key_events_per_second, address_events_per_second, language
FROM tenant
"""
WRITE = """
INSERT INTO usage AS u (tenant_id, hour, events, refused) VALUES %s
ON CONFLICT (tenant_id, hour) DO UPDATE
  SET events = u.events + excluded.events, refused = u.refused + excluded.refused
"""
FORGET = f"DELETE FROM usage WHERE hour < now() - interval '{DAYS_OF_USE} days'"
AUDIT = """
INSERT INTO audit (tenant_id, at, actor_kind, actor_id, actor_label, action,
  object_kind, object_id, data, correlation_id)
VALUES (%s, now(), 'engine', '', 'AlertCenter', 'limit.pass', 'tenant', %s, '{}', '')
"""


class Sharing:
    """The thread, and what it knows of the others."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._stopping = threading.Event()
        self._redis: Any = None
        self._redis_closed_until = 0.0
        self._heard: dict[Name, int] = {}
        self._connection: Any = None
        self._languages: Mapping[UUID, str] = {}
        self._seen: set[UUID] = set()
        self._said: dict[UUID, float] = {}
        self._thread = threading.Thread(target=self._run, name="limits", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Write down what is still to be written, and end."""
        self._stopping.set()
        self._thread.join(5)

    def _run(self) -> None:
        reload_at = write_at = time.monotonic()
        while not self._stopping.wait(SHARE_SECONDS):
            self._safely(self.share)
            now = time.monotonic()
            if now >= reload_at:
                reload_at = now + RELOAD_SECONDS
                self._safely(self.reload)
                self._safely(self.say)
            if now >= write_at:
                write_at = now + WRITE_SECONDS
                self._safely(self.write)
        self._safely(self.write)
        self._close()

    def _safely(self, work: Any) -> None:
        try:
            work()
        except psycopg2.Error as error:
            log.warning("limits_wait", extra={"error": str(error).split("\n")[0]})
            self._close()
        except Exception:
            log.exception("limits_failed")
            self._close()

    # --- with the other processes ---

    def share(self) -> None:
        """Tell what was taken here, and take what was taken elsewhere."""
        spent, self._limits.spent = self._limits.spent, {}
        if time.monotonic() < self._redis_closed_until:
            return
        names = list(spent)
        try:
            totals = self._add(names, [spent[name] for name in names])
        except (redis.RedisError, OSError):
            self._redis_closed_until = time.monotonic() + CLOSED_SECONDS
            self._limits.share = 1 / settings.WEB_CONCURRENCY
            self._heard = {}
            return
        self._limits.share = 1.0
        for name, total in zip(names, totals, strict=True):
            before = self._heard.get(name, total - spent[name])
            others = total - before - spent[name]
            bucket = self._limits.buckets.get(name)
            if bucket is not None and others > 0:
                bucket.left -= others
            self._heard[name] = total
        if len(self._heard) > len(self._limits.buckets) + 1_000:
            self._heard = {
                name: total
                for name, total in self._heard.items()
                if name in self._limits.buckets
            }

    def _add(self, names: list[Name], amounts: list[int]) -> list[int]:
        if self._redis is None:
            self._redis = redis.Redis.from_url(
                settings.REDIS_URL,
                socket_timeout=REDIS_SECONDS,
                socket_connect_timeout=REDIS_SECONDS,
                retry=Retry(NoBackoff(), 0),
            )
        with self._redis.pipeline(transaction=False) as pipeline:
            for (kind, name), amount in zip(names, amounts, strict=True):
                place = f"ac:limit:{kind}:{name}"
                pipeline.incrby(place, amount)
                pipeline.expire(place, FORGET_SECONDS)
            if not names:
                pipeline.ping()
                pipeline.ping()
            answers = pipeline.execute()
        return [int(total) for total in answers[::2]] if names else []

    # --- with the database ---

    def reload(self) -> None:
        """Read the limits of the tenants that were seen."""
        self._seen |= set(self._limits.used)
        if not self._seen:
            return
        usual = self._limits.usual
        quotas, languages = {}, {}
        with self._transaction(self._seen) as cursor:
            cursor.execute(LOAD)
            for tenant_id, tenant, key, address, language in cursor.fetchall():
                quotas[UUID(str(tenant_id))] = Quota(
                    usual.tenant if tenant is None else tenant,
                    usual.key if key is None else key,
                    usual.address if address is None else address,
                )
                languages[UUID(str(tenant_id))] = language
        self._limits.quotas, self._languages = quotas, languages
        self._seen = set(quotas)

    def write(self) -> None:
        """Write down what came since the last time."""
        used, self._limits.used = self._limits.used, {}
        used = {t: use for t, use in used.items() if use.events or use.refused}
        if not used:
            return
        self._seen |= set(used)
        hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        rows = [(str(t), hour, use.events, use.refused) for t, use in used.items()]
        try:
            with self._transaction(set(used)) as cursor:
                execute_values(cursor, WRITE, sorted(rows))
                cursor.execute(FORGET)
        except psycopg2.Error:
            for tenant_id, use in used.items():
                kept = self._limits.used.setdefault(tenant_id, Use())
                kept.events += use.events
                kept.refused += use.refused
            raise

    def _transaction(self, tenants: set[UUID]) -> Any:
        if self._connection is None:
            self._connection = connect("limits")
        return Transaction(self._connection, tenants)

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    # --- with people ---

    def say(self) -> None:
        """Raise an alert in each tenant that passes its limit; one for all processes,
        as they all name it alike."""
        breached, self._limits.breached = self._limits.breached, {}
        now = time.monotonic()
        for tenant_id, what in breached.items():
            if now - self._said.get(tenant_id, -SAY_SECONDS) < SAY_SECONDS:
                continue
            parsed = Parsed()
            parsed.add(0, self._event(tenant_id, what))
            try:
                outcome = intake.accept(
                    tenant_id, parsed, correlation_id=uuid7().hex, scope="alertcenter"
                ).result(ACCEPT_SECONDS)
            except (intake.DatabaseAway, intake.Overloaded, TimeoutError):
                self._limits.breached.setdefault(tenant_id, what)  # the next time
                continue
            self._said[tenant_id] = now
            if outcome.changed:
                with self._transaction({tenant_id}) as cursor:
                    cursor.execute(AUDIT, [str(tenant_id), str(tenant_id)])

    def _event(self, tenant_id: UUID, what: str) -> Event:
        quota = self._limits.quotas.get(tenant_id, self._limits.usual)
        rate = quota.key if what == "key" else quota.tenant
        with translation.override(self._languages.get(tenant_id, "en")):
            title = _("More events come in than the limit of %(rate)s a second") % {
                "rate": rate
            }
            words = _(
                "What is more is refused with 429 and must be sent again. Send "
                "less, or let an operator raise the limit (Tenants, How much is taken)."
            )
        return Event(
            labels={"alertname": "EventsPerSecond", "limit": what},
            title=title,
            severity=WARNING,
            source="alertcenter",
            annotations={"description": words},
            key=ALERT_KEY,
            ttl_seconds=ALERT_SECONDS,
        )


class Transaction:
    """Everything inside is one transaction in the context of `tenants`."""

    def __init__(self, connection: Any, tenants: set[UUID]) -> None:
        self._cursor = connection.cursor()
        self._tenants = tenants

    def __enter__(self) -> Any:
        self._cursor.execute("BEGIN")
        self._cursor.execute(SET_CONTEXT, [as_literal(self._tenants)])
        return self._cursor

    def __exit__(self, kind: object, *_rest: object) -> None:
        # After an error the connection is thrown away, and the transaction with it.
        if kind is None:
            self._cursor.execute("COMMIT")
        self._cursor.close()


_sharing: Sharing | None = None


def start() -> None:
    """Begin, once in a process."""
    global _sharing
    if _sharing is None:
        _sharing = Sharing(LIMITS)
        _sharing.start()


def stop() -> None:
    """Write down the rest, and end."""
    global _sharing
    sharing, _sharing = _sharing, None
    if sharing is not None:
        sharing.stop()
