"""Is anybody at work? What the web says of the engine, which may be unable to.

Read from the dispatchers' own rows, by the database's clock, when it is asked: figures
that a stopped process wrote last would look well for ever.
"""

from __future__ import annotations

from typing import NamedTuple

from django.db import DatabaseError, connection, transaction
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from escalation.auditor import ROW, SILENT_SECONDS

ROWS = """
SELECT process, extract(epoch FROM now() - at)::float8, coalesce(data ->> 'stuck', ''),
  process = %s, coalesce((data ->> 'clean')::boolean, true)
FROM engine_heartbeat WHERE at > now() - interval '1 hour' OR process = %s
ORDER BY process
"""


class Heard(NamedTuple):
    """A process of the engine, or the auditor: when it was last heard of."""

    process: str
    seconds: float
    stuck: str
    is_auditor: bool
    clean: bool

    @property
    def well(self) -> bool:
        return self.seconds <= SILENT_SECONDS and not self.stuck


def heard() -> list[Heard]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(ROWS, [ROW, ROW])
        return [Heard(*row) for row in cursor.fetchall()]


def sentence() -> str:
    """Return what is wrong with the engine, "" when nothing is."""
    rows = heard()
    dispatchers = [row for row in rows if not row.is_auditor]
    if not rows or any(row.well for row in dispatchers):
        return ""
    return "No dispatcher is at work: alerts are taken, but nobody is paged."


def figures() -> bytes:
    """Return the figures for Prometheus; none while the database is away."""
    registry = CollectorRegistry()
    unknown = float("nan")
    states = Gauge(
        "alertcenter_dispatchers",
        "Dispatchers heard of within an hour: well, silent for 30 s, or stuck.",
        ["state"],
        registry=registry,
    )
    seen = Gauge(
        "alertcenter_dispatcher_silence_seconds",
        "For how long nothing was heard of a dispatcher.",
        ["process"],
        registry=registry,
    )
    audit = Gauge(
        "alertcenter_audit_age_seconds",
        "When the auditor last looked; it does so every 20 seconds.",
        registry=registry,
    )
    clean = Gauge(
        "alertcenter_audit_clean",
        "1 when the auditor found nothing wrong, at its last look.",
        registry=registry,
    )
    try:
        rows = heard()
    except DatabaseError:
        return b""
    audit.set(unknown)
    clean.set(unknown)
    for state in ("well", "silent", "stuck"):
        states.labels(state).set(0)
    for row in rows:
        if row.is_auditor:
            audit.set(row.seconds)
            clean.set(row.clean)
            continue
        seen.labels(row.process).set(row.seconds)
        state = "well" if row.well else "stuck" if row.stuck else "silent"
        states.labels(state).inc()
    return bytes(generate_latest(registry))
