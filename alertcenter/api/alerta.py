"""How does Alerta's own command reach us? Its API under /alerta.

https://docs.alerta.io/api/reference.html (reference/wire-protocols.md 3.11)
`ALERTA_ENDPOINT=https://…/alerta ALERTA_API_KEY=<one of our keys> alerta query`. An
alert's id is that of the episode: what fires again after it was closed is another one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import wraps
from typing import Any

from django.db.utils import DataError
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from psycopg2.errors import QueryCanceled

from alertcenter.alerts.events import Event, Parsed
from alertcenter.alerts.fingerprint import named_key
from alertcenter.alerts.models import Alert
from alertcenter.alerts.sources.adapter import joined, short_key, storable
from alertcenter.alerts.sources.shapes import first, parts, text
from alertcenter.api import alerta_search as search
from alertcenter.api import alerta_shapes as shapes
from alertcenter.api import asked, ingest, limits, opsgenie, refusals, telemetry
from alertcenter.api.errors import DATABASE_AWAY
from alertcenter.api.opsgenie_shapes import story
from alertcenter.api.protocols import Protocol, own_answer, own_refusal
from alertcenter.common import tracing
from alertcenter.common.errors import Refused
from tenants.actors import KEY, Actor
from tenants.models.apikey import Scope
from tenants.rls import in_tenant

NAME = "alerta"
MOST_CORRELATED = 20


class Call(opsgenie.Call):
    """One request of an Alerta client."""

    protocol = NAME

    def credential(self) -> str:
        """Return the key of `Key <key>`, of X-API-Key, or as everywhere."""
        given = self.request.headers.get("Authorization", "")
        kind, _space, rest = given.strip().partition(" ")
        if kind.lower() == "key":
            return rest.strip()
        return self.request.headers.get("X-API-Key", "") or super().credential()

    @property
    def actor(self) -> Actor:
        return Actor(KEY, str(self.key.id), self.key.name)

    def respond(self, status: int, /, **told: Any) -> JsonResponse:
        return JsonResponse(told, status=status, headers={"X-Request-ID": self.id})

    def refuse(self, refused: Refused) -> JsonResponse:
        """Return a refusal in Alerta's shape; it knows no 422."""
        status = 400 if refused.status == 422 else refused.status
        words = str(refused.message)
        response = self.respond(
            status,
            status="error",
            message=words,
            code=status,
            errors=[words],
            requestId=self.id,
        )
        for name, value in refused.headers.items():
            response.headers[name] = value
        return response


Answer = Callable[..., JsonResponse]


def endpoint(**answers: Answer) -> Callable[..., JsonResponse]:
    """Make a view of one function for each method."""

    @csrf_exempt
    def view(request: HttpRequest, **named: str) -> JsonResponse:
        call = Call(request)
        answer = answers.get(request.method or "")
        try:
            if answer is None:
                allowed = {"Allow": ", ".join(sorted(answers))}
                raise Refused(405, "not_allowed", "Method Not Allowed", allowed)
            response = answer(call, **named)
        except Refused as refused:
            response = call.refuse(refused)
        except DATABASE_AWAY as error:
            late = isinstance(error.__cause__, QueryCanceled)
            words = "the query takes too long"
            response = call.refuse(shapes.bad(words) if late else refusals.away())
        except DataError:
            # A regular expression that Python takes and PostgreSQL does not.
            response = call.refuse(shapes.bad("the query cannot be understood"))
        telemetry.requests(NAME, response.status_code).inc()
        return response

    return view


def within(scope: str) -> Callable[[Answer], Answer]:
    """Let an answer run in the tenant's context, for keys that may do this."""

    def wrap(answer: Answer) -> Answer:
        @wraps(answer)
        def run(call: Call, **named: str) -> JsonResponse:
            call.admit(scope)
            with in_tenant(call.key.tenant_id):
                if scope == Scope.READ:
                    search.hurry()
                return answer(call, **named)

        return run

    return wrap


# --- sending ---


def send(call: Call) -> JsonResponse:
    """POST /alert: committed before it is answered, since the answer shows it."""
    call.admit(Scope.INGEST)
    data = call.body()
    shapes.check(data)
    event = shapes.event_of(data)
    with in_tenant(call.key.tenant_id):
        event = correlated(call, data, event)
        name = named_key(call.scope, event.key or "")
        before = alert_named(call, name)
    parsed = Parsed()
    parsed.add(0, event)
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
        raise shapes.bad(result.errors[0].reason)
    with in_tenant(call.key.tenant_id):
        after = alert_named(call, name)
    if after is None:
        words = "Nothing is open that this would close"
        return call.respond(202, status="ok", message=words)
    shown = shapes.as_alert(after)
    if before is not None and before.episode_id == after.episode_id:
        changed = before.a_severity != after.a_severity
        shown["repeat"] = not changed
        shown["previousSeverity"] = before.a_severity
        shown["trendIndication"] = trend(before.severity, after)
    else:
        shown["repeat"] = False
    return call.respond(201, status="ok", id=shown["id"], alert=shown)


def trend(before: int, after: Any) -> str:
    if after.state != "firing" or after.severity < before:
        return "lessSevere"
    return "moreSevere" if after.severity > before else "noChange"


def alert_named(call: Call, name: str) -> Any:
    return search.everything(call.key.tenant_id).filter(dedup_key=name).first()


def correlated(call: Call, data: Mapping[str, Any], event: Event) -> Event:
    """Let the event act on what is open under one of the names it correlates with."""
    others = {
        named_key(call.scope, key): key
        for other in parts(data, "correlate")[:MOST_CORRELATED]
        if (key := key_of(data, text(other))) != event.key
    }
    if not others:
        return event
    own = named_key(call.scope, event.key or "")
    firing = Alert.objects.filter(
        tenant_id=call.key.tenant_id, dedup_key__in=[own, *others], state="firing"
    )
    names = list(firing.order_by("-last_at").values_list("dedup_key", flat=True))
    if not names or own in names:
        return event
    return shapes.renamed(event, others[names[0]])


def key_of(data: Mapping[str, Any], event: str) -> str:
    environment, resource = first(data, "environment"), first(data, "resource")
    return short_key(joined(environment, resource, event, first(data, "customer")))


# --- acting ---


def existing(call: Call, identifier: str) -> Any:
    """Return the alert whose id this is, or begins so. Raises Refused."""
    rows = search.everything(call.key.tenant_id).filter(search.by_id(identifier))
    several = list(rows[:2])
    if not several:
        raise shapes.not_found()
    if len(several) > 1:
        raise shapes.bad("several alerts' ids begin so; give the whole id")
    return several[0]


def do(call: Call, alert: Alert, act: str, params: dict[str, Any]) -> None:
    """Act on the alert, soon if it is in no group yet. Raises Refused."""
    refusals.check_act(call.key, call.scope, alert.dedup_key)
    limits.LIMITS.spend(call.key, limits.address_of_request(call.request), 1)
    row = asked.ask(
        asked.Ask(
            call.key.tenant_id,
            NAME,
            act,
            alert.dedup_key,
            call.actor,
            params,
            call.key.origin.id if call.key.origin else None,
        )
    )
    if row.state == asked.FAILED:
        raise Refused(409, "conflict", row.status)


ACTIONS = {
    "ack": "acknowledge",
    "unack": "unacknowledge",
    "open": "unacknowledge",
    "close": "close",
    "shelve": "snooze",
    "unshelve": "unacknowledge",
}
STATUSES = {
    "ack": "ack",
    "open": "open",
    "closed": "close",
    "expired": "close",
    "shelved": "shelve",
}


@within(Scope.INGEST)
def action(call: Call, identifier: str) -> JsonResponse:
    """PUT /alert/<id>/action."""
    data = call.body()
    return acted(call, identifier, first(data, "action"), data)


@within(Scope.INGEST)
def status(call: Call, identifier: str) -> JsonResponse:
    """PUT /alert/<id>/status."""
    data = call.body()
    return acted(call, identifier, STATUSES.get(first(data, "status"), ""), data)


def acted(
    call: Call, identifier: str, name: str, data: Mapping[str, Any]
) -> JsonResponse:
    if name not in ACTIONS:
        raise shapes.bad(f"must be one of {', '.join(ACTIONS)}")
    params: dict[str, Any] = {"note": text(data.get("text"))}
    if name == "shelve":
        life = timedelta(seconds=shapes.seconds_in(data, shapes.SHELVED_SECONDS))
        params["endTime"] = (asked.now() + life).isoformat()
    do(call, existing(call, identifier), ACTIONS[name], params)
    return call.respond(200, status="ok")


@within(Scope.INGEST)
def delete(call: Call, identifier: str) -> JsonResponse:
    """DELETE /alert/<id> closes it: what happened is not forgotten here."""
    alert = existing(call, identifier)
    if alert.state == "firing":
        do(call, alert, "close", {})
    return call.respond(200, status="ok")


@within(Scope.INGEST)
def tag(call: Call, identifier: str) -> JsonResponse:
    tags = shapes.some_tags(call.body())
    do(call, existing(call, identifier), "labels", {"add_tags": tags})
    return call.respond(200, status="ok")


@within(Scope.INGEST)
def untag(call: Call, identifier: str) -> JsonResponse:
    tags = shapes.some_tags(call.body())
    do(call, existing(call, identifier), "labels", {"remove_tags": tags})
    return call.respond(200, status="ok")


@within(Scope.INGEST)
def attributes(call: Call, identifier: str) -> JsonResponse:
    given = call.body().get("attributes")
    if not isinstance(given, dict) or not given:
        raise shapes.bad("must supply 'attributes' as json data")
    told = {storable(str(k))[:200]: storable(text(v))[:4_000] for k, v in given.items()}
    do(call, existing(call, identifier), "annotate", {"set": told})
    return call.respond(200, status="ok")


@within(Scope.INGEST)
def add_note(call: Call, identifier: str) -> JsonResponse:
    words = first(call.body(), "text")
    if not words:
        raise shapes.bad("must supply 'text' as json data")
    alert = existing(call, identifier)
    do(call, alert, "note", {"note": words})
    (written,) = noted(alert)[:1]
    shown = shapes.as_note(alert, written)
    return call.respond(201, status="ok", id=shown["id"], note=shown)


def noted(alert: Alert) -> Any:
    return story(alert).filter(kind="noted", data__has_key="text")
