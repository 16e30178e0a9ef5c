"""How do Opsgenie's clients reach us? Its Alert API under /opsgenie.

https://docs.opsgenie.com/docs/alert-api (reference/wire-protocols.md 3.8)
The GenieKey is one of our keys; with a key of an integration, aliases are that
integration's own. A mutation is answered 202 before it is judged, as Opsgenie does;
what became of it is asked by its request id.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any
from uuid import UUID, uuid4

from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from alertcenter.alerts.events import BadBody, Parsed
from alertcenter.alerts.fingerprint import named_key
from alertcenter.alerts.models import Alert, Episode
from alertcenter.alerts.sources import bodies
from alertcenter.alerts.sources.adapter import short_key
from alertcenter.api import asked, ingest, keys, limits, raw, refusals, telemetry
from alertcenter.api import opsgenie_search as search
from alertcenter.api import opsgenie_shapes as shapes
from alertcenter.api.errors import DATABASE_AWAY
from alertcenter.api.incoming import scope_of
from alertcenter.api.models import AskedAct
from alertcenter.api.protocols import Protocol, own_answer, own_refusal
from alertcenter.common import tracing
from alertcenter.common.errors import Refused
from tenants.actors import KEY, Actor
from tenants.apikeys import KeyInfo
from tenants.models.apikey import Scope
from tenants.rls import in_tenant

NAME = "opsgenie"
ACCEPTED = "Request will be processed"


class Call:
    """One request: whose it is, when it began, and what it says."""

    protocol = NAME

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self.begun = time.monotonic()
        self.id = str(uuid4())
        self._key: KeyInfo | None = None

    @property
    def key(self) -> KeyInfo:
        """The sender's key, once `admit` has looked it up."""
        assert self._key is not None
        return self._key

    @property
    def scope(self) -> str:
        return scope_of(self.key, self.protocol)

    @property
    def took(self) -> float:
        return round(time.monotonic() - self.begun, 3)

    def credential(self) -> str:
        return credential(self.request.headers.get("Authorization", ""))

    def admit(self, scope: str) -> None:
        """Find out whose key it is. Raises Refused."""
        plaintext = self.credential()
        address = limits.address_of_request(self.request)
        if not plaintext:
            raise shapes.unauthorized()
        if not keys.was_valid(plaintext) and (no := limits.LIMITS.stranger(address)):
            raise no
        try:
            key = keys.find(plaintext)
        except keys.KeysAway as error:
            raise refusals.away() from error
        if key is None:
            limits.LIMITS.failed(address)
            raise shapes.unauthorized()
        if scope not in key.scopes:
            raise shapes.forbidden()
        if no := limits.LIMITS.refusal(key, address):
            raise no
        if scope == Scope.READ and (no := limits.LIMITS.call(key)):
            raise no
        self._key = key

    def body(self) -> dict[str, Any]:
        """Return the JSON object that was sent, {} for nothing. Raises Refused."""
        if not self.request.body.strip():
            return {}
        try:
            data = bodies.from_json(self.request.body.strip())
        except BadBody as error:
            raise shapes.unprocessable("Could not parse request body") from error
        if not isinstance(data, dict):
            raise shapes.unprocessable("Could not parse request body")
        return data

    def respond(self, status: int, /, **told: Any) -> JsonResponse:
        """Return an answer of Opsgenie's shape and headers."""
        body = {**told, "took": self.took, "requestId": self.id}
        headers = {
            "X-Request-Id": self.id,
            "X-Response-Time": str(self.took),
            "X-RateLimit-State": "OK",
            "X-RateLimit-Reason": "ACCOUNT",
            "X-RateLimit-Period-In-Sec": "60",
        }
        return JsonResponse(body, status=status, headers=headers)


def credential(authorization: str) -> str:
    """Return the key of `GenieKey <key>`; bearer and basic do as well."""
    kind, _space, rest = authorization.strip().partition(" ")
    if kind.lower() == "geniekey":
        return rest.strip()
    return raw.credential(authorization)


Answer = Callable[..., JsonResponse]


def endpoint(**answers: Answer) -> Callable[..., JsonResponse]:
    """Make a view of one function for each method."""

    @csrf_exempt
    def view(request: HttpRequest, **named: str) -> JsonResponse:
        call = Call(request)
        answer = answers.get(request.method or "")
        try:
            if answer is None:
                raise shapes.not_allowed(sorted(answers))
            response = answer(call, **named)
        except Refused as refused:
            response = call.respond(refused.status, **shapes.told(refused))
            for name, value in refused.headers.items():
                response.headers[name] = value
            if refused.status == 429:
                response.headers["X-RateLimit-State"] = "THROTTLED"
        except DATABASE_AWAY:
            away = refusals.away()
            response = call.respond(away.status, **shapes.told(away))
        telemetry.requests(NAME, response.status_code).inc()
        return response

    return view


def reading(answer: Answer) -> Answer:
    """Let `answer` run in the tenant's context, for keys that may read."""

    @wraps(answer)
    def run(call: Call, **named: str) -> JsonResponse:
        call.admit(Scope.READ)
        with in_tenant(call.key.tenant_id):
            return answer(call, **named)

    return run


# --- creating ---


def create(call: Call) -> JsonResponse:
    """POST /v2/alerts: committed before it is answered, for what follows to find."""
    call.admit(Scope.INGEST)
    data = call.body()
    shapes.check_create(data)
    alias = shapes.alias_of(data) or str(uuid4())
    parsed = Parsed()
    parsed.add(0, shapes.event_of(data, alias))
    result = ingest.kept_now(
        ingest.Sent(
            Protocol(NAME, lambda _body: parsed, own_answer, own_refusal),
            call.key,
            tracing.current(),
            limits.address_of_request(call.request),
            call.request.body,
            scope=call.scope,
            context={},
        )
    )
    if result.errors:
        raise shapes.unprocessable(result.errors[0].reason)
    with in_tenant(call.key.tenant_id):
        name = named_key(call.scope, short_key(alias))
        mine = Alert.objects.filter(tenant_id=call.key.tenant_id, dedup_key=name)
        found = None if result.dropped else mine.first()
        row = AskedAct.objects.create(
            tenant_id=call.key.tenant_id,
            protocol=NAME,
            act="create",
            dedup_key=name,
            params={"alias": alias},
            state=asked.DONE if found else asked.FAILED,
            status="Created alert" if found else "A rule of the tenant drops it",
            alert_id=found.pk if found else None,
            episode_id=found.episode_id if found else None,
            done_at=found.last_at if found else asked.now(),
            integration_id=call.key.origin.id if call.key.origin else None,
        )
        words = str(data.get("note") or "")
        if words and found:
            asked.attempt_quietly("note", found, {"note": words}, actor_of(call, data))
    call.id = str(row.pk)
    return call.respond(202, result=ACCEPTED)


def actor_of(call: Call, data: Mapping[str, Any]) -> Actor:
    """Return who acts: the name that the client gives, with the key as proof."""
    name = str(data.get("user") or "")[:100] or call.key.name
    return Actor(KEY, str(call.key.id), shapes.storable(name))


# --- acting on one alert ---


def act(
    name: str, shape: Callable[[Mapping[str, Any]], dict[str, Any]] | None = None
) -> Answer:
    """Return an endpoint that asks for an act; `shape` checks and names its details."""

    def run(call: Call, identifier: str, **_named: str) -> JsonResponse:
        call.admit(Scope.INGEST)
        data = {**call.request.GET.dict(), **call.body()}
        params = shape(data) if shape else {}
        if data.get("note"):
            params["note"] = str(data["note"])
        return queued(call, name, identifier, params, data)

    return run


def queued(
    call: Call,
    name: str,
    identifier: str,
    params: dict[str, Any],
    data: Mapping[str, Any],
) -> JsonResponse:
    """Ask for the act and answer 202, whether or not there is such an alert."""
    address = limits.address_of_request(call.request)
    limits.LIMITS.spend(call.key, address, 1)
    with in_tenant(call.key.tenant_id):
        found = find(call, identifier)
        if found:
            refusals.check_act(call.key, call.scope, found.dedup_key)
        row = asked.ask(
            asked.Ask(
                call.key.tenant_id,
                NAME,
                name,
                found.dedup_key if found else "",
                actor_of(call, data),
                params,
                call.key.origin.id if call.key.origin else None,
            )
        )
    call.id = str(row.pk)
    return call.respond(202, result=ACCEPTED)


def find(call: Call, identifier: str) -> Alert | None:
    """Return the alert that `identifier` names: by id, alias or tiny id."""
    kind = call.request.GET.get("identifierType", "id")
    mine = Alert.objects.filter(tenant_id=call.key.tenant_id)
    if kind == "alias":
        name = named_key(call.scope, short_key(identifier))
        return mine.filter(dedup_key=name).first()
    if kind == "tiny":
        if not identifier.isdecimal() or len(identifier) > 18:
            return None
        episodes = Episode.objects.filter(
            tenant_id=call.key.tenant_id, number=int(identifier)
        )
        episode = episodes.first()
        return mine.filter(pk=episode.alert_id).first() if episode else None
    if kind != "id":
        raise shapes.unprocessable("identifierType must be one of id, alias, tiny")
    try:
        episode_id = UUID(identifier)
    except ValueError:
        return None
    return mine.filter(episode_id=episode_id).first()


def existing(call: Call, identifier: str) -> Alert:
    """Return the alert, or refuse with 404."""
    found = find(call, identifier)
    if found is None or found.episode_id is None:
        raise shapes.not_found("Alert does not exist")
    return found


# --- reading ---


@reading
def request_status(call: Call, request_id: str) -> JsonResponse:
    """GET /v2/alerts/requests/<id>: what became of a mutation."""
    try:
        pk = UUID(request_id)
    except ValueError:
        raise shapes.not_found("Request not found") from None
    row = AskedAct.objects.filter(tenant_id=call.key.tenant_id, pk=pk).first()
    if row is None:
        raise shapes.not_found("Request not found")
    if row.state == asked.WAITING:
        raise shapes.not_found("Request not found. It might not be processed, yet.")
    return call.respond(200, data=shapes.as_request(row))


@reading
def get_alert(call: Call, identifier: str) -> JsonResponse:
    found = existing(call, identifier)
    (shown,) = shapes.as_alerts(call.key.tenant_id, [found], whole=True)
    return call.respond(200, data=shown)


@reading
def list_alerts(call: Call) -> JsonResponse:
    """GET /v2/alerts with query, offset, limit, sort and order."""
    page = search.page_of(call.request.GET)
    rows = search.found(call.key.tenant_id, call.request.GET.get("query", ""))
    alerts = list(rows.order_by(*page.order)[page.offset : page.offset + page.limit])
    # The last page tells the number itself; one that is full, or behind it, does not.
    told = page.offset + len(alerts) if 0 < len(alerts) < page.limit else rows.count()
    return call.respond(
        200,
        data=shapes.as_alerts(call.key.tenant_id, alerts),
        paging=page.links(call.request, told),
    )


@reading
def count_alerts(call: Call) -> JsonResponse:
    rows = search.found(call.key.tenant_id, call.request.GET.get("query", ""))
    return call.respond(200, data={"count": rows.count()})


@reading
def list_notes(call: Call, identifier: str) -> JsonResponse:
    return call.respond(200, data=shapes.notes_of(existing(call, identifier)))


@reading
def list_logs(call: Call, identifier: str) -> JsonResponse:
    return call.respond(200, data=shapes.logs_of(existing(call, identifier)))


@reading
def list_recipients(call: Call, identifier: str) -> JsonResponse:
    return call.respond(200, data=shapes.recipients_of(existing(call, identifier)))


@reading
def nothing_attached(call: Call, identifier: str) -> JsonResponse:
    """GET …/attachments: files are not kept, so there are none."""
    existing(call, identifier)
    return call.respond(200, data=[])
