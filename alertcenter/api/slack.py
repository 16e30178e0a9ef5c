"""Did Slack really call? Verify, store, answer; the engine acts afterwards.

https://docs.slack.dev/authentication/verifying-requests-from-slack
The body is parsed before it is trusted only to find at most a few signing secrets;
nothing is written for a request that none of them signed.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

from django.db import DataError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from slack_sdk.signature import SignatureVerifier

from alertcenter.alerts.models import Group
from alertcenter.api import telemetry
from alertcenter.api.errors import DATABASE_AWAY
from alertcenter.api.inbox import process_inbox, prune_inbox
from alertcenter.api.models import SlackInbox
from alertcenter.common import tracing
from alertcenter.common.crypto import SealBroken
from notifications.models import Channel
from notifications.signing import signing_secret
from tenants.rls import in_tenant

__all__ = ["events", "interactions", "process_inbox", "prune_inbox"]

MOST_BYTES = 256 * 1024
CANDIDATES = "SELECT tenant_id, channel_id FROM resolve_slack(%s, %s)"

ID = re.compile(r"[A-Za-z0-9_-]{1,64}")

Payload = Mapping[str, Any]


@dataclass(frozen=True)
class Sender:
    """The channel whose secret signed a request."""

    tenant_id: UUID
    channel_id: UUID


class Refusal(Exception):
    """The request is not believed; `status` and `code` say how."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.message = message


@csrf_exempt
@require_POST
def interactions(request: HttpRequest) -> HttpResponse:
    """Take a button press: stored when answered, acted on right after."""
    try:
        payload = form_payload(request)
        sender = verified(request, payload)
        outcome = store(request, sender, payload)
    except Refusal as refusal:
        return refused(refusal)
    except DATABASE_AWAY:
        message = _("The database does not answer. Please press again.")
        return refused(Refusal(503, "database_away", message))
    telemetry.SLACK.labels(outcome).inc()
    return HttpResponse(status=200)


@csrf_exempt
@require_POST
def events(request: HttpRequest) -> HttpResponse:
    """Answer Slack's check of this URL; verify and ignore all other events."""
    try:
        payload = json_payload(request)
        if payload.get("type") == "url_verification":
            return JsonResponse({"challenge": str(payload.get("challenge", ""))})
        verified(request, payload)
    except Refusal as refusal:
        return refused(refusal)
    return HttpResponse(status=200)


# --- reading what is not yet trusted ---


def form_payload(request: HttpRequest) -> Payload:
    """Return the JSON in the form field `payload`. Raises Refusal."""
    body = limited(request)
    try:
        fields = parse_qs(body.decode(), max_num_fields=20)
    except ValueError as error:
        raise bad_body() from error
    return as_object(fields.get("payload", [""])[0])


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
    stamp = request.headers.get("X-Slack-Request-Timestamp", "")
    signature = request.headers.get("X-Slack-Signature", "")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) < 16 and signature):
        raise unsigned()
    signers = [
        sender
        for sender, secret in candidates(*team_and_app(payload))
        if SignatureVerifier(secret).is_valid(request.body, stamp, signature)
    ]
    if not signers:
        raise unsigned()
    return owner_of(payload, signers)


def unsigned() -> Refusal:
    message = _("The request carries no valid signature of the last five minutes.")
    return Refusal(401, "bad_signature", message)


def candidates(team: str, app: str) -> list[tuple[Sender, str]]:
    """Return the channels this may be about, each with its signing secret."""
    with connection.cursor() as cursor:
        cursor.execute(CANDIDATES, [team, app])
        senders = [Sender(*row) for row in cursor.fetchall()]
    # One transaction for all: whoever calls costs little before he is believed.
    with in_tenant(*{sender.tenant_id for sender in senders}):
        channels = Channel.objects.in_bulk([sender.channel_id for sender in senders])
        found = [
            (sender, secret_of(channels[sender.channel_id]))
            for sender in senders
            if sender.channel_id in channels
        ]
    # Anybody can sign with an empty secret.
    return [(sender, secret) for sender, secret in found if secret]


def secret_of(channel: Channel) -> str:
    try:
        return signing_secret(channel)
    except SealBroken:
        return ""  # sealed under a key that is gone: this one signs nothing


def owner_of(payload: Payload, signers: list[Sender]) -> Sender:
    """Return the signer who has the group that was acted on.

    Channels of one Slack app share its secret, also over tenants of one operator.
    """
    if len({sender.tenant_id for sender in signers}) == 1:
        return signers[0]
    groups = [action["value"] for action in actions_of(payload)]
    for sender in signers:
        with in_tenant(sender.tenant_id):
            rows = Group.objects.filter(tenant_id=sender.tenant_id, pk__in=groups)
            if rows.exists():
                return sender
    return signers[0]


def actions_of(payload: Payload) -> list[dict[str, Any]]:
    """Return the pressed buttons that carry a group's id."""
    given = payload.get("actions")
    actions = given if isinstance(given, list) else []
    return [action for action in actions if is_about_a_group(action)]


def is_about_a_group(action: Any) -> bool:
    if not isinstance(action, dict) or not isinstance(action.get("value"), str):
        return False
    try:
        UUID(action["value"])
    except ValueError:
        return False
    return True


# --- storing ---


def store(request: HttpRequest, sender: Sender, payload: Payload) -> str:
    """Keep the callback once, and wake the engine; return what became of it."""
    signature = request.headers["X-Slack-Signature"]
    row = SlackInbox(
        tenant_id=sender.tenant_id,
        channel_id=sender.channel_id,
        signature_sha256=hashlib.sha256(signature.encode()).hexdigest(),
        body=dict(payload),
        correlation_id=tracing.current(),
    )
    try:
        with in_tenant(sender.tenant_id):
            kept = insert(row)
    except DataError as error:  # NUL or half a surrogate pair
        raise bad_body() from error
    return "kept" if kept else "replayed"


def insert(row: SlackInbox) -> bool:
    """Write the row unless its signature is known; return whether it is new."""
    known = SlackInbox.objects.filter(
        tenant_id=row.tenant_id, signature_sha256=row.signature_sha256
    )
    if known.exists():
        return False
    # Two copies at once: the unique key lets one of them in.
    SlackInbox.objects.bulk_create([row], ignore_conflicts=True)
    with connection.cursor() as cursor:
        cursor.execute("NOTIFY ac_feed")
    return True


def refused(refusal: Refusal) -> HttpResponse:
    telemetry.SLACK.labels(refusal.code).inc()
    told = {"code": refusal.code, "message": refusal.message}
    return JsonResponse(told, status=refusal.status)
