"""Does a call to a tenant's address stay outside, and end in time?"""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from alertcenter.common import outbound
from alertcenter.common.http import parse_address
from alertcenter.common.outbound import OutboundError

LOOPBACK = [ipaddress.ip_network("127.0.0.0/8")]


def post(url: str, seconds: float = 1.0, **more: str) -> outbound.Answer:
    headers = {"Content-Type": "application/json"} | more
    return outbound.request(
        "POST", url, b"{}", headers, allowed=LOOPBACK, seconds=seconds
    )


@contextmanager
def server(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """Answers one call on loopback by this function; yields where."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            sock, _ = listening.accept()
            with sock:
                sock.recv(65_536)
                answer(sock)

    threading.Thread(target=serve, daemon=True).start()
    with listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/x"


def dripping(head: bytes) -> Callable[[socket.socket], None]:
    def drip(sock: socket.socket) -> None:
        sock.sendall(head)
        for _ in range(200):
            sock.sendall(b"a")
            time.sleep(0.05)

    return drip


def test_who_answers_a_letter_at_a_time_is_not_waited_for():
    begun = time.monotonic()
    with server(dripping(b"")) as url, pytest.raises(OutboundError) as refusal:
        post(url, seconds=0.5)
    assert time.monotonic() - begun < 3
    assert refusal.value.begun
    assert refusal.value.reason == "no whole answer in time"


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nX-A: ", b"HTTP/1.1 200 OK"])
def test_of_an_answer_that_never_ends_the_status_counts(head):
    begun = time.monotonic()
    with server(dripping(head)) as url:
        assert post(url, seconds=0.5).status == 200
    assert time.monotonic() - begun < 3


def test_a_body_that_never_ends_is_cut_and_the_status_counts():
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"
    begun = time.monotonic()
    with server(dripping(head)) as url:
        answer = post(url, seconds=0.5)
    assert time.monotonic() - begun < 3
    assert answer.status == 200


def test_a_redirect_is_an_answer_and_not_followed():
    def redirect(sock: socket.socket) -> None:
        sock.sendall(
            b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\n"
            b"Content-Length: 0\r\n\r\n"
        )

    with server(redirect) as url:
        assert post(url).status == 302


@pytest.mark.parametrize("token", ["a\r\nX-Other: 1", "a\nb", "clé ☃"])
def test_a_header_that_would_be_two_is_refused(token):
    with server(lambda _: None) as url, pytest.raises(OutboundError) as refusal:
        post(url, Authorization=f"Bearer {token}")
    assert refusal.value.refused
    assert not refusal.value.begun


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1",
        "10.1.2.3",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "::1",
        "::",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::127.0.0.1",
        "::ffff:0:127.0.0.1",
        "64:ff9b::127.0.0.1",
        "64:ff9b:1::10.0.0.1",
        "2002:7f00:1::",
        "fe80::1",
        "fec0::1",
        "fd00:ec2::254",
        "ff02::1",
    ],
)
def test_what_leads_inside_is_not_connected_to(text):
    address = parse_address(text)
    assert address is not None
    assert not outbound.is_allowed(address, [])


@pytest.mark.parametrize("text", ["1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1"])
def test_what_is_public_is(text):
    address = parse_address(text)
    assert address is not None
    assert outbound.is_allowed(address, [])


@pytest.mark.parametrize(
    "host", ["localhost", "127.1", "2130706433", "0x7f.1", "[::1]"]
)
def test_the_address_counts_and_not_how_it_is_written(host):
    with pytest.raises(OutboundError) as refusal:
        outbound.request("POST", f"http://{host}:9/", b"", {}, allowed=[], seconds=1.0)
    assert refusal.value.refused or "cannot be found" in refusal.value.reason
