"""Who is calling, and what may a page of ours load?"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# Our own files only: no inline script, no inline style, no foreign host.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; frame-src 'self'; manifest-src 'self'; "
    "worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def client_address(
    peer: str, forwarded_for: Iterable[str], trusted: Sequence[Network]
) -> str:
    """Return the right-most hop that is no proxy of ours.

    `peer` is the other end of the connection, `forwarded_for` the values of all
    X-Forwarded-For headers in order. What stands left of an untrusted hop was
    written by a stranger and is not believed.
    """
    hops = [hop.strip() for line in forwarded_for for hop in line.split(",")]
    current = peer
    while hops and is_among(current, trusted):
        hop = hops.pop()
        if parse_address(hop) is None:
            break
        current = hop
    return current


def is_among(text: str, networks: Sequence[Network]) -> bool:
    """Whether the address `text` lies in one of `networks`."""
    address = parse_address(text)
    return address is not None and any(address in network for network in networks)


def is_loopback(text: str) -> bool:
    """Whether the address `text` is this machine's own."""
    address = parse_address(text)
    return address is not None and address.is_loopback


def parse_address(text: str) -> Address | None:
    """Return the address, an IPv4 one for its IPv6 form; None for other text."""
    try:
        address = ipaddress.ip_address(text.strip().strip("[]"))
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address
