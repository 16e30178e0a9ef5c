"""Which server takes a mail, and how is a session with it opened?

The installation has one (ALERTCENTER_EMAIL_URL); a channel may name one of its own in
its settings: smtp_host, smtp_port, smtp_security (starttls, tls, none), smtp_user,
sender, and the secret smtp_password. A tenant's server is connected to as its webhooks
are: never to an address inside that the operator has not allowed.
"""

from __future__ import annotations

import smtplib
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parseaddr
from typing import Any
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from alertcenter.common import outbound
from notifications.channels.base import NETWORK_SECONDS, DeliveryError

SMTP_PORT, SMTPS_PORT, SUBMISSION_PORT = 25, 465, 587
NONE, STARTTLS, TLS = "none", "starttls", "tls"
PORTS = {NONE: SMTP_PORT, STARTTLS: SUBMISSION_PORT, TLS: SMTPS_PORT}
LEAST_SECONDS = 0.5
LONGEST_HOST = 253  # RFC 1035 2.3.4


class Hurry:
    """The time that all steps up to the mail itself share: a lease is not long, and
    a server that is slow at each step must not outlast it."""

    def __init__(self) -> None:
        self.ends = time.monotonic() + NETWORK_SECONDS

    @property
    def left(self) -> float:
        return max(LEAST_SECONDS, self.ends - time.monotonic())

    def on(self, session: smtplib.SMTP) -> smtplib.SMTP:
        """Return the session, which now waits no longer than what is left."""
        if session.sock is not None:
            session.sock.settimeout(self.left)
        return session


@dataclass(frozen=True)
class Server:
    """A mail server. `guarded`: a tenant named it."""

    host: str
    port: int
    security: str
    user: str = ""
    password: str = field(default="", repr=False)
    guarded: bool = False


def server_for(given: Mapping[str, Any], secret: Mapping[str, str]) -> Server:
    """Return the channel's own server, else the installation's.

    Raises DeliveryError when there is none, or one that cannot be used.
    """
    if not given.get("smtp_host"):
        return of_installation()
    wrong = problems(given, secret)
    if wrong:
        raise DeliveryError("; ".join(wrong.values()), permanent=True)
    security = str(given.get("smtp_security") or STARTTLS)
    return Server(
        host=str(given["smtp_host"]).strip(),
        port=int(port_of(given) or PORTS[security]),
        security=security,
        user=str(given.get("smtp_user") or ""),
        password=secret.get("smtp_password", ""),
        guarded=True,
    )


def of_installation() -> Server:
    """Return the server of ALERTCENTER_EMAIL_URL. Raises DeliveryError.

    smtp://user:password@host:port; smtps:// is TLS from the first byte; on port 587,
    and with smtp+starttls:// on any, the session is upgraded or not used at all.
    """
    parts = urlsplit(settings.EMAIL_URL)
    schemes = {"smtp": NONE, "smtps": TLS, "smtp+starttls": STARTTLS}
    if parts.scheme not in schemes or not parts.hostname:
        raise DeliveryError("no mail server is set up", permanent=True)
    security = schemes[parts.scheme]
    port = parts.port or PORTS[security]
    if port == SUBMISSION_PORT and security == NONE:
        security = STARTTLS
    name, password = unquote(parts.username or ""), unquote(parts.password or "")
    return Server(parts.hostname, port, security, name, password)


def problems(given: Mapping[str, Any], secret: Mapping[str, str]) -> dict[str, str]:
    """Return what is wrong with a channel's mail settings, by field."""
    found = {}
    host = str(given.get("smtp_host") or "").strip()
    readable = host.isascii() and (host.isprintable() or not host)
    if not readable or len(host) > LONGEST_HOST or any(c in host for c in " /@:"):
        found["smtp_host"] = _("This is no name of a server.")
    try:
        port = int(port_of(given) or SUBMISSION_PORT)
    except (TypeError, ValueError):
        port = 0
    if not 0 < port < 65_536:
        found["smtp_port"] = _("A port is a number from 1 to 65535.")
    security = given.get("smtp_security") or STARTTLS
    if security not in PORTS:
        found["smtp_security"] = _("Choose STARTTLS, TLS or none.")
    if security == NONE and (given.get("smtp_user") or secret.get("smtp_password")):
        found["smtp_security"] = _("A password is not sent without encryption.")
    if given.get("smtp_user") and not secret.get("smtp_password"):
        found["smtp_password"] = _("Give the password of this user.")
    if given.get("sender"):
        try:
            validate_email(parseaddr(str(given["sender"]))[1])
        except ValidationError:
            found["sender"] = _("Such as Alerts <alerts@example.com>.")
    return found


def port_of(given: Mapping[str, Any]) -> str:
    """Return the port as it was given, "" for the usual one."""
    port = given.get("smtp_port")
    return "" if port is None else str(port)


def open_session(server: Server, hurry: Hurry) -> smtplib.SMTP:
    """Connect, encrypt and log in; raises what smtplib does, and DeliveryError."""
    try:
        session = connect(server, hurry)
    except outbound.OutboundError as error:
        raise DeliveryError(error.reason, permanent=error.refused) from error
    try:
        if server.security == STARTTLS:
            hurry.on(session).starttls(context=tls_context())
        hurry.on(session).ehlo_or_helo_if_needed()
        if server.user:
            hurry.on(session).login(server.user, server.password)
    except (OSError, smtplib.SMTPException):
        session.close()
        raise
    return session


def connect(server: Server, hurry: Hurry) -> smtplib.SMTP:
    given: dict[str, Any] = {
        "host": server.host,
        "port": server.port,
        "timeout": hurry.left,
        "local_hostname": our_name(),
    }
    if server.security == TLS:
        kind = GuardedTls if server.guarded else smtplib.SMTP_SSL
        return kind(**given, context=tls_context())
    plain = Guarded if server.guarded else smtplib.SMTP
    return plain(**given)


def our_name() -> str:
    """Return how we introduce ourselves (RFC 5321 4.1.1.1); to ask the system for its
    full name may take longer than all the rest."""
    host = urlsplit(settings.BASE_URL).hostname or "localhost"
    return f"[{host}]" if host.replace(".", "").isdigit() else host


def tls_context() -> ssl.SSLContext:
    return ssl.create_default_context()


class Guarded(smtplib.SMTP):
    """A session with a server that a tenant named."""

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return guarded_socket(host, port, timeout)


class GuardedTls(smtplib.SMTP_SSL):
    """The same, with TLS from the first byte."""

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        plain = guarded_socket(host, port, timeout)
        try:
            return self.context.wrap_socket(plain, server_hostname=host)
        except OSError:
            plain.close()
            raise


def guarded_socket(host: str, port: int, timeout: float) -> socket.socket:
    """Raises OutboundError."""
    return outbound.connect(
        host, port, allowed=settings.OUTBOUND_ALLOW, seconds=timeout
    )
