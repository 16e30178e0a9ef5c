"""How do events come in fast? Raw ASGI in front of Django: no middleware, no ORM.

A request is answered when its events are committed, never before. In order: whose
key (401), which tenant (404), may it (403), how large (413), which type (415), what
does it say (400), is it kept (503 or 2xx).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from alertcenter.alerts import intake
from alertcenter.alerts.events import BadBody, ItemError, Parsed
from alertcenter.alerts.sources import alertmanager_v2, alertmanager_webhook, own_json
from alertcenter.api import keys, raw, refusals, telemetry
from alertcenter.common import tracing
from alertcenter.common.errors import Refused
from tenants.apikeys import KeyInfo
from tenants.models.apikey import Scope

log = logging.getLogger(__name__)

Headers = list[tuple[bytes, bytes]]
Reply = tuple[int, bytes, Headers]

JSON: Headers = [(b"content-type", raw.JSON_TYPE)]
# Longer than the writer's own time-out: what it did not say by then is unknown.
COMMIT_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one request's events; `errors` in the order of the items."""

    accepted: int
    dropped: int
    errors: list[ItemError]

    def as_dict(self) -> dict[str, Any]:
        """Return the answer of our own protocols."""
        items = [{"index": e.index, "reason": e.reason} for e in self.errors]
        told: dict[str, Any] = {"accepted": self.accepted, "errors": items}
        if self.dropped:
            told["dropped"] = self.dropped
        return told


@dataclass(frozen=True, slots=True)
class Protocol:
    """One way to send events: its name in figures, its parser, its answers."""

    name: str
    parse: Callable[[bytes], Parsed]
    answer: Callable[[Result], Reply]
    refuse: Callable[[Refused], Reply]


# --- the road ---


async def serve(
    protocol: Protocol,
    slug: str,
    scope: raw.Scope,
    receive: raw.Receive,
    send: raw.Send,
) -> None:
    """Answer one POST of events to tenant `slug`."""
    headers = raw.headers_of(scope)
    given = headers.get(b"x-correlation-id", b"").decode("latin-1")
    begun = time.perf_counter()
    with tracing.bind(tracing.accepted(given)):
        try:
            status, body, extra = await reply(protocol, slug, scope, headers, receive)
        except raw.Gone:
            return
        traced = (b"x-correlation-id", tracing.current().encode())
        await raw.answer(send, status, body, [*extra, traced])
    telemetry.requests(protocol.name, status).inc()
    telemetry.seconds(protocol.name).observe(time.perf_counter() - begun)


async def reply(
    protocol: Protocol,
    slug: str,
    scope: raw.Scope,
    headers: dict[bytes, bytes],
    receive: raw.Receive,
) -> Reply:
    """Return status, body and headers of the answer. Raises Gone."""
    try:
        if scope["method"] != "POST":
            raise refusals.not_allowed(scope["method"], "POST")
        authorization = headers.get(b"authorization", b"").decode("latin-1")
        key = await opened(raw.credential(authorization), slug)
        body = await raw.read_body(headers, receive)
        if not raw.is_json(headers):
            raise refusals.wrong_type(raw.content_type(headers).decode("latin-1"))
        return protocol.answer(await kept(protocol, key, raw.unpacked(headers, body)))
    except Refused as refused:
        return protocol.refuse(refused)


async def opened(plaintext: str, slug: str) -> KeyInfo:
    """Return the key that may send events to `slug`. Raises Refused."""
    if not plaintext:
        raise refusals.no_key()
    try:
        key = await keys.find_soon(plaintext)
    except keys.KeysAway as error:
        raise refusals.away() from error
    return refusals.admitted(key, slug, Scope.INGEST)


async def kept(protocol: Protocol, key: KeyInfo, body: bytes) -> Result:
    """Return what was committed of `body`. Raises Refused."""
    parsed = parse(protocol, body)
    future = queue(key, parsed)
    try:
        accepted = await committed(future)
    except (intake.DatabaseAway, TimeoutError) as error:
        raise refusals.away() from error
    return finished(protocol, key, parsed, accepted)


def kept_now(protocol: Protocol, key: KeyInfo, body: bytes) -> Result:
    """As `kept`, for threads."""
    parsed = parse(protocol, body)
    future = queue(key, parsed)
    try:
        accepted = future.result(COMMIT_SECONDS)
    except (intake.DatabaseAway, TimeoutError) as error:
        raise refusals.away() from error
    return finished(protocol, key, parsed, accepted)


def parse(protocol: Protocol, body: bytes) -> Parsed:
    """Return the events in `body`. Raises Refused."""
    try:
        return protocol.parse(body)
    except BadBody as error:
        raise Refused(400, "bad_body", str(error)) from error


def queue(key: KeyInfo, parsed: Parsed) -> Future[intake.Accepted]:
    """Hand the events to the writer. Raises Refused."""
    try:
        return intake.accept(key.tenant_id, parsed, correlation_id=tracing.current())
    except intake.Overloaded as error:
        raise refusals.overloaded() from error


async def committed(future: Future[intake.Accepted]) -> intake.Accepted:
    """Wait for the commit without a thread.

    asyncio.wrap_future would pass a cancellation on to the writer's future, which
    other requests of the same commit share their fate with.
    """
    if not future.done():
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] = loop.create_future()

        def wake() -> None:
            if not waiter.done():
                waiter.set_result(None)

        # asyncio.timeout() does the same at several times the price.
        alarm = loop.call_later(COMMIT_SECONDS, wake)
        future.add_done_callback(lambda _done: loop.call_soon_threadsafe(wake))
        await waiter
        alarm.cancel()
        if not future.done():
            raise TimeoutError
    return future.result()


def finished(
    protocol: Protocol, key: KeyInfo, parsed: Parsed, accepted: intake.Accepted
) -> Result:
    """Count and log, and return what became of the events."""
    errors = sorted(parsed.errors + accepted.errors, key=lambda error: error.index)
    result = Result(accepted.kept, accepted.dropped, errors)
    for outcome, number in (
        ("accepted", result.accepted),
        ("dropped", result.dropped),
        ("refused", len(errors)),
    ):
        if number:
            telemetry.events(protocol.name, outcome).inc(number)
    # One correlation id leads from this line to that of the delivery in `settle`.
    log.info(
        "events_kept by %s: %d accepted, %d dropped, %d refused",
        protocol.name,
        result.accepted,
        result.dropped,
        len(errors),
        extra={"tenant": key.tenant_id},
    )
    return result


# --- answers: our own protocols ---


def own_answer(result: Result) -> Reply:
    """200 when all was kept; else 400 that says which items were not."""
    told = result.as_dict()
    if not result.errors:
        return 200, raw.as_json(told), JSON
    return 400, raw.as_json(told | some_refused(result)), JSON


def some_refused(result: Result) -> dict[str, str]:
    first = result.errors[0]
    message = _("%(number)s of the events were not kept; number %(index)s: %(reason)s")
    values = {
        "number": len(result.errors),
        "index": first.index,
        "reason": first.reason,
    }
    return {"code": "bad_events", "message": str(message) % values}


def own_refusal(refused: Refused) -> Reply:
    told = {"code": refused.code, "message": str(refused.message)}
    return refused.status, raw.as_json(told), JSON + outgoing(refused)


# go-openapi's own number for "required".
GO_OPENAPI_REQUIRED = 602

# --- answers: Alertmanager 0.25, observed (reference/wire-protocols.md 3.1) ---


def alertmanager_answer(result: Result) -> Reply:
    """200 without a body; else 400 with one JSON string, the valid part kept."""
    if not result.errors:
        return 200, b"", []
    reasons = "; ".join(dict.fromkeys(error.reason for error in result.errors))
    return 400, raw.as_json(reasons), JSON


def alertmanager_parse(body: bytes) -> Parsed:
    """Return the events of the body. Raises BadBody, and Refused for no body."""
    if not body:
        raise Refused(422, "no_body", "alerts in body is required")
    return alertmanager_v2.parse(body)


def alertmanager_refusal(refused: Refused) -> Reply:
    message = str(refused.message)
    if refused.code == "bad_body":
        message = f'parsing alerts body from "" failed, because {message}'
    code = GO_OPENAPI_REQUIRED if refused.status == 422 else refused.status
    told = {"code": code, "message": message}
    return refused.status, raw.as_json(told).rstrip(), JSON + outgoing(refused)


def outgoing(refused: Refused) -> Headers:
    return [
        (name.lower().encode(), value.encode())
        for name, value in refused.headers.items()
    ]


ALERTMANAGER = Protocol(
    "alertmanager_v2", alertmanager_parse, alertmanager_answer, alertmanager_refusal
)
WEBHOOK = Protocol(
    "alertmanager_webhook", alertmanager_webhook.parse, own_answer, own_refusal
)
OWN = Protocol("events", own_json.parse, own_answer, own_refusal)
DOCUMENTED = Protocol("alerts", own_json.parse, own_answer, own_refusal)


# --- which paths are ours ---


async def healthy(_scope: raw.Scope, _receive: raw.Receive, send: raw.Send) -> None:
    """Answer as Alertmanager does; readers of it ask before they send."""
    kind = (b"content-type", b"text/plain; charset=utf-8")
    await raw.answer(send, 200, b"OK", [kind])


FAST: dict[tuple[str, ...], Protocol] = {
    ("api", "v2", "alerts"): ALERTMANAGER,
    ("in", "alertmanager"): WEBHOOK,
    ("api", "v1", "events"): OWN,
}
# Reading it takes the ORM, and so Django.
ALSO_READ = ("api", "v2", "alerts")
ALIVE = (("-", "healthy"), ("-", "ready"))


def application_for(scope: raw.Scope) -> raw.Application | None:
    """Return the fast application of this path, or None for Django's."""
    parts = scope["path"].split("/")
    if len(parts) < 4 or parts[0] or parts[1] != "t":
        return None
    slug, rest = parts[2], tuple(parts[3:])
    if rest in ALIVE and scope["method"] in ("GET", "HEAD"):
        return healthy
    protocol = FAST.get(rest)
    if protocol is None or (rest == ALSO_READ and scope["method"] in ("GET", "HEAD")):
        return None
    return _bound(protocol, slug)


def _bound(protocol: Protocol, slug: str) -> raw.Application:
    async def run(scope: raw.Scope, receive: raw.Receive, send: raw.Send) -> None:
        await serve(protocol, slug, scope, receive, send)

    return run
