"""How do events come in fast? Past Django: no middleware, no ORM.

A request is answered when its events are committed, never before. In order: whose
key (401), which tenant (404), may it (403), how large (413), which type (415), what
does it say (400), is it kept (503 or 2xx).

There are two roads with the same stations. Every request can take `serve`, which is
ASGI. What has a key that is remembered, a plain body and nothing unusual about it may
take api/taking.py instead, which never waits.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from alertcenter.alerts import intake, raw_events, receipts
from alertcenter.alerts.events import BadBody, ItemError, Parsed
from alertcenter.alerts.models.raw_event import Outcome
from alertcenter.api import keys, limits, raw, refusals, telemetry
from alertcenter.api.integrations import USE
from alertcenter.api.protocols import (
    ALERTMANAGER,
    OWN,
    WEBHOOK,
    Protocol,
    Reply,
    Result,
)
from alertcenter.common import tracing
from alertcenter.common.errors import Refused
from tenants.apikeys import KeyInfo
from tenants.models.apikey import Scope

log = logging.getLogger(__name__)

# Longer than the writer's own time-out: what it did not say by then is unknown.
COMMIT_SECONDS = 15.0
# As so many events counts a body that is none.
BYTES_OF_AN_EVENT = 200
# A storm must not be written twice, once as alerts and once as log.
LINES_PER_SECOND = 100


# --- the road of every request ---


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
    telemetry.seconds_of(protocol.name).observe(time.perf_counter() - begun)


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
        address = limits.address_of(scope)
        key = await opened(raw.credential(authorization), slug, address)
        if refused := limits.LIMITS.refusal(key, address):
            raise refused
        body = await raw.read_body(headers, receive)
        if not raw.is_json(headers):
            raise refusals.wrong_type(raw.content_type(headers).decode("latin-1"))
        sent = Sent(
            protocol,
            key,
            tracing.current(),
            address,
            raw.unpacked(headers, body),
            headers.get(b"idempotency-key", b"").decode("latin-1"),
        )
        result = await kept(sent)
    except Refused as refused:
        return protocol.refuse(refused)
    status, text, more = protocol.answer(result)
    return status, text, [*more, REPLAYED] if result.replayed else more


REPLAYED = (b"idempotency-replayed", b"true")


@dataclass(slots=True)
class Sent:
    """One request whose sender may send events, and what it says."""

    protocol: Protocol
    key: KeyInfo
    correlation_id: str
    address: str = ""
    body: bytes = b""
    idempotency_key: str = ""
    # Why it is not taken, known before it was read.
    refused: Refused | None = None
    content_type: str = raw.JSON_TYPE.decode()
    # Of tools' own payloads: whose they are, and what else their adapter looked at.
    scope: str = ""
    context: dict[str, Any] | None = None
    not_understood: int = 0

    @property
    def integration_id(self) -> UUID | None:
        """The integration whose key it came with."""
        return self.key.origin.id if self.key.origin else None


async def opened(plaintext: str, slug: str | None, address: str) -> KeyInfo:
    """Return the key that may send events to `slug`; to its own tenant where that is
    None. Raises Refused."""
    if not plaintext:
        raise refusals.no_key()
    if not keys.was_valid(plaintext) and (refused := limits.LIMITS.stranger(address)):
        raise refused
    try:
        key = await keys.find_soon(plaintext)
    except keys.KeysAway as error:
        raise refusals.away() from error
    if key is None:
        limits.LIMITS.failed(address)
    own = key.slug if key else ""
    return refusals.admitted(key, own if slug is None else slug, Scope.INGEST)


async def kept(sent: Sent) -> Result:
    """Return what was committed of the body. Raises Refused."""
    parsed = parse(sent)
    limits.LIMITS.spend(sent.key, sent.address, len(parsed.events), len(parsed.errors))
    future = queue(sent, parsed)
    try:
        accepted = await committed(future)
    except NOT_KEPT as error:
        raise refusal_of(error) from error
    return finished(sent, parsed, accepted)


def kept_now(sent: Sent) -> Result:
    """As `kept`, for threads."""
    parsed = parse(sent)
    limits.LIMITS.spend(sent.key, sent.address, len(parsed.events), len(parsed.errors))
    future = queue(sent, parsed)
    try:
        accepted = future.result(COMMIT_SECONDS)
    except NOT_KEPT as error:
        raise refusal_of(error) from error
    return finished(sent, parsed, accepted)


NOT_KEPT = (intake.DatabaseAway, intake.KeyReused, TimeoutError)


def refusal_of(error: Exception) -> Refused:
    """Return why nothing was kept."""
    if isinstance(error, intake.KeyReused):
        return refusals.key_reused()
    return refusals.away()


def parse(sent: Sent) -> Parsed:
    """Return the events in the body. Raises Refused."""
    try:
        return sent.protocol.parse(sent.body)
    except BadBody as error:
        unread = 1 + len(sent.body) // BYTES_OF_AN_EVENT
        limits.LIMITS.spend(sent.key, sent.address, 0, unread)
        keep_copy(sent, Outcome.REFUSED, [ItemError(0, str(error))])
        raise Refused(400, "bad_body", str(error)) from error


def queue(sent: Sent, parsed: Parsed) -> Future[intake.Accepted]:
    """Hand the events to the writer. Raises Refused."""
    try:
        return intake.accept(
            sent.key.tenant_id,
            parsed,
            correlation_id=sent.correlation_id,
            scope=sent.scope,
            once=once(sent),
        )
    except intake.Overloaded as error:
        raise refusals.overloaded() from error


def once(sent: Sent) -> intake.Once | None:
    """Return what names a request that may be sent again. Raises Refused."""
    if not sent.idempotency_key:
        return None
    try:
        return receipts.once(sent.protocol.name, sent.idempotency_key, sent.body)
    except receipts.BadKey as error:
        raise refusals.bad_idempotency_key(receipts.LONGEST_KEY) from error


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


# --- both roads ---

Count = Callable[[str, str, int], None]


def finished(
    sent: Sent,
    parsed: Parsed,
    accepted: intake.Accepted,
    count: Count = telemetry.count_events,
) -> Result:
    """Count, copy and log, and return what became of the events."""
    errors = parsed.errors + accepted.errors
    if errors:
        errors.sort(key=lambda error: error.index)
        keep_copy(sent, Outcome.PARTLY if accepted.kept else Outcome.REFUSED, errors)
    else:
        keep_copy(sent, Outcome.UNKNOWN if sent.not_understood else Outcome.KEPT)
    if sent.key.origin or sent.context is not None:
        USE.note(sent.key, sent.protocol.name, len(parsed.events), sent.not_understood)
    result = Result(accepted.kept, accepted.dropped, errors, accepted.replayed)
    for outcome, number in (
        ("accepted", result.accepted),
        ("dropped", result.dropped),
        ("refused", len(errors)),
    ):
        if number:
            count(sent.protocol.name, outcome, number)
    # Repeats say nothing new. One correlation id leads from this line to that of the
    # delivery in `settle`.
    if (accepted.changed or errors or result.dropped) and LINES.one_more():
        log.info(
            "events_kept by %s: %d accepted, %d dropped, %d refused",
            sent.protocol.name,
            result.accepted,
            result.dropped,
            len(errors),
            extra={
                "tenant": sent.key.tenant_id,
                "correlation_id": sent.correlation_id,
            },
        )
    return result


def keep_copy(sent: Sent, outcome: str, errors: Sequence[ItemError] = ()) -> None:
    """Let people see what was sent, if their tenant wants that."""
    of_a_tool = sent.context is not None
    if raw_events.wanted(sent.key.tenant_id, outcome, always=of_a_tool):
        raw_events.keep(
            sent.key.tenant_id,
            protocol=sent.protocol.name,
            key_id=sent.key.id,
            correlation_id=sent.correlation_id,
            body=sent.body,
            content_type=sent.content_type,
            outcome=outcome,
            errors=errors,
            integration_id=sent.integration_id,
            context=sent.context,
        )


class Lines:
    """How many lines may still be written in this second?"""

    def __init__(self, per_second: int) -> None:
        self._per_second = per_second
        self._second = 0
        self._written = 0

    def one_more(self) -> bool:
        """Take one; say once in a second in which more were wanted that they lack."""
        second = int(time.monotonic())
        if second != self._second:
            self._second, self._written = second, 0
        self._written += 1
        if self._written == self._per_second + 1:
            log.info("events_kept: more than %d lines a second", self._per_second)
        return self._written <= self._per_second


LINES = Lines(LINES_PER_SECOND)


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


def protocol_of(path: str) -> tuple[Protocol, str] | None:
    """Return how events come in at this path, and the slug in it."""
    parts = path.split("/")
    if len(parts) < 4 or parts[0] or parts[1] != "t":
        return None
    protocol = FAST.get(tuple(parts[3:]))
    return None if protocol is None else (protocol, parts[2])


def application_for(scope: raw.Scope) -> raw.Application | None:
    """Return the fast application of this path, or None for Django's."""
    parts = tuple(scope["path"].split("/"))
    reads = scope["method"] in ("GET", "HEAD")
    if parts[3:] in ALIVE and parts[:2] == ("", "t") and reads:
        return healthy
    found = protocol_of(scope["path"])
    if found is None or (parts[3:] == ALSO_READ and reads):
        return None
    return _bound(*found)


def _bound(protocol: Protocol, slug: str) -> raw.Application:
    async def run(scope: raw.Scope, receive: raw.Receive, send: raw.Send) -> None:
        await serve(protocol, slug, scope, receive, send)

    return run
