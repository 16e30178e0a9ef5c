"""How much, and for how long, may a client send that is no request yet?

Uvicorn's fast parser has no measure: endless headers, trailers and chunk extensions
would be gathered in memory until there is none left, before anybody is asked who he
is; and whoever sends a byte a minute would hold a connection for ever.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_BYTES = 128 * 1024
# A whole request, its body included, arrives within this time; and of an answer some
# byte is taken.
READ_SECONDS = 30.0
# Prometheus sends every 15 s or so, and keeps its connection.
IDLE_SECONDS = 75.0
WATCH_SECONDS = 5.0

TOO_SLOW = b"The request did not arrive in time."
BROKEN_OFF = b"The request ends too early."


class MeasuredProtocol(HttpToolsProtocol):
    """Ends a connection that sends too much between two events of the parser, takes
    too long over a request, or says nothing at all."""

    unparsed = 0
    # When the request that is being read began; 0 between requests.
    begun = 0.0
    quiet_since = 0.0
    # How much of the answers the client has yet to take, and since when.
    untaken = 0
    untaken_since = 0.0
    watching: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.quiet_since = time.monotonic()
        self.watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self.stop_watching()
        super().connection_lost(exc)

    def handle_websocket_upgrade(self) -> None:
        self.stop_watching()
        super().handle_websocket_upgrade()

    def data_received(self, data: bytes) -> None:
        self.unparsed += len(data)
        while data:
            data = self.fed(data)
        if self.unparsed > MOST_BYTES and not self.transport.is_closing():
            self.send_400_response("The head of the request is too long.")

    def fed(self, data: bytes) -> bytes:
        """Give `data` to the parser; return what it has yet to be given.

        The parser takes whatever follows a head that offers another protocol for that
        protocol. All but websockets is declined (RFC 9110, 7.8), so what follows is the
        body, and no request of its own.
        """
        parser = self.parser
        self._unset_keepalive_if_required()
        try:
            parser.feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            if self._should_upgrade():
                self.handle_websocket_upgrade()
                return b""
            if parser.get_method() != b"CONNECT":
                self.parser = httptools.HttpRequestParser(self)
                self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
                return self.without_offer(parser) + data[offer.args[0] :]
            self.send_400_response("This is no proxy.")
        except httptools.HttpParserError:
            self.logger.warning("Invalid HTTP request received.")
            self.send_400_response("Invalid HTTP request received.")
        return b""

    def without_offer(self, parser: Any) -> bytes:
        """Return the head that was read, as if it offered no other protocol."""
        version = parser.get_http_version().encode()
        head = [parser.get_method(), b" ", self.url, b" HTTP/", version, b"\r\n"]
        for name, value in self.headers:
            if name != b"upgrade":
                head += [name, b": ", value, b"\r\n"]
        return b"".join([*head, b"\r\n"])

    def declined(self) -> bool:
        """Whether the head offers a protocol that we do not speak: `fed` reads it again
        without the offer."""
        return bool(self.parser.should_upgrade()) and not self._should_upgrade()

    def _should_upgrade(self) -> bool:
        """A websocket begins with a GET that has no body (RFC 6455, 4.1)."""
        return (
            super()._should_upgrade()
            and self.parser.get_method() == b"GET"
            and not any(
                name == b"transfer-encoding"
                or (name == b"content-length" and value != b"0")
                for name, value in self.headers
            )
        )

    def eof_received(self) -> bool:  # type: ignore[override]  # as asyncio has it
        """A client that has said all may still listen: keep the line for the answer."""
        if self.begun:
            self.refuse(400, BROKEN_OFF)
            return False
        if self.busy():
            self.cycle.keep_alive = False
            return True
        return False

    # --- the parser's events ---

    def on_message_begin(self) -> None:
        self.unparsed = 0
        self.begun = time.monotonic()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self.unparsed = 0
        if self.declined():
            return
        super().on_headers_complete()
        # The parser says trailers like headers. No proxy looks at those, so they must
        # not get among what the application believes.
        self.headers = self.headers.copy()

    def on_body(self, body: bytes) -> None:
        self.unparsed = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self.unparsed = 0
        self.begun = 0.0
        if not self.declined():
            super().on_message_complete()

    # --- time ---

    def watch(self) -> None:
        """Look at this connection every few seconds while it lives."""
        now = time.monotonic()
        self.watching = self.loop.call_later(WATCH_SECONDS, self.watch)
        if self.is_deaf(now):
            self.transport.abort()  # `close` would wait for it to take the rest
        elif not self.transport.is_closing():
            self.judge(now)

    def is_deaf(self, now: float) -> bool:
        """Whether the client takes nothing of what it was told."""
        untaken = self.transport.get_write_buffer_size()
        if untaken != self.untaken:
            self.untaken, self.untaken_since = untaken, now
        return untaken > 0 and now - self.untaken_since > READ_SECONDS

    def stop_watching(self) -> None:
        if self.watching is not None:
            self.watching.cancel()
            self.watching = None

    def judge(self, now: float) -> None:
        """End what takes too long."""
        if self.begun and now - self.begun > READ_SECONDS:
            self.refuse(408, TOO_SLOW)
        elif self.busy() or self.begun:
            self.quiet_since = now
        elif now - self.quiet_since > IDLE_SECONDS:
            self.transport.close()

    def busy(self) -> bool:
        """Whether an answer is still to be given."""
        cycle: Any = self.cycle  # None before the first request
        return cycle is not None and not cycle.response_complete

    def refuse(self, status: int, sentence: bytes) -> None:
        """Say why, unless an answer has begun, and hang up."""
        cycle: Any = self.cycle
        if cycle is None or cycle.response_complete or not cycle.response_started:
            head = (
                f"HTTP/1.1 {status} {REASONS[status]}\r\n"
                "content-type: text/plain; charset=utf-8\r\n"
                f"content-length: {len(sentence)}\r\nconnection: close\r\n\r\n"
            )
            self.transport.write(head.encode() + sentence)
        self.begun = 0.0
        self.transport.close()


REASONS = {400: "Bad Request", 408: "Request Timeout"}
