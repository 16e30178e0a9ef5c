"""What does a webhook say in the tenant's own words? Its address, headers and body.

Templates are judged when they are saved, on examples with a title that breaks what is
not written with care, and again on what they make of each message: no label may lead
to another server, add a header, or break out of its place in an address.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urlsplit

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from alertcenter.common.outbound import OutboundError, check_url
from alertcenter.common.sandbox import Broken, Compiled, compile_source
from notifications import rendering
from notifications.channels.base import DeliveryError, Parcel
from notifications.message import Message
from notifications.samples import sample

# RFC 9110: a token; what may follow it in a media type.
NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,80}")
MEDIA = re.compile(r"[\w.+-]{1,60}/[\w.+-]{1,60}(; ?charset=[\w-]{1,20})?")
# A server that stands there as it is: nothing templated may come before its end.
SERVER = re.compile(r"https?://[^\s/?#{}@]+(?=[/?])")
MOST_HEADERS, LONGEST_HEADER = 20, 1_000
# What the connection, our own settings or the signature say.
RESERVED = frozenset(
    (
        "authorization",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "cookie",
        "expect",
        "host",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "webhook-id",
        "webhook-signature",
        "webhook-timestamp",
    )
)
EVIL_TITLE = 'Disk "C:\\" is full\n{"x": 1}, <b>é</b>'
JSON_TYPE = "application/json"


def facts_of(parcel: Parcel) -> dict[str, Any]:
    """Return what templates may say: the words of messages, and the bare facts."""
    return facts(
        parcel.message,
        parcel.language,
        parcel.time_zone,
        text=parcel.body,
        payload=parcel.message.payload,
        test=parcel.kind == "test",
    )


def facts(
    message: Message,
    language: str = "en",
    time_zone: str = "UTC",
    *,
    text: str = "",
    payload: Mapping[str, Any] | None = None,
    test: bool = False,
) -> dict[str, Any]:
    bare = message.to_json()
    del bare["payload"]
    return rendering.context(message, language, time_zone) | {
        "text": text,
        "facts": bare,
        "alertmanager": dict(payload or {}),
        "event": message.note.kind if message.note else message.state,
        "group_id": message.group_id,
        "test": test,
    }


@lru_cache(maxsize=512)
def compiled(source: str) -> Compiled:
    return compile_source(source)


def rendered(source: str, known: Mapping[str, Any]) -> str:
    """Return a template's text. Raises DeliveryError, permanent."""
    try:
        return compiled(source).render(known)
    except Broken as broken:
        raise DeliveryError(broken.reason, permanent=True) from broken


# --- body ---


def body(source: str, media: str, known: Mapping[str, Any]) -> bytes:
    """Return the body. Raises DeliveryError, permanent, for JSON that is none."""
    text = rendered(source, known)
    if is_json(media):
        try:
            json.loads(text)
        except (ValueError, RecursionError) as error:
            reason = _("The template makes no JSON: %(error)s") % {"error": error}
            raise DeliveryError(reason, permanent=True) from error
    return text.encode(errors="replace")


def is_json(media: str) -> bool:
    kind = media.partition(";")[0].strip().lower()
    return kind == JSON_TYPE or kind.endswith("+json")


# --- headers ---


def headers(lines: str, known: Mapping[str, Any]) -> dict[str, str]:
    """Return the headers. Raises DeliveryError, permanent."""
    found = {}
    for name, source in pairs(lines):
        value = rendered(source, known).strip()
        if not value:
            continue
        if len(value) > LONGEST_HEADER or any(not printable(c) for c in value):
            reason = _("The header %(name)s cannot hold what its template makes.")
            raise DeliveryError(reason % {"name": name}, permanent=True)
        found[name] = quote(value, safe=ASCII)
    return found


# Others than these, such as é, are sent in percent notation.
ASCII = "".join(map(chr, range(32, 127)))


def printable(char: str) -> bool:
    """Whether it neither ends a header nor hides in it."""
    return char.isprintable()


def pairs(lines: str) -> Iterator[tuple[str, str]]:
    """Yield name and template of each line."""
    for line in lines.splitlines():
        name, _colon, source = line.partition(":")
        if line.strip():
            yield name.strip(), source.strip()


# --- address ---


def address(source: str, known: Mapping[str, Any]) -> str:
    """Return the address, on the server it names as it stands. Raises DeliveryError."""
    if not templated(source):
        return source
    url = rendered(source, quoted(known))
    try:
        same = server_of(check_url(url)) == server_of(source)
    except OutboundError as error:
        raise DeliveryError(
            _("The address cannot hold what its template makes."), permanent=True
        ) from error
    if not same or climbs(url):
        reason = _("The address leads elsewhere than its template says.")
        raise DeliveryError(reason, permanent=True)
    return url


def templated(source: str) -> bool:
    return "{{" in source or "{%" in source


def server_of(url: str) -> str:
    found = SERVER.match(url)
    return found[0].casefold() if found else ""


def climbs(url: str) -> bool:
    """Whether a label has become a step upwards."""
    steps = urlsplit(url).path.lower().replace("%2e", ".").split("/")
    return "." in steps or ".." in steps


def quoted(value: Any) -> Any:
    """Return facts in which no text divides an address."""
    if isinstance(value, Mapping):
        return {name: quoted(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [quoted(inner) for inner in value]
    return quote(value, safe="") if isinstance(value, str) else value


# --- what its page accepts ---


def examples() -> Iterator[dict[str, Any]]:
    """Yield the facts that a template must bear."""
    for kind in ("firing", "acknowledged", "resolved", "storm"):
        yield facts(sample(kind), text="Example")
    message = Message.from_json(sample().to_json() | {"title": EVIL_TITLE})
    yield facts(message, text=EVIL_TITLE)


def an_address(source: str) -> str:
    """Return an address or the template of one. Raises ValidationError."""
    source = source.strip()
    if templated(source) and not SERVER.match(source):
        raise ValidationError(
            _("A template can change what follows the server's name, nothing else.")
        )
    try:
        if not templated(source):
            return check_url(source)
        for known in examples():
            address(source, known)
    except OutboundError as error:
        raise ValidationError(
            _("Give an address that begins with http:// or https://.")
        ) from error
    except DeliveryError as error:
        raise ValidationError(error.reason) from error
    return source


def header_lines(lines: str) -> str:
    """Return headers, one `Name: template` a line. Raises ValidationError."""
    seen: set[str] = set()
    for name, source in pairs(lines):
        need_name(name)
        words = {"name": name}
        if name.casefold() in seen:
            raise ValidationError(_("The header %(name)s is there twice.") % words)
        seen.add(name.casefold())
        if not source:
            raise ValidationError(_("The header %(name)s has no value.") % words)
        try:
            for known in examples():
                compile_source(source).render(known)
        except Broken as broken:
            raise ValidationError(f"{name}: {broken.reason}") from broken
    if len(seen) > MOST_HEADERS:
        raise ValidationError(
            _("There are at most %(n)d headers.") % {"n": MOST_HEADERS}
        )
    return lines.strip()


def need_name(name: str) -> None:
    """Raise ValidationError unless a header may be called so."""
    if not NAME.fullmatch(name):
        raise ValidationError(_("Give each header as Name: value, one a line."))
    lower = name.casefold()
    if lower in RESERVED or lower.startswith(("proxy-", "sec-")):
        raise ValidationError(_("The header %(name)s is not free.") % {"name": name})


def a_media_type(text: str) -> str:
    """Return a content type. Raises ValidationError."""
    if not MEDIA.fullmatch(text.strip()):
        raise ValidationError(_("A content type is such as application/json."))
    return text.strip()


def body_problem(source: str, media: str) -> str:
    """Return why a body's template cannot be used, "" when it can."""
    try:
        for known in examples():
            body(source, media, known)
    except DeliveryError as error:
        if is_json(media) and "JSON" in error.reason:
            hint = _("Write values as {{ title|tojson }}, without quotes around them.")
            return f"{error.reason} {hint}"
        return error.reason
    return ""
