"""How does a delivery reach a service that has no channel of its own? By Apprise.

An optional extra (requirements-extras.txt). Apprise calls the services itself, past
our guard, so that only services are taken whose host an address cannot choose; others
(json://host/…) need the operator's word, ALERTCENTER_APPRISE_SCHEMES, and then a host
that may be called. Redirects are not followed.

https://appriseit.com/services/
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import re
import socket
from typing import Any
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.functional import lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alertcenter.common import outbound
from alertcenter.common.http import parse_address
from notifications.channels import chat, http
from notifications.channels.base import (
    NETWORK_SECONDS,
    DeliveryError,
    Parcel,
    Receipt,
    Setting,
    Spec,
)

# Ours: most of these services cut, or send in pieces, what is longer.
MESSAGE_CHARS = 1_000
# Services with one host of their own, looked up in Apprise 2.2.0.
SCHEMES = frozenset({
    "46elks", "brevo", "bulksms", "chanify", "clickatell", "clicksend", "d7sms",
    "dingtalk", "feishu", "firehydrant", "flock", "groupme", "ifttt", "ilert",
    "incidentio", "join", "kook", "lark", "line", "msgbird", "nexmo", "onesignal",
    "pbul", "postmark", "pover", "prowl", "push", "pushed", "pushme", "pushplus",
    "pushy", "resend", "sendgrid", "seven", "simplepush", "spike", "splunk",
    "spush", "squadcast", "threema", "victorops", "vonage", "webex", "wecombot",
    "whatsapp", "wxteams",
})  # fmt: skip
# Others name files and addresses that Apprise would read, or switch off TLS's check.
PARAMETERS = frozenset({
    "batch", "expire", "flash", "format", "from", "group", "interval", "key",
    "lang", "level", "name", "optional", "priority", "region", "retry", "route",
    "sound", "tags", "to", "token", "topic", "ttl", "type", "unicode", "volume",
})  # fmt: skip
ADDRESS = re.compile(r"[a-z0-9]{2,20}://[^\s#,;|]+", re.IGNORECASE)
STATUS = re.compile(r"error=(\d{3})\b")
TYPES = {5: "failure", 4: "failure", 3: "warning"}


def send(parcel: Parcel) -> Receipt:
    """Send one delivery. Raises DeliveryError."""
    if parcel.kind not in ("page", "reply", "test"):
        return Receipt(answer="Apprise redraws nothing")
    title, body = words(parcel)
    if settings.SIMULATION:
        return chat.keep(parcel, to="Apprise", sent={"title": title, "body": body})
    url = chat.secret_of(parcel, "url")
    refuse_inside(url)
    result = notify(url, parcel, title, body)
    said = "; ".join(entry.message for entry in result.logs())
    said = chat.scrubbed(said, parcel.secret)[: http.SHOWN_ANSWER]
    if not result:
        raise complaint(said)
    return Receipt(answer=said or "ok")


def notify(url: str, parcel: Parcel, title: str, body: str) -> Any:
    """Let Apprise send; return its result."""
    library = apprise()
    asset = library.AppriseAsset(
        async_mode=False,
        http_redirects=False,
        secure_logging=True,
        storage_mode="memory",
    )
    service = library.Apprise.instantiate(url, asset=asset)
    if service is None:
        raise DeliveryError("Apprise does not understand this address", permanent=True)
    service.socket_connect_timeout = service.socket_read_timeout = NETWORK_SECONDS
    sender = library.Apprise(asset=asset)
    sender.add(service)
    state = parcel.message.state
    kind = TYPES.get(parcel.message.severity, "info")
    return sender.notify(
        title=title,
        body=body,
        notify_type="success" if state == "resolved" else kind,
        body_format="text",
        log_level=logging.WARNING,
    )


def apprise() -> Any:
    """Return the library. Raises DeliveryError where it is not installed."""
    if not installed():
        raise DeliveryError(str(MISSING), permanent=True)
    library = importlib.import_module("apprise")
    # Its debugging lines hold what services say, of our addresses too.
    log = logging.getLogger("apprise")
    log.propagate = False
    log.setLevel(logging.WARNING)
    return library


def installed() -> bool:
    return importlib.util.find_spec("apprise") is not None


def complaint(said: str) -> DeliveryError:
    """Return what a failure means, as far as Apprise's log tells."""
    found = STATUS.search(said)
    if not found:  # no answer: it may have arrived
        return DeliveryError(said or "Apprise does not say why", ambiguous=True)
    status = int(found.group(1))
    again = status >= http.SERVER_ERRORS
    again = again or status in (http.TOO_MANY, http.REQUEST_TIMEOUT)
    return DeliveryError(said, permanent=not again)


def words(parcel: Parcel) -> tuple[str, str]:
    """Return title and body."""
    if parcel.kind == "test":
        return parcel.title, chat.test_line(parcel)
    if parcel.kind == "reply":
        return chat.title(parcel), chat.line(parcel, named=False)

    def draw(few: chat.Card) -> tuple[str, str]:
        links = "\n".join(f"{label}: {url}" for label, url in few.links)
        return f"{few.sign} {few.title}", f"{chat.plain(few)}\n\n{links}"

    return chat.fitting(parcel, draw, lambda said: len("".join(said)) <= MESSAGE_CHARS)


# --- which addresses are taken ---


def refuse_inside(url: str) -> None:
    """Raise DeliveryError for an address that may not be called."""
    scheme = url.partition(":")[0].lower()
    try:
        an_address(url)
    except ValidationError as error:
        raise DeliveryError(error.messages[0], permanent=True) from error
    if scheme in SCHEMES:
        return
    # Apprise resolves the name again: a name whose owner changes it meanwhile is
    # what the operator trusts in who names such a scheme.
    host = urlsplit(url).hostname or ""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise DeliveryError(f"{host} cannot be found.") from error
    for *_others, where in found:
        address = parse_address(str(where[0]).partition("%")[0])
        if address is None or not outbound.is_allowed(address, settings.OUTBOUND_ALLOW):
            raise DeliveryError(f"{host} is an address inside.", permanent=True)


def an_address(given: str) -> str:
    """Return an address of one service that may be called. Raises ValidationError."""
    url = given.strip()
    if not ADDRESS.fullmatch(url) or url.count("?") > 1:
        raise ValidationError(_("Give one address, such as pover://user@token."))
    scheme = url.partition(":")[0].lower()
    if scheme not in SCHEMES and scheme not in settings.APPRISE_SCHEMES:
        text = _(
            "%(scheme)s:// is not taken: it could reach any host. The operator "
            "allows such schemes by ALERTCENTER_APPRISE_SCHEMES."
        )
        raise ValidationError(text % {"scheme": scheme})
    for piece in re.split("[&;]", url.partition("?")[2]):
        name = unquote(piece.partition("=")[0]).strip().lower()
        if name and name not in PARAMETERS:
            text = _("The parameter %(name)s is not taken.")
            raise ValidationError(text % {"name": name})
    return url


def needed(given: Any, held: Any) -> dict[str, Any]:
    if settings.SIMULATION:
        return {}
    if not installed():
        return {"url": MISSING}
    return chat.needs("url")(given, held)


def about() -> str:
    said = _("Some fifty more services, by their Apprise addresses.")
    return said if installed() else f"{said} {MISSING}"


MISSING = gettext_lazy(
    "This needs a package that is not installed here: "
    "pip install -r requirements-extras.txt"
)

SPEC = Spec(
    kind="apprise",
    label=gettext_lazy("Apprise"),
    about=lazy(about, str)(),
    settings=(
        chat.PLACE,
        Setting(
            "url",
            gettext_lazy("Address"),
            gettext_lazy("One Apprise URL, such as pover://user@token."),
            secret=True,
            check=an_address,
        ),
    ),
    place=chat.named_place,
    check=needed,
    words_like="slack",
)
