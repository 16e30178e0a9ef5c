"""How does a tool's own payload come in? `/t/<slug>/in/<source>`, or an address alone.

The key stands in a header, in basic authentication, in the header that the tool has for
it, or, where a person can only set an address, at its end: `/in/<source>/<key>`. Such
an address is as good as a password; it is written to no log.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl

from django.utils.translation import gettext_lazy as _

from alertcenter.alerts import translate
from alertcenter.alerts.events import BadBody, Parsed
from alertcenter.alerts.sources import bodies, registry
from alertcenter.alerts.sources.adapter import Incoming
from alertcenter.api import ingest, limits, raw, refusals, sns, telemetry
from alertcenter.api.protocols import Protocol, Reply, own_answer, own_refusal
from alertcenter.common import tracing
from alertcenter.common.errors import Refused
from tenants.apikeys import KeyInfo
from tenants.models.apikey import Kind

# Reading so much takes longer than others on the event loop should wait.
LARGE = 32 * 1024
MOST_QUERY = 100
# Where tools put a secret that a person gave them.
KEY_HEADERS = (b"x-alertcenter-key", b"x-api-key", b"x-gitlab-token", b"x-auth-token")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a request was sent; `slug` is "" where the key alone says whose it is."""

    source: str
    slug: str
    url_key: str = ""


def place_of(path: str) -> Place | None:
    """Return where in this room `path` leads."""
    parts = path.rstrip("/").split("/")
    if len(parts) == 5 and parts[1] == "t" and parts[3] == "in":
        return Place(parts[4].lower().replace("-", "_"), parts[2])
    if len(parts) == 4 and parts[1] == "in":
        return Place(parts[2].lower().replace("-", "_"), "", parts[3])
    return None


def application_for(path: str) -> raw.Application | None:
    """Return what answers at `path`, or None."""
    place = place_of(path)
    if place is None:
        return None

    async def run(scope: raw.Scope, receive: raw.Receive, send: raw.Send) -> None:
        await serve(place, scope, receive, send)

    return run


async def serve(
    place: Place, scope: raw.Scope, receive: raw.Receive, send: raw.Send
) -> None:
    """Answer one request of a tool."""
    headers = raw.headers_of(scope)
    given = headers.get(b"x-correlation-id", b"").decode("latin-1")
    begun = time.perf_counter()
    with tracing.bind(tracing.accepted(given)):
        try:
            status, body, extra = await reply(place, scope, headers, receive)
        except raw.Gone:
            return
        traced = (b"x-correlation-id", tracing.current().encode())
        await raw.answer(send, status, body, [*extra, traced])
    name = place.source if translate.exists(place.source) else "unknown"
    telemetry.requests(name, status).inc()
    telemetry.seconds_of(name).observe(time.perf_counter() - begun)


async def reply(
    place: Place,
    scope: raw.Scope,
    headers: dict[bytes, bytes],
    receive: raw.Receive,
) -> Reply:
    """Return status, body and headers of the answer. Raises Gone."""
    try:
        address = limits.address_of(scope)
        key = await opened(place, headers, address)
        if refused := limits.LIMITS.refusal(key, address):
            raise refused
        check_method(place, scope["method"])
        body = await raw.read_body(headers, receive)
        request = await understood(
            place, key, scope, headers, raw.unpacked(headers, body)
        )
        if request.confirmation is not None:
            return request.confirmation
        result = await ingest.kept(replace(request.sent, address=address))
    except Refused as refused:
        return own_refusal(refused)
    status, text, more = own_answer(result)
    return status, text, [*more, ingest.REPLAYED] if result.replayed else more


async def opened(place: Place, headers: Mapping[bytes, bytes], address: str) -> KeyInfo:
    """Return the key that may send here. Raises Refused."""
    given = place.url_key or key_in(headers)
    try:
        key = await ingest.opened(given, place.slug or None, address)
    except Refused as error:
        if place.url_key and error.status == 401:
            raise refusals.no_key_in_address() from error
        raise
    if place.url_key and key.kind == Kind.API:
        # A key for headers that stands in an address is in somebody's log by now.
        raise refusals.no_key_in_address()
    if not translate.exists(place.source):
        raise unknown_source(place.source)
    return key


def key_in(headers: Mapping[bytes, bytes]) -> str:
    """Return the key in whichever header the tool has for it."""
    found = raw.credential(headers.get(b"authorization", b"").decode("latin-1"))
    for name in KEY_HEADERS:
        found = found or headers.get(name, b"").decode("latin-1").strip()
    return found


def unknown_source(name: str) -> Refused:
    message = _("There is no source %(name)s; the sources are: %(names)s.")
    names = ", ".join([*registry.adapters(), translate.AUTO, translate.MAPPED])
    return Refused(404, "no_such_source", message % {"name": name[:50], "names": names})


def check_method(place: Place, method: str) -> None:
    """Raise Refused for what no tool of this source does."""
    adapter = registry.find(place.source)
    allowed = ["POST", "PUT"]
    if adapter is not None and adapter.takes_get:
        allowed.append("GET")
    if method not in allowed:
        raise refusals.not_allowed(method, ",".join(allowed))


# --- from bytes to events ---


@dataclass(slots=True)
class Request:
    """What is to be kept, or an answer that needs no keeping."""

    sent: ingest.Sent
    confirmation: Reply | None = None


async def understood(
    place: Place,
    key: KeyInfo,
    scope: raw.Scope,
    headers: Mapping[bytes, bytes],
    body: bytes,
) -> Request:
    """Return the request with its payload read. Raises Refused."""
    content_type = headers.get(b"content-type", b"").decode("latin-1")[:200]
    query = query_of(scope)
    asked = {
        name: headers[name.encode()].decode("latin-1")[:500]
        for name in registry.headers()
        if name.encode() in headers
    }
    sent = ingest.Sent(
        Protocol(place.source, nothing_yet, own_answer, own_refusal),
        key,
        tracing.current(),
        body=body,
        idempotency_key=headers.get(b"idempotency-key", b"").decode("latin-1"),
        content_type=content_type,
        scope=scope_of(key, place.source),
        context={"method": scope["method"], "query": query, "headers": asked},
    )
    incoming = Incoming(decoded(sent, place, query), asked, query)
    if sns.is_envelope(incoming.data):
        try:
            answer = await sns.received(incoming.data)
        except Refused:
            limits.LIMITS.spend(key, limits.address_of(scope), 0, 1)
            raise
        if answer is not None:
            return Request(sent, answer)
    settings = key.origin.settings if key.origin else {}
    if len(body) > LARGE or settings:
        found = await asyncio.to_thread(
            translate.translate, place.source, incoming, settings
        )
    else:
        found = translate.translate(place.source, incoming, settings)
    if sent.context is not None:
        sent.context["adapter"] = found.adapter
        sent.context["reason"] = found.reason
    sent.not_understood = found.not_understood
    sent.protocol = replace(sent.protocol, parse=lambda _body: found.parsed)
    return Request(sent)


def nothing_yet(_body: bytes) -> Parsed:
    """What a request's own protocol says before its payload is read."""
    return Parsed()


def decoded(sent: ingest.Sent, place: Place, query: dict[str, str]) -> Any:
    """Return the payload. Raises Refused."""
    adapter = registry.find(place.source)
    takes_get = adapter is not None and adapter.takes_get
    if takes_get and not sent.body.strip() and query:
        return dict(query)
    takes_text = adapter is not None and adapter.takes_text
    try:
        return bodies.decode(sent.body, sent.content_type, takes_text=takes_text)
    except BadBody as error:
        sent.protocol = replace(sent.protocol, parse=refusing(error))
        ingest.parse(sent)
        raise


def refusing(error: BadBody) -> Any:
    """Return a parser that says what is wrong with the body."""

    def parse(_body: bytes) -> Parsed:
        raise error

    return parse


def query_of(scope: raw.Scope) -> dict[str, str]:
    """Return what stood behind the question mark, as far as it is reasonable."""
    text = scope.get("query_string", b"").decode("latin-1")
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_QUERY)
    except ValueError:
        return {}
    return {name[:200]: value[:4_000] for name, value in pairs}


def scope_of(key: KeyInfo, source: str) -> str:
    """Return what keeps the keys of one tool's alerts apart from others'."""
    return key.origin.id.hex if key.origin else source
