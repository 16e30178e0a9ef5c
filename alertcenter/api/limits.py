"""Is this sender taking more than his share? Buckets for tenant, key and address.

Looked at before a body is parsed, emptied by what was in it. Each process counts for
itself, without waiting; a thread of its own tells Redis a few times a second what was
taken here and hears what was taken elsewhere. Without Redis each process gives out its
share of the limit.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from alertcenter.api import telemetry
from alertcenter.common import http
from alertcenter.common.buckets import MOST_BUCKETS, Bucket, Buckets
from alertcenter.common.errors import Refused
from tenants.apikeys import KeyInfo

BURST_SECONDS = 10
# Wrong keys of one address: a slip or two of many people, not a search.
WRONG_KEYS = 30
WRONG_KEYS_A_SECOND = 0.5
# Other requests of the API, by key.
CALLS = 300
CALLS_A_SECOND = 50.0
# Pings, by heartbeat: a job in a loop should not write all day.
PINGS = 60
PINGS_A_SECOND = 2.0

TOO_MANY = {
    "tenant": _("This tenant sends more than %(rate)s events a second."),
    "key": _("This key sends more than %(rate)s events a second."),
    "address": _("This address sends more than %(rate)s events a second."),
    "guess": _("Too many wrong keys came from this address."),
    "call": _("This key calls more than %(rate)s times a second."),
    "ping": _("This heartbeat is pinged more than %(rate)s times a second."),
    "reading": _("This calendar is read more than %(rate)s times a second."),
}

Name = tuple[str, object]


@dataclass(frozen=True, slots=True)
class Quota:
    """Events a second, 0 for no limit."""

    tenant: int
    key: int
    address: int


@dataclass(slots=True)
class Use:
    """What was taken and refused since it was last written down."""

    events: int = 0
    refused: int = 0


class Limits:
    """The buckets of one process."""

    def __init__(self) -> None:
        self.usual = Quota(**settings.EVENTS_PER_SECOND)
        # Read by the thread (api/sharing.py) and replaced whole.
        self.quotas: Mapping[UUID, Quota] = {}
        # Of the limit, what this process may give out: all while Redis is heard.
        self.share = 1.0
        self.buckets: dict[Name, Bucket] = {}
        self.spent: dict[Name, int] = {}
        self.used: dict[UUID, Use] = {}
        self.breached: dict[UUID, str] = {}
        self.guesses = Buckets(WRONG_KEYS_A_SECOND, WRONG_KEYS)
        self.calls = Buckets(CALLS_A_SECOND, CALLS)
        self.pings = Buckets(PINGS_A_SECOND, PINGS)

    def refusal(self, key: KeyInfo, address: str) -> Refused | None:
        """Return why nothing more is taken now, or None."""
        quota = self.quotas.get(key.tenant_id, self.usual)
        if quota.tenant and self._left(("tenant", key.tenant_id), quota.tenant) < 1:
            return self._refused(key, "tenant", key.tenant_id, quota.tenant)
        if quota.key and self._left(("key", key.id), quota.key) < 1:
            return self._refused(key, "key", key.id, quota.key)
        if quota.address and self._left(("address", address), quota.address) < 1:
            return self._refused(key, "address", address, quota.address)
        return None

    def spend(self, key: KeyInfo, address: str, events: int, refused: int = 0) -> None:
        """Take what was in a body; what is wrong with it costs as much to find out."""
        use = self.used.get(key.tenant_id)
        if use is None:
            use = self.used[key.tenant_id] = Use()
        use.events += events
        quota = self.quotas.get(key.tenant_id, self.usual)
        events += refused
        if quota.tenant:
            self._spend(("tenant", key.tenant_id), quota.tenant, events)
        if quota.key:
            self._spend(("key", key.id), quota.key, events)
        if quota.address:
            self._spend(("address", address), quota.address, events)

    def _bucket(self, name: Name, rate: int) -> Bucket:
        bucket = self.buckets.get(name)
        if bucket is None or bucket.rate != rate:
            if len(self.buckets) >= MOST_BUCKETS:
                # Addresses are without number: they begin anew, tenants and keys not.
                self.buckets = {
                    known: bucket
                    for known, bucket in self.buckets.items()
                    if known[0] != "address"
                }
            bucket = Bucket(rate, rate * BURST_SECONDS, time.monotonic())
            self.buckets[name] = bucket
        return bucket

    def _left(self, name: Name, rate: int) -> float:
        return self._bucket(name, rate).look(time.monotonic(), self.share)

    def _spend(self, name: Name, rate: int, events: int) -> None:
        bucket = self._bucket(name, rate)
        bucket.left -= events
        self.spent[name] = self.spent.get(name, 0) + events

    def _refused(self, key: KeyInfo, what: str, name: object, rate: int) -> Refused:
        self.used.setdefault(key.tenant_id, Use()).refused += 1
        if what != "address":
            self.breached.setdefault(key.tenant_id, what)
        bucket = self.buckets[what, name]
        wait = bucket.seconds_until(1, self.share)
        return refused(what, rate, rate * BURST_SECONDS, wait)

    # --- those whose key is not known ---

    def stranger(self, address: str) -> Refused | None:
        """Return why no key of this address is looked up now, or None."""
        wait = self.guesses.wait(address)
        if not wait:
            return None
        return too_many_guesses(wait)

    def failed(self, address: str) -> None:
        """Note that the address came with a wrong key."""
        self.guesses.take(address)

    # --- everything but events ---

    def call(self, key: KeyInfo) -> Refused | None:
        """Take one call of the API; return why not, or None."""
        wait = self.calls.wait(key.id)
        if wait:
            return refused("call", CALLS_A_SECOND, CALLS, wait)
        self.calls.take(key.id)
        return None

    def ping(self, heartbeat_id: UUID) -> Refused | None:
        """Take one ping of a heartbeat; return why not, or None."""
        wait = self.pings.wait(heartbeat_id)
        if wait:
            return refused("ping", PINGS_A_SECOND, PINGS, wait)
        self.pings.take(heartbeat_id)
        return None


def refused(what: str, rate: float, burst: float, wait: float) -> Refused:
    """Return the refusal: how long to wait, and what the limit is
    (draft-ietf-httpapi-ratelimit-headers, and the three names that came before)."""
    telemetry.REFUSED.labels(what).inc()
    seconds = max(1, int(wait + 0.999))
    headers = {
        "Retry-After": str(seconds),
        "RateLimit-Limit": f"{burst:g}",
        "RateLimit-Remaining": "0",
        "RateLimit-Reset": str(seconds),
        "RateLimit-Policy": f'"{what}";q={burst:.0f};w={burst / rate:.0f}',
    }
    return Refused(429, "rate_limited", TOO_MANY[what] % {"rate": f"{rate:g}"}, headers)


def too_many_guesses(wait: float) -> Refused:
    """Return the refusal of who came with too many wrong keys or signatures."""
    return refused("guess", WRONG_KEYS_A_SECOND, WRONG_KEYS, wait)


LIMITS = Limits()


def address_of(scope: Any) -> str:
    """Return the client's address: of the connection, or what a proxy of ours says."""
    client = scope.get("client")
    peer = str(client[0]) if client else ""
    if not settings.TRUSTED_PROXIES:
        return peer
    forwarded = [
        value.decode("latin-1")
        for name, value in scope["headers"]
        if name == b"x-forwarded-for"
    ]
    return behind(peer, *forwarded)


def address_of_request(request: Any) -> str:
    """As `address_of`, for Django's requests, where equal headers are one."""
    peer = request.META.get("REMOTE_ADDR", "")
    return behind(peer, request.META.get("HTTP_X_FORWARDED_FOR", ""))


def behind(peer: str, *forwarded: str) -> str:
    """Return who stands behind the proxies that we trust."""
    return http.client_address(peer, forwarded, settings.TRUSTED_PROXIES)
