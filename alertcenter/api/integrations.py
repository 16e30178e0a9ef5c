"""How much came from which tool? Written about once a second, off the senders' road.

What a tool sends with a key that belongs to no integration makes one, named after its
source: whoever sends is found in the admin.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg2

from alertcenter.alerts.sources import registry
from alertcenter.alerts.writer import connect
from tenants.apikeys import KeyInfo
from tenants.rls import SET_CONTEXT, as_literal

log = logging.getLogger(__name__)

FLUSH_SECONDS = 1.0
# Of tenant and source; beyond it, what more came in this second is not counted.
MOST_LINES = 10_000

KNOWN = """
UPDATE integration SET events = events + %s, not_understood = not_understood + %s,
  last_event_at = now()
WHERE tenant_id = %s AND id = %s
"""
NAMELESS = """
INSERT INTO integration AS i (id, tenant_id, slug, name, source, settings, events,
  not_understood, last_event_at)
VALUES (uuidv7(), %s, %s, %s, %s, '{}', %s, %s, now())
ON CONFLICT (tenant_id, slug) DO UPDATE SET
  events = i.events + excluded.events,
  not_understood = i.not_understood + excluded.not_understood,
  last_event_at = now()
"""


@dataclass(slots=True)
class Line:
    """What came from one tool since the last time."""

    events: int = 0
    not_understood: int = 0


class Use:
    """Counts by tenant and integration, and the thread that writes them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lines: dict[tuple[UUID, UUID | None, str], Line] = {}
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._connection: Any = None

    def start(self) -> None:
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="use", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Write what is counted, then end."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(5)
        self._thread = None

    def note(
        self, key: KeyInfo, source: str, events: int, not_understood: int = 0
    ) -> None:
        """Count what came; never waits for the database."""
        name = (key.tenant_id, key.origin.id if key.origin else None, source)
        with self._lock:
            line = self._lines.get(name)
            if line is None:
                if len(self._lines) >= MOST_LINES:
                    return
                line = self._lines[name] = Line()
            line.events += events
            line.not_understood += not_understood

    def flush(self) -> None:
        """Write what was counted. Raises psycopg2.Error; then it is counted again."""
        with self._lock:
            lines, self._lines = self._lines, {}
        # In one order always, so that two processes never wait for each other.
        for name in sorted(lines, key=str):
            try:
                self._write(name, lines[name])
            except psycopg2.IntegrityError:
                log.info("use_of_a_deleted_tenant")
            except psycopg2.Error:
                self._close()
                self._count_again(lines)
                raise
            del lines[name]

    def _count_again(self, lines: dict[tuple[UUID, UUID | None, str], Line]) -> None:
        with self._lock:
            for name, line in lines.items():
                known = self._lines.setdefault(name, Line())
                known.events += line.events
                known.not_understood += line.not_understood

    def _run(self) -> None:
        while not self._stopping.wait(FLUSH_SECONDS):
            self._flush_quietly()
        self._flush_quietly()
        self._close()

    def _flush_quietly(self) -> None:
        try:
            self.flush()
        except psycopg2.Error as error:
            log.warning("use_not_written", extra={"error": str(error).split("\n")[0]})
        except Exception:
            # The thread outlives whatever one line does to it.
            log.exception("use_failed")

    def _write(self, name: tuple[UUID, UUID | None, str], line: Line) -> None:
        if self._connection is None:
            self._connection = connect("use")
            self._connection.autocommit = False
        tenant_id, integration_id, source = name
        tenant, counts = str(tenant_id), (line.events, line.not_understood)
        with self._connection, self._connection.cursor() as cursor:
            cursor.execute(SET_CONTEXT, [as_literal([tenant_id])])
            if integration_id is None:
                title = title_of(source)
                cursor.execute(NAMELESS, (tenant, source, title, source, *counts))
            else:
                cursor.execute(KNOWN, (*counts, tenant, str(integration_id)))

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None


def title_of(source: str) -> str:
    """Return what people call a source."""
    adapter = registry.find(source)
    return adapter.title if adapter else source.replace("_", " ").capitalize()


USE = Use()
