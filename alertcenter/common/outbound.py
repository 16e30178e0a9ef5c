"""How is an address that a tenant wrote down called, without letting it reach inwards?

A tenant's webhook must not become the server's own hand: only addresses that the
operator allows are connected to (public ones, and what ALERTCENTER_OUTBOUND_ALLOW
names), the name is resolved once and that very address is used, redirects are not
followed, and both the time and the answer are bounded.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from alertcenter.common.http import Address, Network, parse_address

MOST_ANSWER = 64 * 1024
LONGEST_URL = 2_000
# IPv6 addresses that stand for IPv4 ones, of which the last 32 bits may be inside
# (NAT64, both; IPv4-compatible; translated), or that were local once.
DISGUISES = [
    ipaddress.ip_network(text)
    for text in ("64:ff9b::/96", "64:ff9b:1::/48", "::/96", "::ffff:0:0:0/96")
]


class OutboundError(Exception):
    """A call that did not succeed. `begun`: the request may have arrived."""

    def __init__(self, reason: str, *, begun: bool = False, refused: bool = False):
        super().__init__(reason)
        self.reason = reason
        self.begun = begun
        self.refused = refused


@dataclass(frozen=True)
class Answer:
    """What the other side said, the body cut."""

    status: int
    body: str
    headers: Mapping[str, str]


def check_url(url: str) -> str:
    """Return `url` if it can be called at all. Raises OutboundError."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise OutboundError("This is no address.", refused=True) from error
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise OutboundError("An address begins with http:// or https://.", refused=True)
    if len(url) > LONGEST_URL or not url.isascii() or any(c <= " " for c in url):
        raise OutboundError("An address is short, without spaces.", refused=True)
    return url


def is_allowed(address: Address, allowed: Sequence[Network]) -> bool:
    """Whether this address may be connected to."""
    if any(address.version == one.version and address in one for one in allowed):
        return True
    if isinstance(address, ipaddress.IPv6Address) and (
        address.sixtofour
        or address.is_site_local
        or any(address in network for network in DISGUISES)
    ):
        return False
    return address.is_global and not address.is_multicast


def request(
    method: str,
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    allowed: Sequence[Network],
    seconds: float,
    most: int = MOST_ANSWER,
) -> Answer:
    """Call once. Raises OutboundError; an answer of any status is returned, its body
    cut after `most` bytes."""
    parts = urlsplit(check_url(url))
    secure = parts.scheme == "https"
    host = parts.hostname or ""
    port = parts.port or (443 if secure else 80)
    ends = time.monotonic() + seconds
    sock = _connect(host, port, allowed, ends)
    connection = http.client.HTTPConnection(host, port, timeout=seconds)
    try:
        if secure:
            context = ssl.create_default_context()
            sock = context.wrap_socket(
                sock, server_hostname=host, do_handshake_on_connect=False
            )
        connection.sock = sock
        target = parts.path or "/"
        if parts.query:
            target += f"?{parts.query}"
        with _until(ends, sock):
            if isinstance(sock, ssl.SSLSocket):
                sock.do_handshake()
            return _exchange(connection, method, target, body, headers, ends, most)
    except OSError as error:
        raise OutboundError(f"{host}: {_why(error, ends)}") from error
    except ValueError as error:  # a name or a header that cannot be sent
        raise OutboundError(f"{host}: {error}", refused=True) from error
    finally:
        connection.close()
        sock.close()


@contextmanager
def _until(ends: float, sock: socket.socket) -> Iterator[None]:
    """End what still goes over `sock` then: who sends a letter at a time is never too
    late for a time-out of the socket."""

    def cut() -> None:
        with suppress(OSError):
            socket.socket.shutdown(sock, socket.SHUT_RDWR)

    timer = threading.Timer(max(0.0, ends - time.monotonic()), cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _why(error: Exception, ends: float) -> str:
    if time.monotonic() >= ends:
        return "no whole answer in time"
    return f"{type(error).__name__}: {error}"


def _exchange(
    connection: http.client.HTTPConnection,
    method: str,
    target: str,
    body: bytes,
    headers: Mapping[str, str],
    ends: float,
    most: int,
) -> Answer:
    try:
        connection.request(method, target, body or None, dict(headers))
        answer = connection.getresponse()
        held = b""
        while len(held) < most and (chunk := answer.read1(16_384)):
            held += chunk
            if time.monotonic() > ends:
                break
    except (OSError, http.client.HTTPException) as error:
        raise OutboundError(_why(error, ends), begun=True) from error
    text = held[:most].decode(errors="replace").replace("\0", "")
    return Answer(answer.status, text, {k.lower(): v for k, v in answer.getheaders()})


def connect(
    host: str, port: int, *, allowed: Sequence[Network], seconds: float
) -> socket.socket:
    """Return a connection for other protocols than HTTP. Raises OutboundError."""
    sock = _connect(host, port, allowed, time.monotonic() + seconds)
    sock.settimeout(seconds)
    return sock


def _connect(
    host: str, port: int, allowed: Sequence[Network], ends: float
) -> socket.socket:
    """Connect to the first address of `host` that may be; never to another."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise OutboundError(f"{host} cannot be found.") from error
    refused, last = False, "no address"
    for family, kind, protocol, _name, where in found:
        address = parse_address(str(where[0]).partition("%")[0])
        if address is None or not is_allowed(address, allowed):
            refused = True
            continue
        sock = socket.socket(family, kind, protocol)
        sock.settimeout(max(0.1, ends - time.monotonic()))
        try:
            sock.connect(where)
            return sock
        except OSError as error:
            sock.close()
            last, refused = str(error), False
    if refused:
        raise OutboundError(
            f"{host} is an address inside; the operator allows such addresses by "
            "ALERTCENTER_OUTBOUND_ALLOW.",
            refused=True,
        )
    raise OutboundError(f"{host}: {last}")
