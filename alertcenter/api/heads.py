"""How much may a client send that is no body? Uvicorn's fast parser has no measure.

Endless headers, trailers and chunk extensions would be gathered in memory until there
is none left, before anybody is asked who he is.
"""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_BYTES = 128 * 1024


class MeasuredProtocol(HttpToolsProtocol):
    """Ends a connection that sends too much between two events of the parser."""

    unparsed = 0

    def data_received(self, data: bytes) -> None:
        self.unparsed += len(data)
        super().data_received(data)
        if self.unparsed > MOST_BYTES and not self.transport.is_closing():
            self.send_400_response("The head of the request is too long.")

    def on_message_begin(self) -> None:
        self.unparsed = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self.unparsed = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self.unparsed = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self.unparsed = 0
        super().on_message_complete()
