"""What may a channel of mail know, and what of it cannot work?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.validators import validate_email
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notifications.channels.base import Setting
from notifications.channels.email_server import (
    NONE,
    PORTS,
    STARTTLS,
    TLS,
    port_of,
    problems,
)


def a_mailbox(address: str) -> str:
    """Return an e-mail address. Raises ValidationError."""
    validate_email(address)
    return address


def mailboxes(addresses: list[str]) -> list[str]:
    """Return e-mail addresses. Raises ValidationError."""
    return [a_mailbox(address) for address in addresses]


SETTINGS = (
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
    Setting(
        "links",
        gettext_lazy("Buttons"),
        gettext_lazy(
            "Whoever reads a mail to these addresses may acknowledge and resolve by "
            "its signed links, without a login."
        ),
        kind="flag",
        default=True,
    ),
    Setting(
        "attach",
        gettext_lazy("Attach the alerts"),
        gettext_lazy("When a group has more alerts than a mail shows."),
        kind="choice",
        default="csv",
        choices=(
            ("csv", gettext_lazy("as a table (CSV)")),
            ("json", gettext_lazy("as JSON")),
            ("both", gettext_lazy("as both")),
            ("none", gettext_lazy("never")),
        ),
    ),
    Setting(
        "track_opens",
        gettext_lazy("See whether mails are opened"),
        gettext_lazy(
            "Puts an invisible picture into each mail, and tells the delivery's page "
            "when it was asked for. Ask your people first."
        ),
        kind="flag",
    ),
    Setting(
        "sender",
        gettext_lazy("Sender"),
        gettext_lazy(
            "An address, with a name before it if you like. Empty: the "
            "installation's. Its domain must let the server send for it (SPF, DKIM)."
        ),
    ),
    Setting(
        "for_members",
        gettext_lazy("Also for members' own mail"),
        gettext_lazy("What goes to members themselves leaves by this channel."),
        kind="flag",
    ),
    Setting(
        "smtp_host",
        gettext_lazy("Mail server"),
        gettext_lazy("Its name. Empty: the installation's own server."),
    ),
    Setting(
        "smtp_port",
        gettext_lazy("Port"),
        gettext_lazy("Empty: 587 for STARTTLS, 465 for TLS, 25 for none."),
        kind="number",
        default=None,
    ),
    Setting(
        "smtp_security",
        gettext_lazy("Encryption"),
        kind="choice",
        default=STARTTLS,
        choices=(
            (STARTTLS, gettext_lazy("STARTTLS, or no mail")),
            (TLS, gettext_lazy("TLS from the first byte")),
            (NONE, gettext_lazy("none")),
        ),
    ),
    Setting("smtp_user", gettext_lazy("User")),
    Setting("smtp_password", gettext_lazy("Password"), secret=True),
)


def check(given: Mapping[str, Any], held: Mapping[str, str]) -> dict[str, Any]:
    """Return what cannot work, by the setting's name. A stored password is for the
    server that it was given for, and shown to no other."""
    password = str(given.get("smtp_password") or "")
    moved = server_of(given.get("stored") or {}) != server_of(given)
    if not given.get("smtp_host"):
        given = {name: given.get(name) for name in ("sender",)}
        return dict(problems(given, {}))
    secret = {"smtp_password": password or held.get("smtp_password", "")}
    found: dict[str, Any] = dict(problems(given, secret))
    if moved and held.get("smtp_password") and not password:
        found["smtp_password"] = _("The server is another: give the password again.")
    return found


def server_of(settings: Mapping[str, Any]) -> tuple[str, str]:
    """Return host and port: another port may be another program's."""
    host = str(settings.get("smtp_host") or "").strip().casefold()
    security = str(settings.get("smtp_security") or STARTTLS)
    return host, str(port_of(settings) or PORTS.get(security, ""))
