"""How is a POST of events answered for a few microseconds?

Without an ASGI cycle, a task and its context: the parser's own events read the
request, and the commit's callback writes the answer. Only what is plainly what it
should be is served here (api/taking.py, `admitted`); everything else, and every
request that arrives before the last one was answered, goes the way of all others.
"""

from __future__ import annotations

import time

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from alertcenter.api import ingest, raw, refusals, taking, telemetry
from alertcenter.api.heads import MeasuredProtocol
from alertcenter.api.protocols import Headers, Protocol

MOST_ROADS = 10_000
# Addresses come from strangers too; a tenant's has fewer bytes.
LONGEST_ROAD = 200

Road = tuple[Protocol, str]
_roads: dict[bytes, Road] = {}


class Signal:
    """What uvicorn sets to wake a cycle: nobody waits here."""

    def set(self) -> None:
        """Wake nobody."""


NOBODY = Signal()


class Exchange:
    """One request and its answer. Its first fields are those of uvicorn's cycle, as
    far as the protocol looks at them."""

    __slots__ = (
        "begun",
        "chunks",
        "disconnected",
        "keep_alive",
        "line",
        "message_event",
        "request",
        "response_complete",
        "response_started",
        "size",
    )

    def __init__(self, line: QuickProtocol, request: ingest.Sent) -> None:
        self.response_complete = False
        self.response_started = False
        self.disconnected = False
        self.keep_alive = line.parser.should_keep_alive()
        self.message_event = NOBODY
        self.line = line
        self.request = request
        self.chunks: list[bytes] = []
        self.size = 0
        self.begun = time.monotonic()

    def read(self) -> None:
        """The whole body is here."""
        chunks = self.chunks
        body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        self.chunks = []
        self.request.body = body
        taking.take(self.request, self.respond)

    def respond(self, status: int, body: bytes, headers: Headers) -> None:
        """Write the answer, once."""
        if self.response_complete:
            return
        self.response_complete = self.response_started = True
        request = self.request
        spent = time.monotonic() - self.begun
        telemetry.TALLY.request(request.protocol.name, status, spent)
        if self.disconnected:
            return
        content = [STATUS_LINE[status]]
        for name, value in self.line.server_state.default_headers:
            content += (name, b": ", value, b"\r\n")
        for name, value in headers:
            content += (name, b": ", value, b"\r\n")
        close = b"" if self.keep_alive else b"connection: close\r\n"
        content.append(
            b"x-correlation-id: %b\r\n%bcontent-length: %d\r\n\r\n%b"
            % (request.correlation_id.encode(), close, len(body), body)
        )
        self.line.answered(self, b"".join(content))


class QuickProtocol(MeasuredProtocol):
    """Uvicorn's protocol, with a short cut for events."""

    exchange: Exchange | None = None

    def on_message_begin(self) -> None:
        """Note the beginning; uvicorn's scope is made when it is known to be needed."""
        self.unparsed = 0
        self.begun = time.monotonic()
        self.url = b""
        self.headers = []
        self.expect_100_continue = False

    def on_headers_complete(self) -> None:
        self.unparsed = 0
        self.exchange = None
        # Who does not take his answers goes the long way, which waits for him.
        if (
            not self.busy()
            and not self.flow.write_paused
            and self.parser.get_method() == b"POST"
        ):
            road = _roads.get(self.url) or road_of(self.url)
            if road is not None:
                peer = self.client[0] if self.client else ""
                request = taking.admitted(*road, dict(self.headers), peer)
                if request is not None:
                    self.exchange = self.cycle = Exchange(self, request)  # type: ignore[assignment]
                    return
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        HttpToolsProtocol.on_message_begin(self)
        self.url = url
        self.headers += headers
        self.expect_100_continue = expects
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        exchange = self.exchange
        if exchange is None:
            super().on_body(body)
            return
        self.unparsed = 0
        exchange.size += len(body)
        if exchange.size <= raw.MOST_BYTES:
            exchange.chunks.append(body)

    def on_message_complete(self) -> None:
        exchange = self.exchange
        if exchange is None:
            super().on_message_complete()
            return
        self.unparsed = 0
        self.begun = 0.0
        self.exchange = None
        exchange.read()

    def answered(self, exchange: Exchange, content: bytes) -> None:
        """Send the answer, and let the next request of the line have its turn."""
        if self.transport.is_closing():
            return
        self.transport.write(content)
        self.quiet_since = time.monotonic()
        if not exchange.keep_alive:
            self.transport.close()
        elif self.pipeline:
            self.on_response_complete()

    def judge(self, now: float) -> None:
        """As for all; and do not wait for a commit longer than any takes."""
        cycle = self.cycle
        if (
            isinstance(cycle, Exchange)
            and not self.begun
            and now - cycle.begun > ingest.COMMIT_SECONDS
        ):
            cycle.respond(*cycle.request.protocol.refuse(refusals.away()))
        super().judge(now)


def road_of(url: bytes) -> Road | None:
    """Return the protocol and slug of a plain address, and remember it."""
    if len(url) > LONGEST_ROAD or not url.startswith(b"/t/"):
        return None
    if b"%" in url or b"?" in url:
        return None
    road = ingest.protocol_of(url.decode("latin-1"))
    if road is not None:
        if len(_roads) >= MOST_ROADS:
            _roads.clear()
        _roads[url] = road
    return road
