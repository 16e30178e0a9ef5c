"""Which channels does a receiver of alertmanager.yml become, and what is lost?

Whatever is not carried over is said, with its path: nobody should find out by a page
that did not come.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import getaddresses
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from alertcenter.alerts.am_parts import ReadReceiver, Remark
from alertcenter.alerts.am_reading import TRUE
from alertcenter.alerts.am_yaml import Path
from alertcenter.common.outbound import OutboundError, check_url
from escalation.am_export import HIDDEN
from escalation.am_import import tools
from escalation.am_import.reading import Lost, Made, note, templated, text_of

SECTION = "_configs"
POST_MESSAGE = "/api/chat.postMessage"
LONGEST_PLACE = 100  # of a Slack channel, as in its form
# Alertmanager's own default of send_resolved.
RESOLVES = {"webhook", *tools.RESOLVES}
CARRIED = {
    "slack": {
        "send_resolved",
        "channel",
        "api_url",
        "api_url_file",
        "http_config",
        "app_token",
        "app_url",
    },
    "email": {"send_resolved", "to"},
    "webhook": {"send_resolved", "url", "url_file", "http_config"},
    **tools.CARRIED,
}
# Where mail leaves from is this installation's matter, not a channel's.
OF_THE_SERVER = {
    "from",
    "smarthost",
    "hello",
    "auth_username",
    "auth_password",
    "auth_password_file",
    "auth_secret",
    "auth_secret_file",
    "auth_identity",
    "require_tls",
    "tls_config",
    "force_implicit_tls",
}


@dataclass(frozen=True)
class WantedChannel:
    """One channel that an integration asks for."""

    path: Path
    kind: str
    place: str
    name: str
    settings: Mapping[str, Any]
    secrets: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Carried:
    """What a receiver becomes. `complete`: all that it told is told here too."""

    channels: list[WantedChannel] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    integrations: int = 0

    @property
    def complete(self) -> bool:
        return len(self.channels) == self.integrations


def carried(receiver: ReadReceiver, settings: Mapping[str, Any]) -> Carried:
    """Return what `receiver` becomes; `settings` are the file's global ones."""
    found = Carried()
    for section, items in receiver.sections.items():
        kind = section.removesuffix(SECTION)
        for number, item in enumerate(items):
            path = (*receiver.path, section, number)
            found.integrations += 1
            name = receiver.name if found.integrations == 1 else ""
            name = name or f"{receiver.name} ({kind} {found.integrations})"
            try:
                found.channels.append(one(kind, item, settings, path, name, found))
            except Lost as lost:
                words = _("Not carried over: %(why)s") % {"why": lost}
                found.remarks.append(Remark(path, words))
    return found


def one(
    section: str,
    item: Mapping[str, Any],
    settings: Mapping[str, Any],
    path: Path,
    name: str,
    found: Carried,
) -> WantedChannel:
    """Return the channel of one integration. Raises Lost."""
    kind = tools.need_kind(section)
    if section not in MAKERS:
        words = _("there are no channels of the kind %(kind)s here.")
        raise Lost(words % {"kind": section})
    notes: list[str] = []
    place, given, secrets = MAKERS[section](item, settings, notes)
    if section in tools.MAKERS:
        tools.need_acceptable(kind, given, secrets)
        bearer(item.get("http_config"), notes)
    resolves = item.get("send_resolved")
    given["send_resolved"] = (
        section in RESOLVES if resolves is None else resolves in TRUE
    )
    rest = set(item) - CARRIED[section] - {key for key in item if item[key] is None}
    texts = sorted(rest - OF_THE_SERVER if kind == "email" else rest)
    if texts:
        words = _("Not carried over: %(names)s.") % {"names": ", ".join(texts)}
        notes.append(words)
    if kind == "email" and rest & OF_THE_SERVER:
        notes.append(_("Mail leaves by this installation's own server."))
    found.remarks += [Remark(path, text) for text in notes]
    return WantedChannel(path, kind, place, name[:100], given, secrets)


def slack(
    item: Mapping[str, Any], settings: Mapping[str, Any], notes: list[str]
) -> Made:
    """A place and a bot's token; an incoming webhook's address is neither."""
    place = text_of(item, "channel").strip()
    if not place:
        raise Lost(_("it names no Slack channel."))
    if templated(place) or len(place) > LONGEST_PLACE:
        raise Lost(_("the name of its Slack channel is a template."))
    address = text_of(item, "api_url") or str(settings.get("slack_api_url") or "")
    token = text_of(item, "app_token") or str(settings.get("slack_app_token") or "")
    if address.endswith(POST_MESSAGE):
        token = token or bearer(item.get("http_config"), notes)
    if not token or token == HIDDEN:
        words = _(
            "Slack is spoken to with a bot's token here, not with an incoming webhook: "
            "its messages fail until the channel has one."
        )
        return place, {"channel": place}, note(notes, words)
    return place, {"channel": place}, {"bot_token": token}


def email(
    item: Mapping[str, Any], settings: Mapping[str, Any], notes: list[str]
) -> Made:
    """The addresses."""
    text = text_of(item, "to")
    if templated(text):
        raise Lost(_("its addresses are a template."))
    addresses = [address for _name, address in getaddresses([text])]
    try:
        for address in addresses:
            validate_email(address)
    except ValidationError as error:
        raise Lost(_("its addresses cannot be read.")) from error
    if not addresses:
        raise Lost(_("it names no address."))
    place = ",".join(sorted({address.lower() for address in addresses}))
    return place, {"to": list(dict.fromkeys(addresses))}, {}


def webhook(
    item: Mapping[str, Any], settings: Mapping[str, Any], notes: list[str]
) -> Made:
    """The address, and a bearer token if there is one."""
    url = text_of(item, "url")
    if not url and item.get("url_file"):
        raise Lost(
            _("its address is in a file of the server that Alertmanager runs on.")
        )
    if HIDDEN in url:
        raise Lost(_("its address is hidden in this file."))
    if templated(url):
        raise Lost(_("its address is a template."))
    try:
        parts = urlsplit(check_url(url))
    except OutboundError as error:
        raise Lost(_("its address cannot be called.")) from error
    if parts.username or parts.password:
        raise Lost(_("its address holds a password."))
    token = bearer(item.get("http_config"), notes)
    return url, {"url": url}, {"bearer_token": token} if token else {}


MAKERS: dict[str, Callable[..., Made]] = {
    "slack": slack,
    "email": email,
    "webhook": webhook,
    **tools.MAKERS,
}


def bearer(http_config: Any, notes: list[str]) -> str:
    """Return the token of an http_config; what else it holds is noted as lost."""
    if not isinstance(http_config, dict):
        return ""
    given = {key: value for key, value in http_config.items() if value is not None}
    token = text_of(given, "bearer_token")
    inner = given.get("authorization")
    if isinstance(inner, dict) and str(inner.get("type") or "Bearer") == "Bearer":
        token = token or text_of(inner, "credentials")
        if set(inner) <= {"type", "credentials"}:
            given.pop("authorization")
    given.pop("bearer_token", None)
    given.pop("follow_redirects", None)
    if given:
        names = ", ".join(f"http_config.{name}" for name in sorted(given))
        notes.append(_("Not carried over: %(names)s.") % {"names": names})
    return "" if token == HIDDEN else token
