"""How does a mail come in? By SMTP, to an address that holds the key of an integration.

`<key>@anything` or `name+<key>@anything`. A mail is answered 250 when it is committed,
never before; nobody's mail is passed on to anybody.
"""

from __future__ import annotations

import asyncio
import email
import logging
import re
from email.message import EmailMessage
from email.policy import default

from aiosmtpd.smtp import SMTP, Envelope, Session

from alertcenter.alerts import translate
from alertcenter.alerts.sources.adapter import Incoming
from alertcenter.alerts.sources.bodies import as_text
from alertcenter.alerts.sources.shapes import plain
from alertcenter.api import incoming, ingest, limits, raw
from alertcenter.api.protocols import Protocol, own_answer, own_refusal
from alertcenter.common import tracing
from alertcenter.common.errors import Refused
from tenants.apikeys import KeyInfo
from tenants.models.apikey import Kind, Scope

log = logging.getLogger(__name__)

NAME = "email"
MOST_BYTES = 1 << 20
KEY = re.compile(r"(?:^|\+)([0-9a-f]{32})@", re.IGNORECASE)
LONGEST_TEXT = 30_000
MOST_ATTACHMENTS = 50


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
        peer = session.peer[0] if session.peer else ""
        found = KEY.search(address)
        try:
            key = await opened(found[1].lower() if found else "", peer)
        except Refused as refused:
            if refused.status in (429, 503):
                return "451 4.3.0 Please try again later"
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
        mail = fields_of(content, envelope.mail_from or "")
        named: dict[str, KeyInfo] = session.__dict__.get("keys", {})
        try:
            for address in envelope.rcpt_tos:
                key = named[address]
                await asyncio.to_thread(keep, key, mail, content, peer)
        except Refused as refused:
            log.info("mail_refused", extra={"error": refused.code})
            later = refused.status in (429, 503)
            return "451 4.3.0 Please try again later" if later else "554 5.6.0 Refused"
        return "250 OK"


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


def fields_of(content: bytes, envelope_from: str) -> dict[str, str]:
    """Return the parts of a mail that its adapter looks at; files by name only."""
    message = email.message_from_bytes(content, policy=default)
    assert isinstance(message, EmailMessage)
    found = {"from": header(message, "From") or envelope_from}
    for name in ("To", "Subject", "Date", "Message-ID", "References", "X-Priority"):
        found[name.lower() if name != "X-Priority" else name] = header(message, name)
    found["text"] = text_of(message)[:LONGEST_TEXT]
    names = [part.get_filename() or "" for part in message.walk()][:MOST_ATTACHMENTS]
    found["attachments"] = ", ".join(filter(None, names))
    return {name: value for name, value in found.items() if value}


def header(message: EmailMessage, name: str) -> str:
    """Return a header, "" for one that is missing or broken."""
    try:
        return str(message.get(name, ""))[:2_000]
    except (ValueError, IndexError, AttributeError, TypeError):
        # The standard library's parser of headers raises these for odd ones.
        return ""


def text_of(message: EmailMessage) -> str:
    """Return the words: the plain part, else the HTML without its tags."""
    words = {"text/plain": "", "text/html": ""}
    for part in message.walk():
        kind = part.get_content_type()
        if kind in words and not words[kind] and not part.get_filename():
            body = part.get_payload(decode=True)
            words[kind] = as_text(body) if isinstance(body, bytes) else ""
    return words["text/plain"].strip() or plain(words["text/html"])


def conversation() -> SMTP:
    """Return one connection's server, with our limits."""
    return SMTP(
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
