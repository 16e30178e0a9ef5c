"""What did people do with our records in ServiceNow? Told by a business rule there.

POST /servicenow/<tenant>/<channel>, with the channel's secret as bearer token and JSON
(docs/tools.md has the rule). Who takes or closes a record takes or resolves its group,
by the one door for acts. It cannot go round in a circle: what our own user wrote there
is not listened to, an act that is done already does nothing, and what came from there
is not told back (notifications.channels.servicenow).
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import HttpRequest, JsonResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt

from alertcenter.api import limits, raw, refusals, telemetry
from alertcenter.api.errors import DATABASE_AWAY
from alertcenter.common.buckets import Buckets
from alertcenter.common.errors import Refused
from escalation import actions
from notifications.channels.servicenow import FROM_THERE
from notifications.channels.servicenow_fields import CLOSED, STATES
from notifications.models import Channel, Delivery
from tenants.actors import SOURCE, Actor
from tenants.fields import reveal
from tenants.rls import in_tenant

NAME = "servicenow"
MOST_BYTES = 64 * 1024
LONGEST_NAME = 100
# A storm closed by hand is a burst; a rule that runs wild is not.
CALLS = Buckets(rate=20, burst=500)
# Wrong secrets, by channel and address.
GUESSES = Buckets(limits.WRONG_KEYS_A_SECOND, limits.WRONG_KEYS)


@dataclass(frozen=True)
class Told:
    """What a business rule says of a record. `group_id` is its correlation_id."""

    group_id: UUID
    state: str
    assigned: bool
    user: str


@csrf_exempt
def changed(request: HttpRequest, tenant: UUID, pk: UUID) -> JsonResponse:
    """POST: a record was changed."""
    try:
        outcome = take(request, tenant, pk)
        response = JsonResponse({"result": outcome})
    except Refused as refused:
        told = {"code": refused.code, "message": str(refused.message)}
        response = JsonResponse(told, status=refused.status, headers=refused.headers)
    except DATABASE_AWAY:
        away = refusals.away()
        told = {"code": away.code, "message": str(away.message)}
        response = JsonResponse(told, status=away.status, headers=away.headers)
    telemetry.requests(NAME, response.status_code).inc()
    return response


def take(request: HttpRequest, tenant: UUID, pk: UUID) -> str:
    """Do what follows from the change; return what became of it. Raises Refused."""
    if request.method != "POST":
        raise refusals.not_allowed(str(request.method), "POST")
    given = raw.credential(request.headers.get("Authorization", ""))
    # By channel, too: an instance may share its address with other tenants' ones.
    caller = (pk, limits.address_of_request(request))
    if guessed := GUESSES.wait(caller):
        raise limits.too_many_guesses(guessed)
    with in_tenant(tenant):
        try:
            channel = believed(pk, given)
        except Refused:
            GUESSES.take(caller)
            raise
        if wait := CALLS.wait(channel.pk):
            message = _("Too many changes at once. Please send it again.")
            headers = {"Retry-After": str(int(wait) + 1)}
            raise Refused(429, "too_many", message, headers)
        CALLS.take(channel.pk)
        told = understood(request.body)
        return act(channel, told)


def believed(pk: UUID, given: str) -> Channel:
    """Return the channel whose secret this is. Raises Refused: 404, whatever is wrong,
    so that nobody learns which tenants and channels there are."""
    channel = Channel.objects.filter(pk=pk, kind=NAME, active=True).first()
    held = stored(channel) if channel else ""
    same = hmac.compare_digest(given.encode(), held.encode())
    if channel is None or not held or not same:
        raise refusals.not_found()
    return channel


def stored(channel: Channel) -> str:
    if not channel.secret:
        return ""
    secrets = json.loads(reveal(channel, "secret") or "{}")
    return str(secrets.get("inbound_secret") or "")


def understood(body: bytes) -> Told:
    """Return what the rule says. Raises Refused."""
    if len(body) > MOST_BYTES:
        raise Refused(413, "too_large", _("This is larger than what a rule sends."))
    try:
        data = json.loads(body)
        group_id = UUID(str(data["correlation_id"]))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        message = _("Send a JSON object with correlation_id and state.")
        raise Refused(400, "bad_body", message) from error
    return Told(
        group_id,
        state=text(data, "state"),
        assigned=bool(text(data, "assigned_to")),
        user=text(data, "user"),
    )


def text(data: Mapping[str, Any], name: str) -> str:
    """Return a short text of one line, "" for none."""
    value = data.get(name)
    if not isinstance(value, str | int) or isinstance(value, bool):
        return ""
    printable = (c if c.isprintable() else " " for c in str(value)[:LONGEST_NAME])
    return " ".join("".join(printable).split())


def act(channel: Channel, told: Told) -> str:
    """Acknowledge or resolve the group of the record, and say what became of it."""
    if told.user and told.user == channel.settings.get("user"):
        return "own"
    do = wanted(channel, told)
    if do is None:
        return "nothing"
    pages = Delivery.objects.filter(
        tenant_id=channel.tenant_id,
        channel=channel,
        group_id=told.group_id,
        kind="page",
    )
    if not pages.exists():  # the secret opens what this channel was told of, no more
        raise refusals.not_found()
    who = (told.user or "ServiceNow").removesuffix(FROM_THERE) + FROM_THERE
    actor = Actor(SOURCE, str(channel.pk), who)
    (outcome,) = do(channel.tenant_id, [told.group_id], actor=actor)
    return outcome.reason


def wanted(channel: Channel, told: Told) -> actions.Act | None:
    """Return the act that the record's state stands for."""
    usual = {name: default for name, _label, default in STATES}
    new, taken, resolved = (
        str(channel.settings.get(name) or usual[name]) for name in usual
    )
    if told.state in (resolved, *CLOSED):
        return actions.resolve
    if told.state == taken or (told.state == new and told.assigned):
        return actions.acknowledge
    return None
