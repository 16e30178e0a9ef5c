"""Are Slack's people ours, and is its user group whoever is on call?

Both are looked at from time to time by the engine, over the network with no transaction
open. Doing either twice, or by two processes at once, changes nothing.
https://docs.slack.dev/reference/methods/users.lookupByEmail
https://docs.slack.dev/reference/methods/usergroups.users.update
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef

from alertcenter.alerts import lifecycle
from alertcenter.api import telemetry
from alertcenter.api.slack_people import USER_ID
from alertcenter.common.crypto import SealBroken
from escalation import oncall
from escalation.models import Schedule
from notifications.channels.base import DeliveryError
from notifications.channels.slack import usergroups_of
from notifications.channels.slack_api import told_apart, web_client
from notifications.models import Channel, Contact
from tenants import access, audit
from tenants.actors import THE_ENGINE
from tenants.fields import reveal
from tenants.models import Member
from tenants.rls import in_tenant, tenant_context

log = logging.getLogger(__name__)

SECONDS = 5.0
# Slack's own list is believed to be as we left it for so long.
BELIEVED = 600.0
# https://docs.slack.dev/apis/web-api/rate-limits: tier 3, some fifty a minute
MOST_LOOKUPS = 40
MOST_CHANNELS = 5_000


@dataclass(frozen=True)
class Wanted:
    """Whom a user group should hold."""

    tenant_id: UUID
    settings: Mapping[str, Any]
    secret: Mapping[str, str]
    usergroup: str
    users: tuple[str, ...]


# What this process last made sure of, and when: (tenant, user group) -> users, time.
_SURE: dict[tuple[UUID, str], tuple[tuple[str, ...], float]] = {}


def keep_groups() -> int:
    """Let each user group hold whoever is on call; return 0: once an interval will do.

    An order that nobody is on call of leaves its group as it is: Slack has no empty
    one, and whoever was last is better than nobody.
    """
    for wanted in list(all_wanted()):
        key = (wanted.tenant_id, wanted.usergroup)
        users, at = _SURE.get(key, ((), 0.0))
        if users == wanted.users and time.monotonic() - at < BELIEVED:
            continue
        try:
            with told_apart():
                _set(wanted)
        except DeliveryError as error:
            telemetry.SLACK.labels("usergroup_failed").inc()
            extra = {"tenant": str(wanted.tenant_id)}
            log.warning("slack_usergroup_failed: %s", error.reason, extra=extra)
        else:
            _SURE[key] = (wanted.users, time.monotonic())
    return 0


def _set(wanted: Wanted) -> None:
    """Write the user group where it differs. Raises what slack_sdk raises."""
    client = web_client(
        wanted.tenant_id, wanted.settings, wanted.secret, seconds=SECONDS
    )
    got = client.usergroups_users_list(usergroup=wanted.usergroup)
    if sorted(got.get("users") or []) != sorted(wanted.users):
        client.usergroups_users_update(
            usergroup=wanted.usergroup, users=list(wanted.users)
        )


def all_wanted() -> Iterator[Wanted]:
    """Yield each user group that somebody is on call for."""
    for tenant_id, channel, secret in slack_channels(settings__has_key="usergroups"):
        pairs = usergroups_of(channel.settings)
        if not pairs:
            continue
        with in_tenant(tenant_id):
            found = on_call_users(tenant_id, [name for name, _group in pairs])
        for name, usergroup in pairs:
            if users := found.get(name.casefold()):
                yield Wanted(tenant_id, channel.settings, secret, usergroup, users)


def on_call_users(tenant_id: UUID, names: list[str]) -> dict[str, tuple[str, ...]]:
    """Return the Slack users on call by each of these orders."""
    now = lifecycle.database_time()
    found = {}
    for schedule in Schedule.objects.filter(tenant_id=tenant_id):
        if schedule.name.casefold() not in [name.casefold() for name in names]:
            continue
        people = [member.pk for member in oncall.on_call(schedule, now)]
        rows = Contact.objects.filter(
            tenant_id=tenant_id, kind="slack", member_id__in=people
        )
        users = rows.order_by("position").values_list("address", flat=True)
        if users:
            found[schedule.name.casefold()] = tuple(users)
    return found


def slack_channels(**conditions: Any) -> list[tuple[UUID, Channel, dict[str, str]]]:
    """Return all tenants' active Slack channels with what they hold. Role engine."""
    with transaction.atomic():
        ids = [tenant_id for tenant_id, _slug in access.tenants()]
        with tenant_context(*ids):
            rows = Channel.objects.filter(kind="slack", active=True, **conditions)
            return [
                (row.tenant_id, row, secrets_of(row))
                for row in rows.order_by("created_at", "id")[:MOST_CHANNELS]
            ]


def secrets_of(channel: Channel) -> dict[str, str]:
    try:
        return dict(json.loads(reveal(channel, "secret") or "{}"))
    except SealBroken:
        return {}


# --- people ---


def match_people() -> int:
    """Find members in Slack by their address; return how many were found.

    Only those without a Slack account so far, by the tenant's first app that may ask.
    """
    done, found = set(), 0
    for tenant_id, channel, secret in slack_channels():
        if tenant_id in done or channel.settings.get("match_people") is False:
            continue
        done.add(tenant_id)
        try:
            found += match_tenant(tenant_id, channel.settings, secret)
        except DeliveryError as error:
            telemetry.SLACK.labels("people_failed").inc()
            extra = {"tenant": str(tenant_id)}
            log.warning("slack_people_failed: %s", error.reason, extra=extra)
    return 0


def match_tenant(
    tenant_id: UUID, settings: Mapping[str, Any], secret: Mapping[str, str]
) -> int:
    """Match one tenant's members. Raises DeliveryError where Slack lets nobody ask."""
    with in_tenant(tenant_id):
        unknown = strangers(tenant_id)
    if not unknown:
        return 0
    client = web_client(tenant_id, settings, secret, seconds=SECONDS)
    found = 0
    for member_id, email in unknown:
        try:
            with told_apart():
                got = client.users_lookupByEmail(email=email)
        except DeliveryError as error:
            if error.reason == "users_not_found":
                continue
            raise
        user = got.get("user") or {}
        if USER_ID.fullmatch(str(user.get("id"))) and not user.get("deleted"):
            with in_tenant(tenant_id):
                found += connect(tenant_id, member_id, str(user["id"]))
    return found


def strangers(tenant_id: UUID) -> list[tuple[UUID, str]]:
    """Return members with an address but without a Slack account."""
    known = Contact.objects.filter(
        tenant_id=tenant_id, kind="slack", member=OuterRef("pk")
    )
    rows = Member.objects.filter(
        ~Exists(known), tenant_id=tenant_id, active=True, user__is_active=True
    ).exclude(user__email="")
    return list(rows.order_by("pk").values_list("pk", "user__email")[:MOST_LOOKUPS])


def connect(tenant_id: UUID, member_id: UUID, user_id: str) -> int:
    """Make the account a member's; 0 where it is another's already."""
    row, new = Contact.objects.get_or_create(
        tenant_id=tenant_id,
        kind="slack",
        address=user_id,
        defaults={"member_id": member_id},
    )
    if new:
        audit.record(
            tenant_id,
            THE_ENGINE,
            "contact.matched",
            kind="contact",
            object_id=row.pk,
            address=user_id,
        )
    return int(new)
