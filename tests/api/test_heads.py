"""Can a stranger fill the memory with what is no body?"""

from __future__ import annotations

import socket
import time
from typing import Any
from urllib.parse import urlsplit

import pytest

from alertcenter.api.heads import READ_SECONDS, MeasuredProtocol

START = b"POST /login/ HTTP/1.1\r\nHost: 127.0.0.1\r\n"
CHUNKED = START + b"Transfer-Encoding: chunked\r\n\r\n"
PIECE = b"a" * 65_536
TOO_MANY = 64  # pieces, 4 MB


def pour(stack, beginning: bytes) -> tuple[int, bytes]:
    """Return how many pieces were taken behind `beginning`, and the answer."""
    place = urlsplit(stack.url)
    with socket.create_connection((place.hostname, place.port), 5) as line:
        taken = 0
        try:
            line.sendall(beginning)
            while taken < TOO_MANY:
                line.sendall(PIECE)
                taken += 1
            return taken, line.recv(200)
        except ConnectionError:
            return taken, b""


@pytest.mark.parametrize(
    "beginning",
    [
        START + b"X-Endless: ",
        b"GET /",
        CHUNKED + b"1;endless=",
        CHUNKED + b"1\r\nx\r\n0\r\nX-Endless: ",
    ],
    ids=["header", "address", "chunk extension", "trailer"],
)
def test_endless_heads_are_cut_off(stack, beginning):
    taken, answer = pour(stack, beginning)
    assert taken < TOO_MANY or answer.startswith(b"HTTP/1.1 400"), (taken, answer)


def test_a_long_head_and_a_long_body_are_read(stack):
    place = urlsplit(stack.url)
    with socket.create_connection((place.hostname, place.port), 5) as line:
        long = b"X-Long: " + b"a" * 30_000 + b"\r\n"
        body = b"x" * 2_000_000
        length = b"Content-Length: %d\r\n\r\n" % len(body)
        line.sendall(START + long + length + body)
        assert line.recv(200).startswith(b"HTTP/1.1 403")  # no CSRF token


def exchanged(stack, *pieces: bytes) -> bytes:
    """Return all that is answered to `pieces`, sent with a pause between them."""
    place = urlsplit(stack.url)
    with socket.create_connection((place.hostname, place.port), 5) as line:
        for piece in pieces:
            line.sendall(piece)
            time.sleep(0.2)
        line.shutdown(socket.SHUT_WR)
        answer = b""
        while more := line.recv(65_536):
            answer += more
        return answer


def test_a_trailer_is_no_header(stack):
    beginning = START + b"Transfer-Encoding: chunked\r\nX-Correlation-Id: head\r\n\r\n"
    body = b"1\r\nx\r\n0\r\nX-Correlation-Id: trailer\r\n\r\n"
    answer = exchanged(stack, beginning + body).lower()
    assert b"x-correlation-id: head\r\n" in answer


INNER = b"GET /t/x/-/healthy HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@pytest.mark.parametrize("protocol", [b"h2c", b"websocket"])
@pytest.mark.parametrize("together", [True, False])
def test_a_body_behind_an_offer_to_upgrade_is_a_body(stack, protocol, together):
    """Else it would be a request of its own, whose answer another client gets."""
    offer = b"Connection: Upgrade\r\nUpgrade: " + protocol + b"\r\n"
    head = START + offer + b"Content-Length: %d\r\n\r\n" % len(INNER)
    pieces = [head + INNER + INNER] if together else [head, INNER, INNER]
    answer = exchanged(stack, *pieces)
    assert answer.startswith(b"HTTP/1.1 403"), answer  # no CSRF token
    assert answer.count(b"HTTP/1.1 200") == 1, answer  # that of the second one


def test_connect_is_refused(stack):
    answer = exchanged(stack, b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n" + INNER)
    assert answer.startswith(b"HTTP/1.1 400"), answer
    assert answer.count(b"HTTP/1.1") == 1, answer


class Buffer:
    """A connection of which only what it holds matters."""

    held = 0

    def get_write_buffer_size(self) -> int:
        return self.held


def test_who_takes_nothing_of_his_answer_is_deaf():
    protocol = object.__new__(MeasuredProtocol)
    buffer: Any = Buffer()
    protocol.transport = buffer
    assert not protocol.is_deaf(1_000.0)
    buffer.held = 90_000
    assert not protocol.is_deaf(2_000.0)
    assert not protocol.is_deaf(2_000.0 + READ_SECONDS)
    assert protocol.is_deaf(2_001.0 + READ_SECONDS)
    buffer.held = 89_999
    assert not protocol.is_deaf(2_001.0 + READ_SECONDS)


def test_who_takes_no_file_keeps_nobody_waiting(stack):
    """More of them than there are threads for pages."""
    place = urlsplit(stack.url)
    file = (
        b"GET /static/admin/js/vendor/jquery/jquery.js HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    )
    lines = []
    for _ in range(30):
        line = socket.create_connection((place.hostname, place.port), 5)
        line.sendall((file + b"\r\n") * 40)
        lines.append(line)
    time.sleep(2)
    try:
        assert exchanged(stack, PAGE).startswith(b"HTTP/1.1 200")
    finally:
        for line in lines:
            line.close()


PAGE = b"GET /login/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
