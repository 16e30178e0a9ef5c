"""How does a mail come in? By SMTP, to an address that holds the key of an integration.

`<key>@anything` or `name+<key>@anything`. A mail is answered 250 when it is committed,
never before; nobody's mail is passed on to anybody.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections import Counter
from typing import Any, ClassVar

from aiosmtpd.smtp import SMTP, Envelope, Session

from alertcenter.alerts import translate
from alertcenter.alerts.sources.adapter import Incoming
from alertcenter.api import incoming, ingest, limits, raw
from alertcenter.api.mime import fields_of
from alertcenter.api.protocols import Protocol, own_answer, own_refusal
from alertcenter.common import tracing
from alertcenter.common.errors import Refused
from tenants.apikeys import KeyInfo
from tenants.models.apikey import Kind, Scope

log = logging.getLogger(__name__)

NAME = "email"
MOST_BYTES = 1 << 20
MOST_RECIPIENTS = 20
# Conversations at once: of everybody, and of one address.
MOST_OPEN = 200
MOST_OF_ONE = 20
LATER = "451 4.3.0 Please try again later"
KEY = re.compile(r"(?:^|\+)([0-9a-f]{32})@", re.IGNORECASE)


class Handler:
    """What aiosmtpd asks at each step of a conversation."""

    async def handle_RCPT(  # noqa: N802
        self,
        _server: SMTP,
        session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        """Take recipients that are keys; 550 for all others, so nothing is relayed."""
        if len(envelope.rcpt_tos) >= MOST_RECIPIENTS:
            return "452 4.5.3 Too many recipients"
        peer = session.peer[0] if session.peer else ""
        found = KEY.search(address)
        try:
            key = await opened(found[1].lower() if found else "", peer)
        except Refused as refused:
            if refused.status in (429, 503):
                return LATER
            return "550 5.1.1 There is no such mailbox"
        envelope.rcpt_tos.append(address)
        named: dict[str, KeyInfo] = session.__dict__.setdefault("keys", {})
        named[address] = key
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, _server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Keep the mail for each recipient; 250 after the last commit."""
        peer = session.peer[0] if session.peer else ""
        content = envelope.original_content or b""
        named: dict[str, KeyInfo] = session.__dict__.get("keys", {})
        wanted = {named[address].id: named[address] for address in envelope.rcpt_tos}
        try:
            sender = envelope.mail_from or ""
            mail = await asyncio.to_thread(fields_of, content, sender)
            for key in wanted.values():
                await asyncio.to_thread(keep, key, mail, content, peer)
        except Refused as refused:
            log.info("mail_refused", extra={"error": refused.code})
            later = refused.status in (429, 503)
            return LATER if later else "554 5.6.0 Refused"
        return "250 OK"

    async def handle_exception(self, error: Exception) -> str:
        """A fault of ours: the sender keeps the mail, and hears nothing of us."""
        log.error("mail_failed", exc_info=error)
        return LATER


async def opened(plaintext: str, peer: str) -> KeyInfo:
    """Return the key of a recipient. Raises Refused."""
    key = await ingest.opened(plaintext, None, peer)
    if key.kind == Kind.API or Scope.INGEST not in key.scopes:
        raise Refused(404, "not_found", "no such mailbox")
    return key


def keep(key: KeyInfo, mail: dict[str, str], content: bytes, peer: str) -> None:
    """Commit what the mail says. Raises Refused."""
    if refused := limits.LIMITS.refusal(key, peer):
        raise refused
    settings = key.origin.settings if key.origin else {}
    found = translate.translate(NAME, Incoming(mail), settings)
    ingest.kept_now(
        ingest.Sent(
            Protocol(NAME, lambda _body: found.parsed, own_answer, own_refusal),
            key,
            tracing.current(),
            peer,
            raw.as_json(mail),
            content_type="application/json",
            scope=incoming.scope_of(key, NAME),
            context={"adapter": found.adapter, "bytes": len(content)},
            not_understood=found.not_understood,
        )
    )


class Conversation(SMTP):
    """One connection, while there are not too many."""

    open_by: ClassVar[Counter[str]] = Counter()
    address: str | None = None

    def connection_made(self, transport: Any) -> None:
        peer = transport.get_extra_info("peername")
        address = str(peer[0]) if peer else ""
        mine, all_of_them = self.open_by[address], self.open_by.total()
        if mine >= MOST_OF_ONE or all_of_them >= MOST_OPEN:
            transport.write(b"421 4.7.0 Too many connections\r\n")
            transport.close()
            return
        self.address = address
        self.open_by[address] += 1
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self.address is None:
            return
        self.open_by[self.address] -= 1
        if self.open_by[self.address] <= 0:
            del self.open_by[self.address]
        self.address = None
        super().connection_lost(error)

    def data_received(self, data: bytes) -> None:
        if self.address is not None:
            super().data_received(data)

    def eof_received(self) -> bool | None:
        return super().eof_received() if self.address is not None else None


def conversation() -> SMTP:
    """Return one connection's server, with our limits."""
    return Conversation(
        Handler(),
        data_size_limit=MOST_BYTES,
        enable_SMTPUTF8=True,
        timeout=60,
        ident="AlertCenter",
        hostname="alertcenter",
    )


async def serve(host: str, port: int, stop: asyncio.Event) -> None:
    """Listen until `stop` is set."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(conversation, host=host, port=port)
    log.info("smtp_ready")
    await stop.wait()
    server.close()
    await server.wait_closed()
