"""How do Opsgenie's clients keep and ping heartbeats?

https://docs.opsgenie.com/docs/heartbeat-api (reference/wire-protocols.md 3.8)
They are the tenant's heartbeats, found by name. Who may send alerts may make and ping
them: a heartbeat is an alert that its sender prevents. Who changes or ends one that is
there needs a key that may act.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.http import JsonResponse
from django.utils.text import slugify

from alertcenter.alerts import heartbeats
from alertcenter.alerts.models import Heartbeat
from alertcenter.alerts.models.heartbeat import HeartbeatState, PingKind
from alertcenter.alerts.sources.adapter import storable
from alertcenter.alerts.sources.shapes import parts, text
from alertcenter.api import limits, refusals
from alertcenter.api import opsgenie_shapes as shapes
from alertcenter.api.opsgenie import Call, actor_of, reading
from tenants.models.apikey import Scope
from tenants.rls import in_tenant

UNITS = {"minutes": 60, "hours": 3_600, "days": 86_400}
LONGEST_NAME = 100
# As many as a list shows.
MOST_HEARTBEATS = 1_000


def find(tenant_id: UUID, name: str) -> Heartbeat | None:
    """Return the heartbeat of this name. Needs the tenant's context."""
    mine = Heartbeat.objects.filter(tenant_id=tenant_id)
    return mine.filter(name=storable(name)).first()


def existing(call: Call, name: str) -> Heartbeat:
    found = find(call.key.tenant_id, name)
    if found is None:
        raise shapes.not_found(f"Heartbeat with name [{name[:100]}] does not exist")
    return found


# --- pinging ---


def ping(call: Call, name: str) -> JsonResponse:
    """…/heartbeats/<name>/ping by any method: 202, also for what is not there."""
    call.admit(Scope.INGEST)
    tenant_id = call.key.tenant_id
    with in_tenant(tenant_id):
        found = find(tenant_id, name)
    if found is not None:
        if refused := limits.LIMITS.ping(found.pk):
            raise refused
        try:
            heartbeats.ping(tenant_id, found.pk, heartbeats.Ping(PingKind.SUCCESS))
        except heartbeats.Overtaken as error:
            raise refusals.away() from error
    return call.respond(202, result="PONG - Heartbeat received")


# --- keeping ---


def admit(call: Call, scope: str) -> None:
    """As `call.admit`, for what is written: it counts as an event. Raises Refused."""
    call.admit(scope)
    limits.LIMITS.spend(call.key, limits.address_of_request(call.request), 1)


def create(call: Call) -> JsonResponse:
    admit(call, Scope.INGEST)
    data = call.body()
    name = storable(text(data.get("name")))
    if not name or len(name) > LONGEST_NAME:
        raise shapes.unprocessable("name: should have 1 to 100 characters.")
    for field in ("interval", "intervalUnit"):
        if data.get(field) is None:
            raise shapes.unprocessable(f"{field}: can not be empty.")
    with in_tenant(call.key.tenant_id):
        if find(call.key.tenant_id, name) is not None:
            raise shapes.unprocessable("name: There is already a heartbeat with it.")
        mine = Heartbeat.objects.filter(tenant_id=call.key.tenant_id)
        if mine.count() >= MOST_HEARTBEATS:
            raise shapes.unprocessable(f"name: More than {MOST_HEARTBEATS} heartbeats.")
        row = Heartbeat(
            tenant_id=call.key.tenant_id,
            name=name,
            slug=free_slug(call.key.tenant_id, name),
            grace_seconds=0,
            severity=shapes.PRIORITIES["P3"],
        )
        heartbeats.give_address(row)
        change(row, data)
        enabled = data.get("enabled", True) is not False
        heartbeats.note(row, "create", actor_of(call, data), name=name)
        if not enabled:
            heartbeats.pause(row, actor=actor_of(call, data))
    return call.respond(201, data=brief(row))


def free_slug(tenant_id: UUID, name: str) -> str:
    """Return a short name that no other heartbeat of the tenant has."""
    wanted = slugify(name)[:40] or "heartbeat"
    mine = Heartbeat.objects.filter(tenant_id=tenant_id, slug__startswith=wanted)
    taken = set(mine.values_list("slug", flat=True))
    slug, number = wanted, 1
    while slug in taken:
        number += 1
        slug = f"{wanted}-{number}"
    return slug


def change(row: Heartbeat, data: Mapping[str, Any]) -> None:
    """Write what was given into the row and save it. Raises Refused."""
    if "interval" in data or "intervalUnit" in data:
        row.period_seconds, row.cron = seconds_of(row, data), ""
    if data.get("alertPriority"):
        row.severity = shapes.prioritized({"priority": data["alertPriority"]})[
            "severity"
        ]
    if data.get("alertMessage") is not None:
        row.message = storable(text(data["alertMessage"]))[:130]
    labels = dict(row.labels)
    if isinstance(data.get("alertTags"), list):
        labels["tags"] = ", ".join(
            storable(text(tag)) for tag in parts(data, "alertTags")[:20]
        )
    if isinstance(data.get("ownerTeam"), dict):
        labels["team"] = storable(text(data["ownerTeam"].get("name")))
    if data.get("description") is not None:
        labels["description"] = storable(text(data["description"]))[:1_000]
    row.labels = {name: value for name, value in labels.items() if value}
    try:
        row.full_clean(exclude=["tenant"])
    except ValidationError as error:
        raise shapes.unprocessable("; ".join(error.messages)) from error
    row.save()


def seconds_of(row: Heartbeat, data: Mapping[str, Any]) -> int:
    """Return the interval in seconds. Raises Refused."""
    known, unit = interval_of(row)
    unit = text(data.get("intervalUnit", unit)).lower()
    if unit not in UNITS:
        raise shapes.unprocessable(
            "intervalUnit: should be one of [ minutes, hours, days ]"
        )
    given = data.get("interval", known)
    if not isinstance(given, int) or isinstance(given, bool) or not 0 < given < 10_000:
        raise shapes.unprocessable("interval: should be a number above 0")
    return given * UNITS[unit]


def interval_of(row: Heartbeat) -> tuple[int, str]:
    """Return the period in the largest unit that fits."""
    seconds = row.period_seconds or 60
    for unit in ("days", "hours"):
        if seconds % UNITS[unit] == 0:
            return seconds // UNITS[unit], unit
    return max(1, seconds // 60), "minutes"


def update(call: Call, name: str) -> JsonResponse:
    admit(call, Scope.ACT)
    data = call.body()
    with in_tenant(call.key.tenant_id):
        row = existing(call, name)
        change(row, data)
        heartbeats.reschedule(row)
        heartbeats.note(row, "change", actor_of(call, data))
        enabled = data.get("enabled")
        if isinstance(enabled, bool) and enabled != row.enabled:
            deed = heartbeats.resume if enabled else heartbeats.pause
            deed(row, actor=actor_of(call, data))
    return call.respond(200, data=brief(row))


def delete(call: Call, name: str) -> JsonResponse:
    admit(call, Scope.ACT)
    with in_tenant(call.key.tenant_id):
        row = existing(call, name)
        told = brief(row)
        heartbeats.remove(row, actor=actor_of(call, {}))
    return call.respond(200, result="Deleted", data=told)


def switch(on: bool) -> Any:
    """Return the endpoint that enables or disables."""

    def run(call: Call, name: str) -> JsonResponse:
        admit(call, Scope.ACT)
        with in_tenant(call.key.tenant_id):
            row = existing(call, name)
            if row.enabled != on:
                deed = heartbeats.resume if on else heartbeats.pause
                deed(row, actor=actor_of(call, {}))
        return call.respond(200, data=brief(row))

    return run


# --- reading ---


@reading
def get(call: Call, name: str) -> JsonResponse:
    return call.respond(200, data=whole(existing(call, name)))


@reading
def list_all(call: Call) -> JsonResponse:
    rows = Heartbeat.objects.filter(tenant_id=call.key.tenant_id)
    return call.respond(
        200, data={"heartbeats": [whole(row) for row in rows[:MOST_HEARTBEATS]]}
    )


def brief(row: Heartbeat) -> dict[str, Any]:
    return {
        "name": row.name,
        "enabled": row.enabled,
        "expired": row.state == HeartbeatState.DOWN,
    }


def whole(row: Heartbeat) -> dict[str, Any]:
    count, unit = interval_of(row)
    return {
        **brief(row),
        "description": row.labels.get("description", ""),
        "interval": count,
        "intervalUnit": unit,
        "ownerTeam": {"id": "", "name": row.labels.get("team", "")},
        "alertMessage": row.message,
        "alertTags": [tag for tag in row.labels.get("tags", "").split(", ") if tag],
        "alertPriority": shapes.BY_SEVERITY.get(row.severity, "P3"),
        "lastPingTime": shapes.as_time(row.last_ping_at),
    }
