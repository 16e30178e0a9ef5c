"""How do senders reach us that know VictorOps' REST endpoint?

https://help.victorops.com/knowledge-base/rest-endpoint-integration-guide/
The key stands in the address, where VictorOps has its own; the routing key behind it
becomes a label, for routes to match.
"""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import msgspec
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from alertcenter.alerts.events import BadBody, Event, Parsed
from alertcenter.alerts.fingerprint import named_key
from alertcenter.alerts.models import Alert
from alertcenter.alerts.sources import bodies
from alertcenter.alerts.sources.adapter import Incoming, NotUnderstood, storable
from alertcenter.alerts.sources.shapes import first
from alertcenter.alerts.sources.victorops import ADAPTER, NAME
from alertcenter.api import asked, ingest, keys, limits, refusals, telemetry
from alertcenter.api.errors import DATABASE_AWAY
from alertcenter.api.incoming import scope_of
from alertcenter.api.protocols import Protocol, own_answer, own_refusal
from alertcenter.common import tracing
from alertcenter.common.errors import Refused
from tenants.actors import KEY, Actor
from tenants.apikeys import KeyInfo
from tenants.models.apikey import Kind, Scope
from tenants.rls import in_tenant

ACKNOWLEDGES = ("acknowledgement", "acknowledged", "ack")


@csrf_exempt
def alert(request: HttpRequest, secret: str, routing_key: str) -> JsonResponse:
    """POST /victorops/integrations/generic/20131114/alert/<key>/<routing key>."""
    try:
        entity_id = received(request, secret, routing_key)
        response = JsonResponse({"result": "success", "entity_id": entity_id})
    except Refused as error:
        response = failure(error)
    except DATABASE_AWAY:
        response = failure(refusals.away())
    telemetry.requests(NAME, response.status_code).inc()
    return response


def failure(error: Refused) -> JsonResponse:
    told = {"result": "failure", "message": str(error.message)}
    return JsonResponse(told, status=error.status, headers=error.headers)


def received(request: HttpRequest, secret: str, routing_key: str) -> str:
    """Keep what was sent; return the name of what it is about. Raises Refused."""
    if request.method != "POST":
        raise refusals.not_allowed(str(request.method), "POST")
    key = sender(request, secret)
    data = body_of(request)
    if not first(data, "entity_id", "entity_display_name", "state_message"):
        # VictorOps names what has no name itself.
        data["entity_id"] = str(uuid4())
    try:
        (event,) = ADAPTER.read(Incoming(data))
    except NotUnderstood as error:
        raise Refused(400, "bad_request", str(error)) from error
    name = named_key(scope_of(key, NAME), event.key or "")
    if first(data, "message_type").lower() in ACKNOWLEDGES and is_open(key, name):
        limits.LIMITS.spend(key, limits.address_of_request(request), 1)
        acknowledge(key, name, data)
    else:
        keep(request, key, labelled(event, routing_key))
    return event.key or ""


def sender(request: HttpRequest, secret: str) -> KeyInfo:
    """Return whose key it is. Raises Refused."""
    address = limits.address_of_request(request)
    if not keys.was_valid(secret) and (no := limits.LIMITS.stranger(address)):
        raise no
    try:
        key = keys.find(secret)
    except keys.KeysAway as error:
        raise refusals.away() from error
    # A key for headers that stands in an address is in somebody's log by now.
    if key is None or key.kind == Kind.API or Scope.INGEST not in key.scopes:
        limits.LIMITS.failed(address)
        raise refusals.no_key_in_address()
    if no := limits.LIMITS.refusal(key, address):
        raise no
    return key


def body_of(request: HttpRequest) -> dict[str, Any]:
    try:
        data = bodies.from_json(request.body.strip())
    except BadBody as error:
        raise Refused(400, "bad_request", "The body is no JSON") from error
    if not isinstance(data, dict):
        raise Refused(400, "bad_request", "The body is no JSON object")
    return data


def labelled(event: Event, routing_key: str) -> Event:
    labels = {**event.labels, "routing_key": storable(routing_key)[:200]}
    return msgspec.structs.replace(event, labels=labels)


def is_open(key: KeyInfo, name: str) -> bool:
    with in_tenant(key.tenant_id):
        return Alert.objects.filter(
            tenant_id=key.tenant_id, dedup_key=name, state="firing"
        ).exists()


def acknowledge(key: KeyInfo, name: str, data: dict[str, Any]) -> None:
    """Acknowledge the alert, soon if it is in no group yet."""
    who = first(data, "ack_author", "monitoring_tool") or "VictorOps"
    with in_tenant(key.tenant_id):
        asked.ask(
            asked.Ask(
                key.tenant_id,
                NAME,
                "acknowledge",
                name,
                Actor(KEY, str(key.id), storable(who)[:100]),
                {"note": first(data, "ack_msg", "state_message")},
                key.origin.id if key.origin else None,
            )
        )


def keep(request: HttpRequest, key: KeyInfo, event: Event) -> None:
    parsed = Parsed()
    parsed.add(0, event)
    result = ingest.kept_now(
        ingest.Sent(
            Protocol(NAME, lambda _body: parsed, own_answer, own_refusal),
            key,
            tracing.current(),
            limits.address_of_request(request),
            request.body,
            scope=scope_of(key, NAME),
            context={},
        )
    )
    if result.errors:
        raise Refused(400, "bad_request", result.errors[0].reason)
