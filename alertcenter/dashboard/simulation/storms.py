"""How does a storm run? In one bounded thread that posts as a Prometheus does.

It goes through the front door: HTTP to our own Alertmanager endpoint, with a key
made for it. Like Prometheus it repeats what fires, in batches of at most 64. One
storm a tenant; it ends by itself, or when stopped, by resolving all it fired.
"""

from __future__ import annotations

import json
import logging
import random
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count

from alertcenter.alerts.models import Alert, GroupAlert
from alertcenter.dashboard.setup import STORM_KEY
from alertcenter.dashboard.simulation.press import own_address
from alertcenter.dashboard.simulation.scenarios import Act, Labels, Scenario
from notifications.models import Delivery
from tenants import apikeys
from tenants.access import Membership
from tenants.models import ApiKey
from tenants.rls import in_tenant

log = logging.getLogger(__name__)

BATCH = 64  # as many as Prometheus puts into one request
REPEAT_SECONDS = 15.0
TICK_SECONDS = 0.25
LONGEST_SECONDS = 600.0
MOST_STORMS = 3
SPEEDS = (1, 4, 10)
FIRING_FOR = timedelta(minutes=5)


@dataclass
class Storm:
    """One storm at work, and what it has done so far."""

    id: str
    tenant_id: UUID
    slug: str
    scenario: Scenario
    speed: int
    key: str
    key_row: ApiKey
    started_at: datetime
    begun: float = field(default_factory=time.monotonic)
    sent: int = 0
    errors: int = 0
    firing: dict[str, Act] = field(default_factory=dict)
    since: dict[str, datetime] = field(default_factory=dict)
    over: bool = False
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self.begun


_storms: dict[UUID, Storm] = {}
_lock = threading.Lock()


class Busy(Exception):
    """A storm already runs here, or enough of them do elsewhere."""


def start(who: Membership, scenario: Scenario, speed: int) -> Storm:
    """Start a storm in the tenant. Raises Busy."""
    with _lock:
        running = [storm for storm in _storms.values() if not storm.over]
        here = _storms.get(who.tenant_id)
        if (here and not here.over) or len(running) >= MOST_STORMS:
            raise Busy
        storm = _prepared(who, scenario, speed)
        _storms[who.tenant_id] = storm
    name = f"storm-{who.slug}"
    threading.Thread(target=_run, args=[storm], name=name, daemon=True).start()
    return storm


def stop(tenant_id: UUID) -> None:
    """Ask the tenant's storm to end; it resolves what it fired."""
    storm = _storms.get(tenant_id)
    if storm is not None:
        storm.stop.set()


def current(tenant_id: UUID) -> Storm | None:
    """Return the tenant's last storm, running or over."""
    return _storms.get(tenant_id)


def status(storm: Storm) -> dict[str, Any]:
    """Return how far a storm is, with its funnel; needs the tenant's context."""
    return {
        "id": storm.id,
        "title": str(storm.scenario.title),
        "seconds": storm.scenario.seconds,
        "elapsed": round(storm.elapsed),
        "speed": storm.speed,
        "running": not storm.over,
        "firing": len(storm.firing),
        "errors": storm.errors,
        "funnel": funnel(storm),
    }


def funnel(storm: Storm) -> dict[str, int]:
    """Return how many messages became how many alerts, groups and pages."""
    alerts = Alert.objects.filter(
        tenant_id=storm.tenant_id, labels__contains={"storm": storm.id}
    )
    groups = set(
        GroupAlert.objects.filter(
            tenant_id=storm.tenant_id, alert__in=alerts.values("pk")
        ).values_list("group_id", flat=True)
    )
    pages = Delivery.objects.filter(
        tenant_id=storm.tenant_id,
        group_id__in=groups,
        kind="page",
        created_at__gte=storm.started_at,
    ).exclude(state="cancelled")
    return {
        "ingested": storm.sent,
        "alerts": alerts.aggregate(n=Count("id"))["n"],
        "groups": len(groups),
        "notifications": pages.count(),
    }


# --- the thread ---


def _prepared(who: Membership, scenario: Scenario, speed: int) -> Storm:
    with in_tenant(who.tenant_id):
        row, plaintext = apikeys.mint(
            who.tenant_id,
            STORM_KEY,
            ["ingest"],
            actor=who.actor,
            expires_at=datetime.now(UTC) + timedelta(seconds=2 * LONGEST_SECONDS),
        )
    return Storm(
        id=f"{scenario.slug}-{datetime.now(UTC):%H%M%S}",
        tenant_id=who.tenant_id,
        slug=who.slug,
        scenario=scenario,
        speed=speed,
        key=plaintext,
        key_row=row,
        started_at=datetime.now(UTC) - timedelta(seconds=1),
    )


def _run(storm: Storm) -> None:
    try:
        _play(storm)
        _resolve_all(storm)
        _drop_key(storm)
    finally:
        storm.over = True
        connection.close()


def _play(storm: Storm) -> None:
    """Send each act at its second, and all that fires again every 15 s."""
    acts = sorted(
        storm.scenario.script(random.Random(storm.id)),  # noqa: S311 - a play's dice
        key=lambda act: act.second,
    )
    repeated = 0.0
    while not storm.stop.is_set() and storm.elapsed < LONGEST_SECONDS:
        now = storm.elapsed
        due = [act for act in acts if act.second <= now * storm.speed]
        acts = acts[len(due) :]
        changed = [_note(storm, act) for act in due]
        if now - repeated >= REPEAT_SECONDS:
            repeated = now
            changed = list({_name(a.labels): a for a in changed}.values())
            known = {_name(act.labels) for act in changed}
            changed += [a for name, a in storm.firing.items() if name not in known]
        _send(storm, changed)
        storm.stop.wait(TICK_SECONDS)


def _note(storm: Storm, act: Act) -> Act:
    """Remember what fires since when."""
    labels = act.labels | {"storm": storm.id}
    noted = Act(act.second, labels, act.summary, act.firing)
    name = _name(labels)
    if act.firing:
        storm.firing[name] = noted
        storm.since[name] = datetime.now(UTC)
    else:
        storm.firing.pop(name, None)
    return noted


def _resolve_all(storm: Storm) -> None:
    over = [Act(0, a.labels, a.summary, False) for a in storm.firing.values()]
    storm.firing.clear()
    _send(storm, over)


def _send(storm: Storm, acts: list[Act]) -> None:
    for start_at in range(0, len(acts), BATCH):
        batch = [_wire(storm, act) for act in acts[start_at : start_at + BATCH]]
        if _post(storm, batch):
            storm.sent += len(batch)
        else:
            storm.errors += 1


def _wire(storm: Storm, act: Act) -> dict[str, Any]:
    """Return one alert as Prometheus writes it."""
    now = datetime.now(UTC)
    since = storm.since.get(_name(act.labels), now)
    ends = now + FIRING_FOR if act.firing else now
    return {
        "labels": act.labels,
        "annotations": {"summary": act.summary},
        "startsAt": since.isoformat(),
        "endsAt": ends.isoformat(),
        "generatorURL": "http://prometheus.example.com/graph",
    }


def _post(storm: Storm, batch: list[dict[str, Any]]) -> bool:
    request = urllib.request.Request(  # noqa: S310 - our own loopback address
        f"{own_address()}/t/{storm.slug}/api/v2/alerts",
        json.dumps(batch).encode(),
        {
            "Content-Type": "application/json",
            "Authorization": f"Bearer {storm.key}",
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=10):  # noqa: S310
            return True
    except OSError as error:  # HTTPError and URLError are OSErrors
        log.warning("storm.refused", extra={"error": str(error)})
        return False


def _drop_key(storm: Storm) -> None:
    with in_tenant(storm.tenant_id):
        storm.key_row.delete()


def _name(labels: Labels) -> str:
    return json.dumps(labels, sort_keys=True)
