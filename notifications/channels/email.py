"""How does a delivery reach a mailbox? By SMTP, or in simulation as a stored row.

What a mail looks like is `letters`' matter. One delivery is one Message-ID however
often it is tried, so that a mailbox can drop the twin of a doubtful attempt.
"""

from __future__ import annotations

import smtplib
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy

from notifications import stopping
from notifications.channels import letters
from notifications.channels.base import (
    NETWORK_SECONDS,
    ContactSpec,
    DeliveryError,
    Parcel,
    Receipt,
    Setting,
    Spec,
)
from notifications.models import SimulatedMessage
from tenants.rls import in_tenant

SMTP_PORT, SMTPS_PORT, SUBMISSION_PORT = 25, 465, 587
FIRST_PERMANENT_REPLY = 500  # RFC 5321 4.2.1: 5yz, do not repeat
FIRST_REFUSAL = 400
LEAST_SECONDS = 0.5
KINDS = ("page", "reply", "test")


def a_mailbox(address: str) -> str:
    """Return an e-mail address. Raises ValidationError."""
    validate_email(address)
    return address


def mailboxes(addresses: list[str]) -> list[str]:
    """Return e-mail addresses. Raises ValidationError."""
    return [a_mailbox(address) for address in addresses]


SPEC = Spec(
    kind="email",
    label=gettext_lazy("E-mail"),
    about=gettext_lazy("Mailboxes, each with a mail of its own."),
    settings=(
        Setting(
            "to",
            gettext_lazy("Addresses"),
            gettext_lazy(
                "E-mail addresses, one a line; none: the channel only carries "
                "members' own mail."
            ),
            kind="lines",
            check=mailboxes,
        ),
    ),
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
    try:
        validate_email(parcel.address)
    except ValidationError as error:
        raise DeliveryError("this is no e-mail address", permanent=True) from error
    with in_tenant(parcel.tenant_id):
        stopped = stopping.is_stopped(parcel.tenant_id, parcel.address)
    if stopped:
        raise DeliveryError(stopping.STOPPED, permanent=True)
    letter = letters.write(parcel)
    if settings.SIMULATION:
        return keep(parcel, letter)
    return transmit(parcel.address, letter)


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
            },
        )
    return Receipt(provider_id=headers["Message-ID"], answer="250 simulated")


def transmit(address: str, letter: EmailMessage) -> Receipt:
    """Hand the mail to the server, step by step: each fails in its own way."""
    utf8 = [] if address.isascii() else ["SMTPUTF8"]
    body = letters.as_bytes(letter, utf8=bool(utf8))
    hurry = Hurry()
    with told_apart():
        server = connect(hurry)
    try:
        with told_apart():
            accepted(hurry.on(server).mail(letters.sender_address(), utf8))
            accepted(hurry.on(server).rcpt(address))
        # From here on silence means that nobody knows: the mail may be on its way.
        with told_apart(ambiguous=True):
            answer = accepted(Hurry().on(server).data(body))
    finally:
        farewell(server)
    return Receipt(provider_id=str(letter["Message-ID"]), answer=answer)


class Hurry:
    """The time that all steps up to the mail itself share: a lease is not long, and
    a server that is slow at each step must not outlast it."""

    def __init__(self) -> None:
        self.ends = time.monotonic() + NETWORK_SECONDS

    @property
    def left(self) -> float:
        return max(LEAST_SECONDS, self.ends - time.monotonic())

    def on(self, server: smtplib.SMTP) -> smtplib.SMTP:
        """Return the session, which now waits no longer than what is left."""
        if server.sock is not None:
            server.sock.settimeout(self.left)
        return server


def connect(hurry: Hurry) -> smtplib.SMTP:
    """Open a session with the server of ALERTCENTER_EMAIL_URL.

    smtp://user:password@host:port; smtps:// is TLS from the first byte; on port
    587 the session is upgraded by STARTTLS, or not used at all.
    """
    parts = urlsplit(settings.EMAIL_URL)
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise DeliveryError("no mail server is set up", permanent=True)
    secure = parts.scheme == "smtps"
    port = parts.port or (SMTPS_PORT if secure else SMTP_PORT)
    server = session(parts.hostname, port, secure=secure)
    try:
        if port == SUBMISSION_PORT and not secure:
            hurry.on(server).starttls(context=ssl.create_default_context())
        hurry.on(server).ehlo_or_helo_if_needed()
        if parts.username:
            name, password = unquote(parts.username), unquote(parts.password or "")
            hurry.on(server).login(name, password)
    except (OSError, smtplib.SMTPException):
        server.close()
        raise
    return server


def session(host: str, port: int, *, secure: bool) -> smtplib.SMTP:
    if not secure:
        return smtplib.SMTP(host, port, timeout=NETWORK_SECONDS)
    context = ssl.create_default_context()
    return smtplib.SMTP_SSL(host, port, timeout=NETWORK_SECONDS, context=context)


def farewell(server: smtplib.SMTP) -> None:
    """Say QUIT; the mail's fate is settled whether or not anybody listens."""
    try:
        if server.sock is not None:
            server.sock.settimeout(LEAST_SECONDS)
        server.quit()
    except (OSError, smtplib.SMTPException):
        server.close()


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
