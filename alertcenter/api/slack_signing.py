"""Did Slack really sign this? Whoever calls is believed only afterwards.

https://docs.slack.dev/authentication/verifying-requests-from-slack
The body is parsed before it is trusted only to find at most a few signing secrets;
nothing is written for a request that none of them signed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from django.db import connection
from django.http import HttpRequest
from django.utils.translation import gettext as _
from slack_sdk.signature import Clock, SignatureVerifier

from alertcenter.alerts.lifecycle import database_time
from alertcenter.alerts.models import Group
from alertcenter.api import limits
from alertcenter.common.crypto import SealBroken
from alertcenter.common.shared_buckets import SharedBuckets
from notifications.models import Channel, Contact, Thread
from notifications.signing import signing_secret
from tenants.fields import reveal
from tenants.models import Tenant
from tenants.rls import in_tenant

MOST_BYTES = 256 * 1024
MOST_FIELDS = 30
CANDIDATES = "SELECT tenant_id, channel_id FROM resolve_slack(%s, %s)"

# What `block_kit` calls the row of a group's buttons; the group's id follows.
GROUP_BLOCK = "group:"

ID = re.compile(r"[A-Za-z0-9_-]{1,64}")

# Wrong signatures, by address, team and app: Slack calls for all tenants from the same
# addresses, and one with a wrong secret must not keep the others from being heard.
FORGERIES = SharedBuckets(
    "slack-forgeries", limits.WRONG_KEYS_A_SECOND, limits.WRONG_KEYS
)

Payload = Mapping[str, Any]


@dataclass(frozen=True)
class Sender:
    """The channel whose secret signed a request."""

    tenant_id: UUID
    channel_id: UUID


class Refusal(Exception):
    """The request is not believed; `status` and `code` say how."""

    def __init__(self, status: int, code: str, message: str, wait: float = 0.0) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.message = message
        self.headers = {"Retry-After": str(int(wait) + 1)} if wait else {}


# --- reading what is not yet trusted ---


def form_payload(request: HttpRequest) -> Payload:
    """Return the JSON in the form field `payload`. Raises Refusal."""
    body = limited(request)
    try:
        fields = parse_qs(body.decode(), max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise bad_body() from error
    return as_object(fields.get("payload", [""])[0])


def command_payload(request: HttpRequest) -> Payload:
    """Return a slash command's fields. Raises Refusal.

    https://docs.slack.dev/interactivity/implementing-slash-commands
    """
    try:
        fields = parse_qs(limited(request).decode(), max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise bad_body() from error
    if "command" not in fields:
        raise bad_body()
    return {name: values[0] for name, values in fields.items()} | {"type": "command"}


def json_payload(request: HttpRequest) -> Payload:
    """Return the body's JSON object. Raises Refusal."""
    return as_object(limited(request))


def limited(request: HttpRequest) -> bytes:
    """Return the raw body. Raises Refusal."""
    body: bytes = request.body
    if len(body) > MOST_BYTES:
        raise Refusal(413, "too_large", _("This is larger than what Slack sends."))
    return body


def as_object(text: str | bytes) -> Payload:
    try:
        payload = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise bad_body() from error
    if not isinstance(payload, dict):
        raise bad_body()
    return payload


def bad_body() -> Refusal:
    return Refusal(400, "bad_body", _("This is not what Slack sends."))


def team_and_app(payload: Payload) -> tuple[str, str]:
    """Return the ids that narrow down whose secret may have signed."""
    team = payload.get("team") or payload.get("team_id") or ""
    if isinstance(team, dict):
        team = team.get("id") or ""
    return clean(team), clean(payload.get("api_app_id") or "")


def clean(value: Any) -> str:
    """Return an id, "" for what cannot be one."""
    return value if isinstance(value, str) and ID.fullmatch(value) else ""


# --- verification ---


def verified(request: HttpRequest, payload: Payload) -> Sender:
    """Return whose secret signed the request. Raises Refusal, writes nothing."""
    about = team_and_app(payload)
    caller = (limits.address_of_request(request), *about)
    if wait := FORGERIES.wait(caller):
        raise Refusal(429, "rate_limited", str(limits.TOO_MANY["guess"]), wait)
    signers = signers_of(request, about)
    if not signers:
        FORGERIES.take(caller)
        message = _("The request carries no valid signature of the last five minutes.")
        raise Refusal(401, "bad_signature", message)
    # Tenants share the operator's app, and any of them can write down another's team:
    # where somebody has proven that the team is his, nobody else is asked.
    proven = [one.sender for one in signers if one.proven]
    return owner_of(payload, proven or [one.sender for one in signers])


def signers_of(request: HttpRequest, about: tuple[str, str]) -> list[Candidate]:
    """Return the channels whose secret signed the request."""
    stamp = request.headers.get("X-Slack-Request-Timestamp", "")
    signature = request.headers.get("X-Slack-Signature", "")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) < 16 and signature):
        return []
    if not (found := candidates(*about)):
        return []
    clock = DatabaseClock()
    return [
        one
        for one in found
        if SignatureVerifier(one.secret, clock).is_valid(request.body, stamp, signature)
    ]


class DatabaseClock(Clock):
    """The time of a request: a host whose own clock is wrong hears Slack, too."""

    def __init__(self) -> None:
        self.at = database_time().timestamp()

    def now(self) -> float:
        return self.at


@dataclass(frozen=True)
class Candidate:
    """A channel that a request may be about; `proven`: its tenant was let into the
    very workspace that calls, by somebody there (`slack_oauth`)."""

    sender: Sender
    secret: str
    proven: bool


def candidates(team: str, app: str) -> list[Candidate]:
    """Return the channels this may be about, each with its signing secret."""
    with connection.cursor() as cursor:
        cursor.execute(CANDIDATES, [team, app])
        senders = [Sender(*row) for row in cursor.fetchall()]
    # One transaction for all: whoever calls costs little before he is believed.
    with in_tenant(*{sender.tenant_id for sender in senders}):
        channels = Channel.objects.in_bulk([sender.channel_id for sender in senders])
        found = [
            candidate(sender, channels[sender.channel_id], team)
            for sender in senders
            if sender.channel_id in channels
        ]
    # Anybody can sign with an empty secret.
    return [one for one in found if one.secret]


def candidate(sender: Sender, channel: Channel, team: str) -> Candidate:
    try:
        held = json.loads(reveal(channel, "secret") or "{}")
        proven = bool(team) and held.get("team_id") == team
        return Candidate(sender, signing_secret(channel), proven)
    except SealBroken:
        # Sealed under a key that is gone: this one signs nothing.
        return Candidate(sender, "", False)


def owner_of(payload: Payload, signers: list[Sender]) -> Sender:
    """Return the signer whom the request is about.

    Channels of one Slack app share its secret, also over tenants of one operator: then
    it is the tenant who has the group, the conversation, the page that was linked to,
    the person, or at least the place.
    """
    if len({sender.tenant_id for sender in signers}) == 1:
        return signers[0]
    for has in (has_group, has_thread, has_page, has_person, has_place):
        for sender in signers:
            with in_tenant(sender.tenant_id):
                if has(sender, payload):
                    return sender
    return signers[0]


def has_group(sender: Sender, payload: Payload) -> bool:
    found = [action["value"] for action in actions_of(payload)]
    if pk := dialog_of(payload).get("group"):
        found.append(pk)
    rows = Group.objects.filter(tenant_id=sender.tenant_id, pk__in=found)
    return bool(found) and rows.exists()


def has_thread(sender: Sender, payload: Payload) -> bool:
    event, message = part(payload, "event"), part(payload, "message")
    place = event.get("channel") or part(payload, "channel").get("id")
    stamps = {event.get("thread_ts"), message.get("thread_ts"), message.get("ts")}
    rows = Thread.objects.filter(
        tenant_id=sender.tenant_id,
        provider_channel=str(place or ""),
        provider_ts__in=[str(ts) for ts in stamps if ts],
    )
    return rows.exists()


def has_page(sender: Sender, payload: Payload) -> bool:
    links = part(payload, "event").get("links")
    paths = [
        urlsplit(str(link.get("url", ""))).path
        for link in (links if isinstance(links, list) else [])
        if isinstance(link, dict)
    ]
    slug = Tenant.objects.values_list("slug", flat=True).get(pk=sender.tenant_id)
    return any(path.startswith(f"/t/{slug}/") for path in paths)


def has_person(sender: Sender, payload: Payload) -> bool:
    rows = Contact.objects.filter(
        tenant_id=sender.tenant_id,
        kind="slack",
        address=user_of(payload),
        member__active=True,
    )
    return rows.exists()


def has_place(sender: Sender, payload: Payload) -> bool:
    known = Channel.objects.filter(pk=sender.channel_id).first()
    place = str(known.settings.get("channel") or "") if known else ""
    name = str(payload.get("channel_name") or "")
    return bool(place) and place in (payload.get("channel_id"), f"#{name}", name)


# --- what stands where in a payload ---


def part(payload: Payload, name: str) -> Payload:
    """Return an object inside the payload; an empty one for anything else."""
    found = payload.get(name)
    return found if isinstance(found, dict) else {}


def user_of(payload: Payload) -> str:
    """Return the Slack user id of whoever acted, "" for none."""
    found = part(payload, "user").get("id") or payload.get("user_id")
    return clean(found or part(payload, "event").get("user"))


def dialog_of(payload: Payload) -> dict[str, str]:
    """Return what we hid in a modal when we opened it: group and response_url."""
    text = part(payload, "view").get("private_metadata")
    try:
        found = json.loads(text) if isinstance(text, str) else {}
    except (ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    told = {str(k): str(v) for k, v in found.items()}
    if not is_id(told.get("group")):
        told.pop("group", None)
    return told


def actions_of(payload: Payload) -> list[dict[str, Any]]:
    """Return the pressed buttons that carry a group's id."""
    given = payload.get("actions")
    actions = given if isinstance(given, list) else []
    return [
        action | {"value": group_of(action)}
        for action in actions
        if isinstance(action, dict) and group_of(action)
    ]


def group_of(action: Mapping[str, Any]) -> str:
    """Return the id of the group that an element is about, "" for none.

    Buttons carry it as their value; menus cannot, so their block is named after it.
    """
    block = str(action.get("block_id") or "")
    for given in (action.get("value"), block.removeprefix(GROUP_BLOCK)):
        if is_id(given):
            return str(given)
    return ""


def is_id(text: Any) -> bool:
    try:
        return isinstance(text, str) and bool(UUID(text))
    except ValueError:
        return False
