"""How is a year lived through in minutes? From one moment at which something happens to
the next, with the engine's own jobs at each, until nothing is due.

Everything goes the real way: events through the intake, acts through
escalation/actions.py, steps through the dispatcher. Messages are not sent: whatever
may leave by now is marked as sent, so that an act cancels only what is still to come.
"""

from __future__ import annotations

import heapq
import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

import psycopg2
import pytest
from django.core.management import call_command
from django.db import connection

from alertcenter import flow
from alertcenter.alerts import intake, silence_sweep
from alertcenter.alerts.heartbeat_sweep import sweep_overdue
from alertcenter.alerts.severity import NAMES
from alertcenter.alerts.sources import own_json
from alertcenter.dashboard import relay
from alertcenter.engine import (
    all_tenants_do,
    beat,
    expire,
    make_partitions,
    sweep_silences,
    tidy_labels,
)
from escalation import acting, actions, dispatcher, flaps, flushes, storms
from notifications import digests, personal, standing_in
from tenants.actors import Actor
from tenants.rls import in_tenant
from tests.conftest import login_as
from tests.servers import SERVERS, Servers
from tests.timemachine.build import Built, build
from tests.timemachine.clock import Clock
from tests.timemachine.world import Act, Incident, World

SOMEBODY = Actor("member", "1", "somebody")
ACTS: dict[str, Callable[..., list[acting.Outcome]]] = {
    "acknowledge": actions.acknowledge,
    "unacknowledge": actions.unacknowledge,
    "resolve": actions.resolve,
}
# How often the engine's other jobs have their turn; partitions are made a week ahead.
PATROL = timedelta(days=3)
TIDIED_EACH = 400  # stops
GROWING = ("due_step", "feed", "delivery", "alert", "alert_group", "group_alert", "run")

SENT = """
UPDATE delivery SET state = 'sent', sent_at = next_at
WHERE state = 'pending' AND next_at <= now()
"""
# What only tells screens of a group waits for the next alert, or for the patrol: half
# of the year's work would be screens at which nobody sits.
WAITING = """
SELECT EXISTS (SELECT FROM feed WHERE shard >= 0 AND (alert_id IS NOT NULL OR %s)),
  EXISTS (SELECT FROM due_step WHERE state = 'due' AND due_at <= now()),
  EXISTS (SELECT FROM flush WHERE due_at <= now()),
  EXISTS (SELECT FROM due_step WHERE state = 'ack' AND due_at <= now()),
  EXISTS (SELECT FROM silence WHERE next_change_at <= now())
"""
# What a silence holds is looked at again each two minutes, in case that its end was
# missed. Here nobody looks: it has to come with the end.
NEXT = """
SELECT least((SELECT min(due_at) FROM due_step
    WHERE state = 'ack' OR state = 'due' AND held = ''),
  (SELECT min(next_change_at) FROM silence),
  (SELECT min(due_at) FROM flush))
"""
OPENED = """
SELECT labels ->> 'incident', id FROM alert_group
WHERE tenant_id = %s AND opened_at = now()
"""


@dataclass(frozen=True)
class Done:
    """One line of the ledger: what was done to which incident when."""

    incident: str
    kind: str
    at: datetime
    outcome: str


@dataclass
class Year:
    """What came of it: the ledger, and which group is whose."""

    built: dict[str, Built]
    ledger: list[Done] = field(default_factory=list)
    groups: dict[str, UUID] = field(default_factory=dict)
    stops: int = 0
    spent: dict[str, float] = field(default_factory=lambda: defaultdict(float))


class Driver:
    """Moves the clock; `raw` sees every tenant, to look and to tidy up."""

    def __init__(self, world: World, clock: Clock) -> None:
        self.world, self.clock = world, clock
        self.year = Year({})
        self.raw: Any = None
        self.to_come: list[tuple[datetime, int, Incident, Act | None]] = []
        self.tidied = clock.now

    def go(self, say: Callable[[str], None]) -> Year:
        """Live through the whole of it."""
        with pytest.MonkeyPatch.context() as patch:
            # Nobody looks at a screen, and nobody changes how he wants to be told.
            patch.setattr(flow, "show", lambda _changed: None)
            patch.setattr(personal, "read", cache(personal.read))
            return self._go(say)

    def _go(self, say: Callable[[str], None]) -> Year:
        with login_as("owner"):
            call_command("migrate", interactive=False, verbosity=0)
        connection.close()
        with login_as("engine"), self._looking(), _intake():
            self.year.built = build(self.world)
            for number, one in enumerate(self.world.incidents):
                heapq.heappush(self.to_come, (one.opens, -number - 1, one, None))
                for act in one.acts:
                    heapq.heappush(self.to_come, (act.at, len(self.to_come), one, act))
            self.everything()
            begun, month = time.monotonic(), self.clock.now.month
            while (following := self.following()) is not None:
                self.stop_at(following)
                if self.clock.now.month != month:
                    month = self.clock.now.month
                    took = time.monotonic() - begun
                    say(f"{self.clock.now:%F} {self.year.stops} stops {took:.0f} s")
        return self.year

    @contextmanager
    def _looking(self) -> Iterator[None]:
        with superuser(SERVERS) as cursor:
            self.raw = cursor
            yield

    def following(self) -> datetime | None:
        """Return the next moment at which anything happens."""
        ((due,),) = self.ask(NEXT)
        planned = self.to_come[0][0] if self.to_come else None
        return min((at for at in (due, planned) if at is not None), default=None)

    def stop_at(self, moment: datetime) -> None:
        """Go there, and do all there is to do."""
        self.year.stops += 1
        moment = max(moment, self.clock.now)
        if moment - self.tidied >= PATROL:
            self._patrol(moment)
        self.clock.move(moment)
        with self.timed("sent"):
            self.ask(SENT)
        opening: list[Incident] = []
        acting: dict[tuple[str, str], list[Incident]] = defaultdict(list)
        while self.to_come and self.to_come[0][0] <= moment:
            _at, _number, incident, act = heapq.heappop(self.to_come)
            if act is None:
                opening.append(incident)
            else:
                acting[act.kind, incident.tenant].append(incident)
        for (kind, tenant), incidents in acting.items():
            with self.timed(kind):
                self._do(kind, tenant, incidents)
        if opening:
            with self.timed("opening"):
                self._send([(one, "firing") for one in opening])
        self.until_nothing_is_due()
        if opening:
            self._note_groups(opening)
        if self.year.stops % TIDIED_EACH == 0:
            with self.timed("tidying"):
                self.ask(f"VACUUM (ANALYZE) {', '.join(GROWING)}")

    def until_nothing_is_due(self, *, screens: bool = False) -> None:
        """Let the jobs that wake at a notice work."""
        while True:
            ((fed, due, flushed, lapsed, turned),) = self.ask(WAITING, [screens])
            if not (fed or due or flushed or lapsed or turned):
                return
            if turned:
                with self.timed("silences"):
                    sweep_silences()
                    # It changed groups, not alerts: no screen's business only.
                    while flow.process_feed():
                        pass
            if lapsed:
                with self.timed("lapsed"):
                    forgotten()
            if fed:
                with self.timed("flow"):
                    flow.process_feed()
            if due:
                with self.timed("steps"):
                    dispatcher.do_due_steps()
            if flushed:
                with self.timed("flushes"):
                    flushes.do_due()

    def _patrol(self, moment: datetime) -> None:
        """Do now and then what the engine does every few seconds or hours."""
        while moment - self.tidied >= PATROL:
            self.tidied += PATROL
            if self.tidied > self.clock.now:
                self.clock.move(self.tidied)
            with self.timed("patrol"):
                self.ask(SENT)
                self.everything()
                self.until_nothing_is_due(screens=True)

    def everything(self) -> None:
        """Let each of the engine's other jobs work once."""
        make_partitions()
        all_tenants_do(expire)()
        all_tenants_do(lambda _: actions.wake_snoozed())()
        all_tenants_do(sweep_overdue)()
        all_tenants_do(flaps.sweep)()
        all_tenants_do(lambda _: relay.prune())()
        all_tenants_do(lambda _: flushes.prune())()
        sweep_silences()
        silence_sweep.end_gone()
        storms.sweep()
        standing_in.sweep()
        digests.sweep()
        flow.unpark()
        flow.redraw_grown()
        tidy_labels()
        beat([])

    # --- what happens ---

    def _do(self, kind: str, tenant: str, incidents: list[Incident]) -> None:
        """Do one thing to all that it is done to now, as who marks them on a screen."""
        if kind == "ended":
            self._send([(one, "resolved") for one in incidents])
            return
        if kind == "expired":
            # After its time, not at it.
            self.clock.move(self.clock.now + timedelta(milliseconds=1))
            all_tenants_do(expire)()
            for one in incidents:
                self._write(one, kind, "done")
            return
        tenant_id = self.year.built[tenant].tenant_id
        groups = [self.year.groups[one.key] for one in incidents]
        with in_tenant(tenant_id):
            outcomes = ACTS[kind](tenant_id, groups, actor=SOMEBODY)
        for one, outcome in zip(incidents, outcomes, strict=True):
            self._write(one, kind, outcome.reason)

    def _send(self, said: list[tuple[Incident, str]]) -> None:
        """Send events, those of one tenant as one request."""
        waiting = []
        for key, built in self.year.built.items():
            events = [_event(one, status) for one, status in said if one.tenant == key]
            if events:
                parsed = own_json.parse(json.dumps(events).encode())
                assert not parsed.errors, parsed.errors
                waiting.append(
                    intake.accept(built.tenant_id, parsed, correlation_id="year")
                )
        for answer in waiting:
            answer.result(30)
        for one, status in said:
            self._write(one, "opened" if status == "firing" else "ended", "done")

    def _write(self, incident: Incident, kind: str, outcome: str) -> None:
        self.year.ledger.append(Done(incident.key, kind, self.clock.now, outcome))

    def _note_groups(self, opened: list[Incident]) -> None:
        for key in {one.tenant for one in opened}:
            rows = self.ask(OPENED, [str(self.year.built[key].tenant_id)])
            self.year.groups.update(rows)

    # --- looking ---

    def ask(self, query: str, values: Any = None) -> list[Any]:
        """Ask past every policy."""
        self.raw.execute(query, values)
        return self.raw.fetchall() if self.raw.description else []

    @contextmanager
    def timed(self, what: str) -> Iterator[None]:
        begun = time.perf_counter()
        try:
            yield
        finally:
            self.year.spent[what] += time.perf_counter() - begun


@contextmanager
def superuser(servers: Servers) -> Iterator[Any]:
    """Yield a cursor that sees every tenant."""
    own = psycopg2.connect(**servers.superuser)
    own.autocommit = True
    try:
        with own.cursor() as cursor:
            yield cursor
    finally:
        own.close()


@contextmanager
def _intake() -> Iterator[None]:
    intake.start()
    try:
        yield
    finally:
        intake.stop()


def forgotten() -> None:
    """Let acknowledgements end, as the engine does."""
    all_tenants_do(lambda _: actions.repage_forgotten())()


def _event(incident: Incident, status: str) -> dict[str, Any]:
    event: dict[str, Any] = {
        "title": f"Incident {incident.key}",
        "severity": NAMES[incident.severity],
        "status": status,
        "labels": {"incident": incident.key, "team": incident.team},
    }
    if incident.expires_in and status == "firing":
        event["expires_in"] = incident.expires_in
    return event
