"""How does a delivery reach a mailbox? By SMTP, or in simulation as a stored row.

What a mail looks like is `letters`' matter. One delivery is one Message-ID however
often it is tried, so that a mailbox can drop the twin of a doubtful attempt.
"""

from __future__ import annotations

import json
import re
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from email.message import EmailMessage

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy

from notifications import stopping
from notifications.channels import letters
from notifications.channels.base import (
    ContactSpec,
    DeliveryError,
    Parcel,
    Receipt,
    Spec,
)
from notifications.channels.email_server import (
    LEAST_SECONDS,
    Hurry,
    open_session,
    server_for,
)
from notifications.channels.email_settings import SETTINGS, a_mailbox
from notifications.channels.email_settings import check as check_settings
from notifications.channels.letters_text import mail_address
from notifications.enclosures import enclosures
from notifications.models import Channel, SimulatedMessage
from tenants.fields import reveal
from tenants.rls import in_tenant

FIRST_PERMANENT_REPLY = 500  # RFC 5321 4.2.1: 5yz, do not repeat
FIRST_REFUSAL = 400
FIRST_DOT = re.compile(rb"(?m)^\.")
KINDS = ("page", "reply", "test")


SPEC = Spec(
    kind="email",
    label=gettext_lazy("E-mail"),
    about=gettext_lazy("Mailboxes, each with a mail of its own."),
    settings=SETTINGS,
    check=check_settings,
    place=lambda settings: ", ".join(settings.get("to") or []),
    addresses=lambda settings: [str(to) for to in settings.get("to") or []],
    contact=ContactSpec(
        gettext_lazy("An e-mail address."), a_mailbox, needs_channel=False
    ),
    words_like="email",
)


def send(parcel: Parcel) -> Receipt:
    """Send one delivery. Raises DeliveryError."""
    if parcel.kind not in KINDS:
        return Receipt(answer="nothing to redraw in a mailbox")
    check(parcel.address)
    with in_tenant(parcel.tenant_id):
        if stopping.is_stopped(parcel.tenant_id, parcel.address):
            raise DeliveryError(stopping.STOPPED, permanent=True)
        parcel = with_server_for_members(parcel)
        files = enclosures(parcel)
    letter = letters.write(parcel, files)
    if settings.SIMULATION:
        return keep(parcel, letter)
    return transmit(parcel, letter)


def check(address: str) -> None:
    """Raises DeliveryError unless one mailbox is named."""
    try:
        validate_email(address)
        mail_address(address)
    except (ValidationError, ValueError) as error:
        raise DeliveryError("this is no e-mail address", permanent=True) from error


def with_server_for_members(parcel: Parcel) -> Parcel:
    """Return the parcel with the settings of the channel that carries members' own
    mail, if the tenant has one: then it leaves by that channel's server."""
    if parcel.channel_id is not None:
        return parcel
    channel = (
        Channel.objects.filter(tenant_id=parcel.tenant_id, kind="email", active=True)
        .filter(settings__for_members=True)
        .order_by("created_at", "id")
        .first()
    )
    if channel is None:
        return parcel
    secret = json.loads(reveal(channel, "secret") or "{}")
    return replace(parcel, settings=dict(channel.settings), secret=secret)


def keep(parcel: Parcel, letter: EmailMessage) -> Receipt:
    """Put the mail where the simulation shows it."""
    headers = {name: str(value) for name, value in letter.items()}
    with in_tenant(parcel.tenant_id):
        SimulatedMessage.objects.create(
            tenant_id=parcel.tenant_id,
            kind="email",
            channel_id=parcel.channel_id,
            address=parcel.address,
            payload={
                "to": parcel.address,
                "subject": headers["Subject"],
                "text": letters.part(letter, "plain"),
                "html": letters.part(letter, "html"),
                "headers": headers,
                "files": [part.get_filename() for part in letter.iter_attachments()],
            },
        )
    return Receipt(provider_id=headers["Message-ID"], answer="250 simulated")


def transmit(parcel: Parcel, letter: EmailMessage) -> Receipt:
    """Hand the mail to the server, step by step: each fails in its own way."""
    address = mail_address(parcel.address)
    utf8 = [] if address.isascii() else ["SMTPUTF8"]
    body = letters.as_bytes(letter, utf8=bool(utf8))
    server, hurry = server_for(parcel.settings, parcel.secret), Hurry()
    with told_apart():
        session = open_session(server, hurry)
    try:
        with told_apart():
            if utf8 and not session.has_extn("smtputf8"):
                raise DeliveryError("the server takes ASCII addresses", permanent=True)
            accepted(hurry.on(session).mail(letters.sender(parcel).addr_spec, utf8))
            accepted(hurry.on(session).rcpt(address))
            accepted(hurry.on(session).docmd("data"))
        # From here on silence means that nobody knows: the mail may be on its way.
        with told_apart(ambiguous=True):
            Hurry().on(session).send(with_end(body))
            answer = accepted(session.getreply())
    finally:
        farewell(session)
    return Receipt(provider_id=str(letter["Message-ID"]), answer=answer)


def with_end(body: bytes) -> bytes:
    """Return the mail with its end, and no end before (RFC 5321 4.5.2)."""
    tail = b"" if body.endswith(b"\r\n") else b"\r\n"
    return FIRST_DOT.sub(b"..", body) + tail + b".\r\n"


def farewell(session: smtplib.SMTP) -> None:
    """Say QUIT; the mail's fate is settled whether or not anybody listens."""
    try:
        if session.sock is not None:
            session.sock.settimeout(LEAST_SECONDS)
        session.quit()
    except (OSError, smtplib.SMTPException):
        session.close()


def accepted(reply: tuple[int, bytes]) -> str:
    """Return the server's words. Raises DeliveryError for 4yz and 5yz."""
    code, said = reply
    words = f"{code} {said.decode(errors='replace')}"
    if code >= FIRST_REFUSAL or code < 0:
        raise DeliveryError(words, permanent=code >= FIRST_PERMANENT_REPLY)
    return words


@contextmanager
def told_apart(*, ambiguous: bool = False) -> Iterator[None]:
    """Turn what smtplib raises into DeliveryError.

    A wrong password is tried again: who runs the server repairs it, not the
    recipient, and the page should still go out then.
    """
    try:
        yield
    except smtplib.SMTPDataError as error:
        permanent = error.smtp_code >= FIRST_PERMANENT_REPLY
        raise DeliveryError(reason_of(error), permanent=permanent) from error
    except smtplib.SMTPResponseException as error:
        raise DeliveryError(reason_of(error)) from error
    except (OSError, smtplib.SMTPException) as error:
        reason = f"{type(error).__name__}: {error}"
        raise DeliveryError(reason, ambiguous=ambiguous) from error


def reason_of(error: smtplib.SMTPResponseException) -> str:
    said = error.smtp_error
    words = said.decode(errors="replace") if isinstance(said, bytes) else said
    return f"{error.smtp_code} {words}"
