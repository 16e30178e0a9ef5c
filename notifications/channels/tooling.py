"""What do the channels to other tools share? Their calls, cuts and facts.

A tool hears of a group by one name that never changes (`name_of`), so that saying
something twice changes nothing there. What a tool answers is kept for people to read:
whatever it repeats of our secrets is struck out first.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from alertcenter.common.outbound import Answer
from notifications.channels import http
from notifications.channels.base import NETWORK_SECONDS, DeliveryError, Parcel, Receipt
from notifications.message import AlertLine

SECONDS = NETWORK_SECONDS
STRUCK = "***"
SHORTEST_SECRET = 4
LONGEST_FACT = 4_000
UNSAID = Receipt(answer="nothing to say to this tool")
# What our own policy does while a group fires: nothing that a tool should hear of.
OURS = frozenset(("told", "noted", "assigned", "escalated"))
# Messages to people that are about no group: nothing would ever close them there.
TO_PEOPLE = frozenset(("digest", "reminder", "notice", "rota"))


def name_of(parcel: Parcel) -> str:
    """Return the name of what is spoken of: one for each group, of each test."""
    message = parcel.message
    return message.thread_key or message.group_id or str(parcel.delivery_id)


def says_nothing_new(parcel: Parcel) -> bool:
    """Whether a tool has nothing to do about this parcel."""
    message = parcel.message
    if parcel.kind not in ("page", "update", "reply", "test"):
        return True
    if message.kind in TO_PEOPLE:
        return True
    if message.state == "resolved" and not parcel.settings.get("send_resolved", True):
        return True
    if parcel.kind != "update" or message.state != "firing":
        return False
    return message.note is not None and message.note.kind in OURS


def ask(parcel: Parcel, url: str, **how: Any) -> Answer:
    """Call a vendor (see `http.call`); its answer with our secrets struck out.

    Raises DeliveryError when there is none.
    """
    try:
        answer = http.call(url, **{"seconds": SECONDS} | how)
    except DeliveryError as error:
        error.reason = hushed(error.reason, parcel.secret)
        error.args = (error.reason,)
        raise
    body = hushed(answer.body, parcel.secret)
    return Answer(answer.status, body, answer.headers)


def hushed(text: str, secrets: Mapping[str, str]) -> str:
    """Return `text` without any of the secrets, however they were spelled in it."""
    for value in secrets.values():
        if len(value) < SHORTEST_SECRET:
            continue
        spellings = {value, json.dumps(value)[1:-1], quote(value, safe="")}
        for one in sorted(spellings, key=len, reverse=True):
            text = text.replace(one, STRUCK)
    return text


def key_of(parcel: Parcel, name: str) -> str:
    """Return a secret that a header can hold. Raises DeliveryError for none."""
    value = parcel.secret.get(name, "").strip()
    if not value:
        raise DeliveryError(_("The channel has no key."), permanent=True)
    if not value.isascii() or not value.isprintable():
        raise DeliveryError(_("The channel's key cannot be sent."), permanent=True)
    return value


def needs(*names: str) -> Callable[..., dict[str, Any]]:
    """Return a SPEC's check for secrets that must be given or held."""

    def check(given: Mapping[str, Any], held: Mapping[str, str]) -> dict[str, Any]:
        if settings.SIMULATION:
            return {}
        missing = [n for n in names if not given.get(n) and not held.get(n)]
        return {name: _("This field is required.") for name in missing}

    return check


# --- what is said ---


def fitted(text: str, limit: int) -> str:
    """Return `text` in at most `limit` characters."""
    text = text.replace("\x00", "")
    return text if len(text) <= limit else text[: limit - 1] + "…"


def web(url: str) -> str:
    """Return a link that a browser may follow safely, else ""."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme in ("http", "https") and parts.netloc else ""


def title_of(parcel: Parcel, limit: int) -> str:
    """Return one line that says what it is about."""
    line = " ".join((parcel.title or parcel.message.title).split())
    return fitted(line, limit) or parcel.message.tenant or "AlertCenter"


def facts(parcel: Parcel) -> dict[str, Any]:
    """Return the facts about a group as JSON values, for who reads them."""
    message = parcel.message
    found: dict[str, Any] = {
        "tenant": message.tenant,
        "number": message.number,
        "severity": message.severity,
        "priority": message.priority or None,
        "state": message.state,
        "labels": labels(message.labels),
        "firing": message.firing_count,
        "alerts_in_all": message.alert_count,
        "alerts": [_line(line) for line in message.alerts],
        "opened_at": message.opened_at,
        "service": message.service,
        "service_owner": message.service_owner,
        "runbook": web(message.runbook),
        "url": web(message.url),
        "text": fitted(parcel.body, LONGEST_FACT),
    }
    return {name: value for name, value in found.items() if value not in ("", None)}


def labels(given: Mapping[str, str]) -> dict[str, str]:
    return {fitted(k, 200): fitted(v, LONGEST_FACT) for k, v in given.items()}


def _line(line: AlertLine) -> dict[str, Any]:
    found: dict[str, Any] = {
        "title": fitted(line.title, LONGEST_FACT),
        "severity": line.severity,
        "state": line.state,
        "labels": labels(line.labels),
        "summary": fitted(line.summary, LONGEST_FACT),
        "description": fitted(line.description, LONGEST_FACT),
        "link": web(line.link),
        "starts_at": line.starts_at,
    }
    return {name: value for name, value in found.items() if value}


def size(body: Any) -> int:
    """Return how many bytes `body` has as JSON."""
    return len(json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode())
