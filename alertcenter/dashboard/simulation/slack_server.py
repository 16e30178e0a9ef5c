"""What does the built-in Slack answer? The Web API's methods that we call.

https://docs.slack.dev/reference/methods: errors are HTTP 200 with `ok: false`. The
tenant stands in the path, its token must be the one in a channel's sealed secret;
so everything is looked up inside that tenant's context.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any
from uuid import UUID

from django.core import signing
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from alertcenter.dashboard.simulation import forms
from alertcenter.dashboard.simulation.door import simulated
from notifications.models import Channel, SimulatedMessage
from tenants.fields import reveal
from tenants.rls import in_tenant

TOKEN = "xoxb-sim-"  # noqa: S105 - how a simulated token begins, not a secret
SALT = "alertcenter.simulation.response_url"
RESPONSE_SECONDS = 30 * 60  # Slack's own limit
LONGEST_TEXT = 40_000
MOST_BLOCKS = 50
MOST_KEPT = 2_000
LARGEST_BODY = 1024 * 1024

Arguments = dict[str, Any]


class Refused(Exception):
    """Slack says no; the argument is its error code."""


@csrf_exempt
@require_POST
@simulated
def api(request: HttpRequest, tenant: UUID, method: str) -> JsonResponse:
    """Answer a call of the Web API."""
    try:
        with in_tenant(tenant):
            given = _arguments(request)
            channel = _channel_of(request, tenant, str(given.get("channel") or ""))
            do = METHODS.get(method)
            if do is None:
                raise Refused("unknown_method")
            return JsonResponse({"ok": True} | do(channel, given))
    except Refused as error:
        return JsonResponse({"ok": False, "error": str(error)})


@csrf_exempt
@require_POST
@simulated
def response_url(request: HttpRequest, tenant: UUID, ticket: str) -> HttpResponse:
    """Take what the app says to the person who pressed a button."""
    try:
        channel_id, ts = signing.loads(ticket, salt=SALT, max_age=RESPONSE_SECONDS)
    except signing.BadSignature:
        return HttpResponse("expired_url", status=404)
    said = _arguments(request)
    with in_tenant(tenant):
        SimulatedMessage.objects.create(
            tenant_id=tenant,
            kind="slack",
            channel_id=UUID(channel_id),
            ts=new_ts(),
            thread_ts=ts,
            payload=_payload(said)
            | {"ephemeral": said.get("response_type") != "in_channel"},
        )
    return HttpResponse("ok")


def ticket_for(channel_id: UUID | None, ts: str) -> str:
    """Return the part of a response_url that names a message."""
    return signing.dumps([str(channel_id), ts], salt=SALT)


def new_ts() -> str:
    """Return a message's timestamp, which also is its id in a channel."""
    return f"{time.time():.6f}"


def slack_id(name: str, kind: str) -> str:
    """Return an id as Slack's: C0... for a channel's name; ids stay themselves."""
    if name[:1] in "CDGU" and name.isalnum() and name.isupper():
        return name
    return kind + hashlib.sha256(name.encode()).hexdigest()[:9].upper()


def _channel_of(request: HttpRequest, tenant: UUID, name: str) -> Channel:
    """Return the channel whose token the request carries. Raises Refused.

    Several channels may share one app's token; then the one called `name` is it.
    """
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    rows = Channel.objects.filter(tenant_id=tenant, kind="slack")
    owners = [row for row in rows if token and _same(_token(row), token)]
    if not owners:
        raise Refused("invalid_auth")
    named = [row for row in owners if row.settings.get("channel") == name]
    return (named or owners)[0]


def _token(channel: Channel) -> str:
    secret = json.loads(reveal(channel, "secret") or "{}")
    return str(secret.get("bot_token", ""))


def _same(known: str, given: str) -> bool:
    return hmac.compare_digest(known.encode(), given.encode())


def _arguments(request: HttpRequest) -> Arguments:
    if len(request.body) > LARGEST_BODY:
        raise Refused("request_too_large")
    if not (request.content_type or "").startswith("application/json"):
        return request.POST.dict()
    try:
        found = json.loads(request.body)
    except ValueError:
        raise Refused("invalid_json") from None
    if not isinstance(found, dict):
        raise Refused("json_not_object")
    return found


def _payload(given: Arguments) -> dict[str, Any]:
    """Return what a message shows. Raises Refused as Slack would."""
    found = {name: _decoded(given.get(name)) for name in ("blocks", "attachments")}
    text = str(given.get("text") or "")
    if len(text) > LONGEST_TEXT:
        raise Refused("msg_too_long")
    if len(found["blocks"]) > MOST_BLOCKS:
        raise Refused("invalid_blocks")
    if not text and not found["blocks"] and not found["attachments"]:
        raise Refused("no_text")
    return {"text": text} | found


def _decoded(value: Any) -> list[Any]:
    """Return a list that came as JSON or, in a form, as text."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            raise Refused("invalid_blocks_format") from None
    if value and not isinstance(value, list):
        raise Refused("invalid_blocks_format")
    return list(value or [])


def _post(channel: Channel, given: Arguments) -> dict[str, Any]:
    name = str(given.get("channel") or "")
    if not name:
        raise Refused("channel_not_found")
    _forget(channel.tenant_id)
    row = SimulatedMessage.objects.create(
        tenant_id=channel.tenant_id,
        kind="slack",
        channel_id=channel.pk,
        address=name,
        ts=new_ts(),
        thread_ts=str(given.get("thread_ts") or ""),
        payload=_payload(given)
        | {"broadcast": given.get("reply_broadcast") in (True, "true", "1")},
    )
    return _answer(row)


def _forget(tenant_id: UUID) -> None:
    """Keep the outbox's newest messages only."""
    rows = SimulatedMessage.objects.filter(tenant_id=tenant_id).order_by("-id")
    for newest_old in rows.values_list("id", flat=True)[MOST_KEPT : MOST_KEPT + 1]:
        rows.filter(id__lte=newest_old).delete()


def _update(channel: Channel, given: Arguments) -> dict[str, Any]:
    row = SimulatedMessage.objects.filter(
        tenant_id=channel.tenant_id, kind="slack", ts=str(given.get("ts") or "")
    ).first()
    if row is None:
        raise Refused("message_not_found")
    row.payload = _payload(given)
    row.save(update_fields=["payload"])
    SimulatedMessage.objects.filter(pk=row.pk).update(edited_at=Now())
    return _answer(row)


def _answer(row: SimulatedMessage) -> dict[str, Any]:
    message = {"type": "message", "text": row.payload["text"], "ts": row.ts}
    return {"channel": slack_id(row.address, "C"), "ts": row.ts, "message": message}


def _auth_test(channel: Channel, _given: Arguments) -> dict[str, Any]:
    team = str(channel.settings.get("team_id", "T0SIMULATE"))
    return {
        "url": "https://simulation.slack.com/",
        "team": "Simulation",
        "user": "alertcenter",
        "team_id": team,
        "user_id": "U0ALERTBOT",
        "bot_id": "B0ALERTBOT",
    }


# --- forms: https://docs.slack.dev/reference/methods/views.open ---


def _open_view(channel: Channel, given: Arguments) -> dict[str, Any]:
    trigger = str(given.get("trigger_id") or "")
    row = SimulatedMessage.objects.filter(
        tenant_id=channel.tenant_id, kind="slack", thread_ts=trigger
    ).first()
    if row is None or not trigger.startswith(forms.TRIGGER):
        raise Refused("invalid_trigger_id")
    if "view" in row.payload:
        raise Refused("exchanged_trigger_id")
    return _shown(row, given)


def _update_view(channel: Channel, given: Arguments) -> dict[str, Any]:
    row = SimulatedMessage.objects.filter(
        tenant_id=channel.tenant_id, kind="slack", ts=str(given.get("view_id") or "")
    ).first()
    if row is None or "view" not in row.payload:
        raise Refused("not_found")
    if given.get("hash") not in (None, "", row.payload["hash"]):
        raise Refused("hash_conflict")
    return _shown(row, given)


def _shown(row: SimulatedMessage, given: Arguments) -> dict[str, Any]:
    view = given.get("view")
    if isinstance(view, str):
        try:
            view = json.loads(view)
        except ValueError:
            raise Refused("invalid_arguments") from None
    if not isinstance(view, dict) or not view.get("blocks"):
        raise Refused("invalid_arguments")
    return {"view": view | {"id": row.ts, "hash": forms.show(row, view)}}


METHODS = {
    "auth.test": _auth_test,
    "chat.postMessage": _post,
    "chat.update": _update,
    "views.open": _open_view,
    "views.update": _update_view,
}
