"""How is a request taken whose sender waits for nothing but the commit?

The second road of api/ingest.py: its key is known, its head promises nothing unusual,
its body is all there. No coroutine, no thread: the answer is given by a callback.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from random import getrandbits

from django.conf import settings

from alertcenter.alerts import intake
from alertcenter.alerts.events import Parsed
from alertcenter.alerts.repeats import FLUSH_SECONDS, Repeats, Sifted
from alertcenter.api import keys, limits, raw, refusals, telemetry
from alertcenter.api.ingest import Sent, finished, parse
from alertcenter.api.protocols import ALERTMANAGER, Protocol, Reply
from alertcenter.common import tracing
from alertcenter.common.errors import Refused
from tenants.models.apikey import Scope

Respond = Callable[[int, bytes, list[tuple[bytes, bytes]]], None]


class Memory:
    """The repeats that this process answers, while it runs (asgi.py)."""

    def __init__(self) -> None:
        self.repeats: Repeats | None = None
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Remember from now on. Needs the running event loop."""
        self.repeats = Repeats()
        self._tick(asyncio.get_running_loop())

    def stop(self) -> None:
        """Hand what waits to the writer, and remember nothing more."""
        if self._timer is not None:
            self._timer.cancel()
        repeats, self.repeats, self._timer = self.repeats, None, None
        if repeats is not None:
            repeats.flush(self._write, everything=True)
        telemetry.TALLY.flush()

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = loop.call_later(FLUSH_SECONDS, self._tick, loop)
        if self.repeats is not None:
            self.repeats.flush(self._write)
        telemetry.TALLY.flush()

    def _write(self, sifted: Sifted) -> None:
        repeats = self.repeats

        def done(outcome: intake.Outcome) -> None:
            if repeats is None:
                return
            if isinstance(outcome, intake.Accepted):
                repeats.confirm(sifted, outcome)
            else:
                repeats.forget()
                repeats.restore(sifted)

        try:
            intake.hand_over(
                sifted.tenant_id,
                sifted.parsed,
                done,
                correlation_id="",
                loop=asyncio.get_running_loop() if repeats else None,
                counts=sifted.counts,
            )
        except intake.Overloaded as error:
            done(error)


MEMORY = Memory()


def admitted(
    protocol: Protocol, slug: str, headers: Mapping[bytes, bytes], peer: str
) -> Sent | None:
    """Return the request, but for its body, if it may take the quick road."""
    if UNUSUAL & headers.keys() or not raw.is_json(headers):
        return None
    if settings.TRUSTED_PROXIES and b"x-forwarded-for" in headers:
        peer = limits.behind(peer, headers[b"x-forwarded-for"].decode("latin-1"))
    length = headers.get(b"content-length", b"")
    if not length.isdigit() or int(length) > raw.MOST_BYTES:
        return None
    key = keys.remembered(headers.get(b"authorization", b""))
    if key is None or key.slug != slug or Scope.INGEST not in key.scopes:
        return None
    given = headers.get(b"x-correlation-id")
    correlation_id = (
        f"{getrandbits(64):016x}"
        if given is None
        else tracing.accepted(given.decode("latin-1"))
    )
    return Sent(
        protocol,
        key,
        correlation_id,
        peer,
        refused=limits.LIMITS.refusal(key, peer),
    )


UNUSUAL = frozenset(
    {
        b"content-encoding",
        b"transfer-encoding",
        b"expect",
        b"upgrade",
        b"idempotency-key",
    }
)


def take(sent: Sent, respond: Respond) -> None:
    """Read the events in the body and see that `respond` is called once, when they are
    committed."""
    protocol, key = sent.protocol, sent.key
    if sent.refused:
        respond(*protocol.refuse(sent.refused))
        return
    repeats = MEMORY.repeats if protocol is ALERTMANAGER else None
    sifted = repeats.sift(key.tenant_id, sent.body) if repeats else None
    try:
        parsed = sifted.parsed if sifted else parse(sent)
        number = len(parsed.events) + (sifted.remembered if sifted else 0)
        limits.LIMITS.spend(key, sent.address, number, len(parsed.errors))
        if sifted and sifted.remembered:
            telemetry.TALLY.remembered += sifted.remembered
            telemetry.TALLY.events(protocol.name, "accepted", sifted.remembered)
            if not parsed.events:
                respond(200, b"", [])
                return

        def done(outcome: intake.Outcome) -> None:
            respond(*_concluded(sent, parsed, sifted, outcome))

        intake.hand_over(
            key.tenant_id,
            parsed,
            done,
            correlation_id=sent.correlation_id,
            loop=asyncio.get_running_loop(),
            counts=sifted.counts if sifted else None,
        )
    except Refused as refused:
        respond(*protocol.refuse(refused))
    except intake.Overloaded:
        respond(*protocol.refuse(refusals.overloaded()))


def _concluded(
    sent: Sent, parsed: Parsed, sifted: Sifted | None, outcome: intake.Outcome
) -> Reply:
    """Return the answer to what became of the events."""
    repeats = MEMORY.repeats
    if not isinstance(outcome, intake.Accepted):
        if repeats:
            repeats.forget()
        return sent.protocol.refuse(refusals.away())
    if sifted and repeats:
        repeats.confirm(sifted, outcome)
    result = finished(sent, parsed, outcome, telemetry.TALLY.events)
    return sent.protocol.answer(result)
