"""How do PagerDuty's senders reach us? Events API v2, v1, and change events.

https://developer.pagerduty.com/docs/events-api-v2-overview
The routing key is the key of an integration; what is sent with it has a name space of
its own. A sender changes `events.pagerduty.com` to our address and `/pagerduty`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any
from uuid import uuid4

from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from alertcenter.alerts.events import BadBody, Event, Parsed
from alertcenter.alerts.fingerprint import named_key
from alertcenter.alerts.models import Alert
from alertcenter.alerts.sources import bodies
from alertcenter.alerts.sources.adapter import event, short_key, storable
from alertcenter.alerts.sources.shapes import first, moment, objects, part, text
from alertcenter.api import asked, ingest, keys, limits, refusals, telemetry
from alertcenter.api.errors import DATABASE_AWAY
from alertcenter.api.incoming import scope_of
from alertcenter.api.protocols import Protocol, own_answer, own_refusal
from alertcenter.common import tracing
from alertcenter.common.errors import Refused
from tenants.actors import KEY, Actor
from tenants.apikeys import KeyInfo
from tenants.models.apikey import Scope
from tenants.rls import in_tenant

NAME = "pagerduty"
KEY_LENGTH = 32
LONGEST_DEDUP = 255
MOST_BYTES = 512 * 1024
ACTIONS = ("trigger", "acknowledge", "resolve")
SEVERITIES = ("critical", "error", "warning", "info")


class Invalid(Exception):
    """The event is not one; `errors` are PagerDuty's sentences."""

    def __init__(self, *errors: str) -> None:
        super().__init__("; ".join(errors))
        self.errors = list(errors)


def invalid(errors: list[str]) -> JsonResponse:
    return JsonResponse(
        {
            "status": "invalid event",
            "message": "Event object is invalid",
            "errors": errors,
        },
        status=400,
    )


def unreadable() -> JsonResponse:
    return JsonResponse(
        {
            "status": "Unrecognized object",
            "message": "Event object format is unrecognized",
            "errors": ["JSON parse error"],
        },
        status=400,
    )


def refused(error: Refused) -> JsonResponse:
    """Return a refusal that is ours, in PagerDuty's shape."""
    words = str(error.message)
    status = "throttle exceeded" if error.status == 429 else "not accepted"
    told = {"status": status, "message": words, "errors": [words]}
    return JsonResponse(told, status=error.status, headers=error.headers)


def endpoint(
    answer: Callable[[HttpRequest, dict[str, Any]], JsonResponse],
) -> Callable[[HttpRequest], JsonResponse]:
    """Give `answer` a JSON object, and its exceptions PagerDuty's shapes."""

    @csrf_exempt
    @wraps(answer)
    def view(request: HttpRequest) -> JsonResponse:
        response = judged(request, answer)
        telemetry.requests(NAME, response.status_code).inc()
        return response

    return view


def judged(
    request: HttpRequest,
    answer: Callable[[HttpRequest, dict[str, Any]], JsonResponse],
) -> JsonResponse:
    if request.method != "POST":
        told = {"status": "not accepted", "message": "Use POST", "errors": ["Use POST"]}
        return JsonResponse(told, status=405, headers={"Allow": "POST"})
    if len(request.body) > MOST_BYTES:
        return refused(Refused(413, "too_large", "Event is larger than 512 KB"))
    try:
        data = bodies.from_json(request.body.strip())
    except BadBody:
        return unreadable()
    if not isinstance(data, dict):
        return unreadable()
    try:
        return answer(request, data)
    except Invalid as error:
        return invalid(error.errors)
    except Refused as error:
        return refused(error)
    except DATABASE_AWAY:
        return refused(refusals.away())


def sender(request: HttpRequest, routing_key: str, name: str) -> KeyInfo:
    """Return whose key it is. Raises Invalid, Refused."""
    if not routing_key:
        raise Invalid(f"'{name}' is missing or blank")
    if len(routing_key) != KEY_LENGTH:
        raise Invalid(
            f"Length of '{name}' is incorrect (should be {KEY_LENGTH} characters)"
        )
    address = limits.address_of_request(request)
    if not keys.was_valid(routing_key) and (no := limits.LIMITS.stranger(address)):
        raise no
    try:
        key = keys.find(routing_key)
    except keys.KeysAway as error:
        raise refusals.away() from error
    if key is None or Scope.INGEST not in key.scopes:
        limits.LIMITS.failed(address)
        raise Invalid("Invalid routing key")
    if no := limits.LIMITS.refusal(key, address):
        raise no
    return key


def routing_key_of(request: HttpRequest, data: Mapping[str, Any]) -> str:
    return text(data.get("routing_key")) or request.headers.get("X-Routing-Key", "")


def without_key(body: bytes, secret: str) -> bytes:
    """Return what is kept for people to read: the key is as good as a password."""
    return body.replace(secret.encode(errors="replace"), b"*" * KEY_LENGTH)


# --- events ---


@endpoint
def enqueue(request: HttpRequest, data: dict[str, Any]) -> JsonResponse:
    """POST /pagerduty/v2/enqueue."""
    given = routing_key_of(request, data)
    dedup_key, action = checked(data)
    key = sender(request, given, "routing_key")
    if action == "acknowledge":
        acted(request, key)
        acknowledge(key, dedup_key, first(data, "client") or "PagerDuty")
    elif action == "trigger" or is_open(key, dedup_key):
        found = event_of(data, dedup_key, firing=action == "trigger")
        keep(request, key, given, found)
    else:
        acted(request, key)
    return JsonResponse(
        {"status": "success", "message": "Event processed", "dedup_key": dedup_key},
        status=202,
    )


def checked(data: Mapping[str, Any]) -> tuple[str, str]:
    """Return the dedup key, made if there is none, and the action. Raises Invalid."""
    action = text(data.get("event_action"))
    payload = data.get("payload")
    dedup_key = text(data.get("dedup_key"))
    errors = []
    if action not in ACTIONS:
        errors.append(f"'event_action' must be one of {', '.join(ACTIONS)}")
    if len(dedup_key) > LONGEST_DEDUP:
        errors.append(f"'dedup_key' is longer than {LONGEST_DEDUP} characters")
    if action == "trigger":
        errors += payload_errors(payload)
    elif not dedup_key:
        errors.append("'dedup_key' is missing or blank")
    if errors:
        raise Invalid(*errors)
    return storable(dedup_key) or uuid4().hex, action


def payload_errors(payload: Any) -> list[str]:
    if not isinstance(payload, dict):
        return ["'payload' is missing or is not an object"]
    errors = [
        f"'payload.{name}' is missing or blank"
        for name in ("summary", "source", "severity")
        if not text(payload.get(name))
    ]
    word = text(payload.get("severity"))
    if word and word.lower() not in SEVERITIES:
        errors.append(f"'payload.severity' must be one of {', '.join(SEVERITIES)}")
    return errors


def event_of(data: Mapping[str, Any], dedup_key: str, *, firing: bool) -> Event:
    """Return the event of a trigger or resolve; a resolve's payload is optional.

    It has no time of its own on purpose: a trigger after a resolve always reopens.
    """
    payload = part(data, "payload")
    at = moment(payload.get("timestamp"))
    link = first(data, "client_url") or first(data, "links.0.href")
    return event(
        NAME,
        title=first(payload, "summary") or dedup_key,
        key=dedup_key,
        firing=firing,
        severity=first(payload, "severity").lower() or "error",
        labels={
            "source": first(payload, "source"),
            "component": first(payload, "component"),
            "group": first(payload, "group"),
            "class": first(payload, "class"),
            "client": first(data, "client"),
        },
        annotations={
            **part(payload, "custom_details"),
            "custom_details": text(payload.get("custom_details"))
            if not isinstance(payload.get("custom_details"), dict)
            else "",
            "timestamp": at.isoformat() if at else "",
            **links_of(data),
        },
        link=link,
        image=first(data, "images.0.src"),
    )


def links_of(data: Mapping[str, Any]) -> dict[str, str]:
    """Return further links by what they are called."""
    return {
        f"{text(link.get('text')) or f'link_{number}'}_url": text(link.get("href"))
        for number, link in enumerate(objects(data, "links")[:10], 1)
        if text(link.get("href"))
    }


def keep(request: HttpRequest, key: KeyInfo, secret: str, found: Event) -> None:
    """Commit the event. Raises Refused."""
    address = limits.address_of_request(request)
    parsed = Parsed()
    parsed.add(0, found)
    result = ingest.kept_now(
        ingest.Sent(
            Protocol(NAME, lambda _body: parsed, own_answer, own_refusal),
            key,
            tracing.current(),
            address,
            without_key(request.body, secret),
            scope=scope_of(key, NAME),
            context={},
        )
    )
    if result.errors:
        raise Invalid(*(error.reason for error in result.errors))


def acted(request: HttpRequest, key: KeyInfo) -> None:
    """Count what is no event of its own as one."""
    limits.LIMITS.spend(key, limits.address_of_request(request), 1)


def acknowledge(key: KeyInfo, dedup_key: str, who: str) -> None:
    """Acknowledge the alert, soon if it is in no group yet."""
    if not is_open(key, dedup_key):
        return
    with in_tenant(key.tenant_id):
        asked.ask(
            asked.Ask(
                key.tenant_id,
                NAME,
                "acknowledge",
                name_of(key, dedup_key),
                Actor(KEY, str(key.id), storable(who)[:100]),
                {},
                key.origin.id if key.origin else None,
            )
        )


def is_open(key: KeyInfo, dedup_key: str) -> bool:
    """Whether it is there to acknowledge or resolve; PagerDuty ignores the rest."""
    with in_tenant(key.tenant_id):
        return Alert.objects.filter(
            tenant_id=key.tenant_id, dedup_key=name_of(key, dedup_key), state="firing"
        ).exists()


def name_of(key: KeyInfo, dedup_key: str) -> str:
    return named_key(scope_of(key, NAME), short_key(dedup_key))


# --- changes: kept where people look, told to nobody ---


@endpoint
def change(request: HttpRequest, data: dict[str, Any]) -> JsonResponse:
    """POST /pagerduty/v2/change/enqueue: something was changed; nobody is paged."""
    payload = part(data, "payload")
    if not first(payload, "summary"):
        raise Invalid("'payload.summary' is missing or blank")
    given = routing_key_of(request, data)
    key = sender(request, given, "routing_key")
    address = limits.address_of_request(request)
    # It holds no event, and is kept and looked at all the same.
    limits.LIMITS.spend(key, address, 0, 1)
    sent = ingest.Sent(
        Protocol("pagerduty_change", lambda _: Parsed(), own_answer, own_refusal),
        key,
        tracing.current(),
        address,
        without_key(request.body, given),
        scope=scope_of(key, NAME),
        context={"summary": first(payload, "summary")[:500]},
    )
    ingest.kept_now(sent)
    return JsonResponse(
        {"status": "success", "message": "Change event processed"}, status=202
    )


# --- version 1 ---


@endpoint
def create_event(request: HttpRequest, data: dict[str, Any]) -> JsonResponse:
    """POST /pagerduty/generic/2010-04-15/create_event.json."""
    action = text(data.get("event_type"))
    incident = text(data.get("incident_key"))
    errors = []
    if action not in ACTIONS:
        errors.append("Event type is invalid")
    if action == "trigger" and not text(data.get("description")):
        errors.append("Description is missing or blank")
    if action in ("acknowledge", "resolve") and not incident:
        errors.append("Incident key is missing or blank")
    if len(incident) > LONGEST_DEDUP:
        errors.append(f"Incident key is longer than {LONGEST_DEDUP} characters")
    if errors:
        raise Invalid(*errors)
    given = text(data.get("service_key"))
    key = sender(request, given, "service_key")
    incident = storable(incident) or uuid4().hex
    if action == "acknowledge":
        acted(request, key)
        acknowledge(key, incident, first(data, "client") or "PagerDuty")
    elif action == "trigger" or is_open(key, incident):
        found = event_of_v1(data, incident, firing=action == "trigger")
        keep(request, key, given, found)
    else:
        acted(request, key)
    return JsonResponse(
        {"status": "success", "message": "Event processed", "incident_key": incident}
    )


def event_of_v1(data: Mapping[str, Any], incident: str, *, firing: bool) -> Event:
    details = data.get("details")
    told = details if isinstance(details, dict) else {"details": text(details)}
    return event(
        NAME,
        title=first(data, "description") or incident,
        key=incident,
        firing=firing,
        severity=first(told, "severity").lower() or "error",
        labels={
            "client": first(data, "client"),
            "host": first(told, "host", "hostname"),
        },
        annotations=told,
        link=first(data, "client_url") or first(data, "contexts.0.href"),
        image=first(data, "contexts.0.src"),
    )
