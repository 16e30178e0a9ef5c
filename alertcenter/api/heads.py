"""How much, and for how long, may a client send that is no request yet?

Uvicorn's fast parser has no measure: endless headers, trailers and chunk extensions
would be gathered in memory until there is none left, before anybody is asked who he
is; and whoever sends a byte a minute would hold a connection for ever.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_BYTES = 128 * 1024
# A whole request, its body included, arrives within this time.
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
        super().data_received(data)
        if self.unparsed > MOST_BYTES and not self.transport.is_closing():
            self.send_400_response("The head of the request is too long.")

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
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self.unparsed = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self.unparsed = 0
        self.begun = 0.0
        super().on_message_complete()

    # --- time ---

    def watch(self) -> None:
        """Look at this connection every few seconds while it lives."""
        if self.transport.is_closing():
            return
        self.watching = self.loop.call_later(WATCH_SECONDS, self.watch)
        self.judge(time.monotonic())

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
