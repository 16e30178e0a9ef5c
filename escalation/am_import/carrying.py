"""How is alertmanager.yml brought into a tenant? All of it in one transaction."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from secrets import token_hex
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import Func

from alertcenter.alerts import quiet, requiet, route_changes
from alertcenter.alerts.am_parts import Remark
from alertcenter.alerts.am_reading import read_config
from alertcenter.alerts.am_yaml import Document, YamlError, read
from alertcenter.alerts.models import InhibitRule, Route, RouteChannel, TimeInterval
from alertcenter.common.crypto import SealBroken
from escalation.am_import.actions import CREATE, LEAVE, Action, Existing, Plan
from escalation.am_import.plan import plan_of
from escalation.am_import.reading import place_of_secret
from escalation.am_import.tools import LEADS_BY
from notifications.models import Channel
from tenants import audit
from tenants.actors import Actor
from tenants.fields import reveal

MODELS: dict[str, Any] = {
    "interval": TimeInterval,
    "inhibition": InhibitRule,
    "channel": Channel,
    "route": Route,
}
# One import at a time for each tenant: the second one sees what the first one made.
LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"

CLOCK: Any = Func(function="clock_timestamp")


def planned(
    tenant_id: UUID, body: bytes, *, replace: bool = False
) -> tuple[Plan, Document | None]:
    """Return what importing a file would do (needs the tenant's context).

    Without a document the file could not be read at all.
    """
    try:
        document = read(body)
    except YamlError as error:
        return Plan(errors=[Remark((), str(error))]), None
    config = read_config(document.value)
    return plan_of(config, existing_of(tenant_id), replace=replace), document


class PlanChanged(Exception):
    """What would be done is no longer what the person has seen."""


def carry_out(
    tenant_id: UUID,
    body: bytes,
    *,
    actor: Actor,
    replace: bool = False,
    seen: str | None = None,
) -> tuple[Plan, Document | None]:
    """Import a file; return what was done. With errors nothing is.

    Needs a transaction in the tenant's context. `seen` is the digest of the plan that
    was agreed to; raises PlanChanged if that is another one by now.
    """
    with connection.cursor() as cursor:
        cursor.execute(LOCK, [f"am-import/{tenant_id}"])
    route_changes.take_turn(tenant_id)
    plan, document = planned(tenant_id, body, replace=replace)
    if plan.errors:
        return plan, document
    if seen is not None and seen != plan.digest:
        raise PlanChanged
    done = [action for action in plan.actions if action.verdict != LEAVE]
    rules = [action.pk for action in done if action.kind == "inhibition"]
    if rules:  # before any row, as the engine and the flow take it
        quiet.lock(tenant_id)
    for action in done:
        write(tenant_id, action, actor)
    if rules:
        requiet.refresh_rules(tenant_id, rules, actor=actor)
    audit.record(
        tenant_id,
        actor,
        "alertmanager.import",
        kind="tenant",
        object_id=tenant_id,
        sha256=hashlib.sha256(body).hexdigest(),
        replace=replace,
        **plan.counts,
    )
    return plan, document


def existing_of(tenant_id: UUID) -> Existing:
    """Read what the tenant has."""
    own = {"tenant_id": tenant_id}
    channels_of: dict[UUID, list[UUID]] = defaultdict(list)
    for pair in RouteChannel.objects.filter(**own).order_by("id"):
        channels_of[pair.route_id].append(pair.channel_id)
    channels = list(Channel.objects.filter(**own).order_by("created_at", "id"))
    return Existing(
        routes=list(Route.objects.filter(**own).order_by("position", "name")),
        channels_of=channels_of,
        channels=channels,
        places={row.pk: place for row in channels if (place := hidden_place(row))},
        intervals=list(TimeInterval.objects.filter(**own)),
        inhibitions=list(InhibitRule.objects.filter(**own)),
    )


def hidden_place(row: Channel) -> str:
    """Return where a channel leads that is known by its secret alone; "" otherwise."""
    name = LEADS_BY.get(row.kind)
    if not name or not row.secret:
        return ""
    try:
        secret = json.loads(reveal(row, "secret") or "{}").get(name)
    except SealBroken:
        return ""
    return place_of_secret(str(secret)) if secret else ""


def write(tenant_id: UUID, action: Action, actor: Actor) -> None:
    """Make or change one row, and write it down."""
    if action.verdict == CREATE:
        row = MODELS[action.kind](pk=action.pk, tenant_id=tenant_id)
    else:
        row = action.row
    for name, value in action.values.items():
        setattr(row, name, value)
    if action.kind == "inhibition":
        row.updated_at = CLOCK  # other processes look whether one is newer
    if action.kind == "channel":
        seal(row, action)
    row.save(force_insert=action.verdict == CREATE)
    if action.channels is not None:
        tell(tenant_id, row, action.channels)
    kind = str(MODELS[action.kind]._meta.model_name)
    audit.record(
        tenant_id,
        actor,
        f"{kind}.{action.verdict}",
        kind=kind,
        object_id=action.pk,
        name=action.name,
        fields=sorted(action.values),
        by="alertmanager.import",
    )


def tell(tenant_id: UUID, route: Route, channels: list[UUID]) -> None:
    """Let a route tell these channels and no others."""
    pairs = RouteChannel.objects.filter(tenant_id=tenant_id, route=route)
    pairs.exclude(channel_id__in=channels).delete()
    held = set(pairs.values_list("channel_id", flat=True))
    RouteChannel.objects.bulk_create(
        RouteChannel(tenant_id=tenant_id, route=route, channel_id=pk)
        for pk in channels
        if pk not in held
    )


def seal(channel: Channel, action: Action) -> None:
    """Give a channel its secrets; the simulation's Slack takes any token."""
    secrets = dict(action.secrets)
    if channel.kind == "slack" and settings.SIMULATION and not secrets:
        mark = channel.pk.hex[-10:].upper()
        channel.settings |= {"team_id": f"T{mark}", "app_id": f"A{mark}"}
        secrets = {
            "bot_token": f"xoxb-sim-{channel.pk}",
            "signing_secret": token_hex(16),
        }
    if secrets:
        channel.secret = json.dumps(secrets)
