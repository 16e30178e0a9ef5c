"""What does a chat say about a group? The parts that every chat's card has.

All texts are plain: each chat escapes them in its own markup. A card that is too big
for its chat is made smaller step by step (`smaller`); title, severity and link stay.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, override

from alertcenter.common.outbound import Answer, OutboundError, check_url
from notifications import localize, signing
from notifications.channels import http, simulated
from notifications.channels.base import DeliveryError, Parcel, Receipt, Setting
from notifications.message import AlertLine, Message

# Ours: what is longer than a screen is read on the dashboard.
TITLE_CHARS = 250
BODY_CHARS = 3_000
FACT_CHARS = 300
ALERT_CHARS = 250
MOST_ALERTS = 10
LINE_CHARS = 1_000

SIGNS = {5: "🔴", 4: "🟠", 3: "🟡", 2: "🔵", 1: "⚪"}
UNKNOWN_SIGN = "⚪"
STATE_SIGNS = {"acknowledged": "👀", "snoozed": "💤", "resolved": "✅"}
# Readable as a bar on white and on black.
COLOURS = {5: "#d72b3f", 4: "#e8590c", 3: "#d9a400", 2: "#2f6fde", 1: "#868e96"}
STATE_COLOURS = {"acknowledged": "#2f6fde", "snoozed": "#868e96", "resolved": "#2f9e44"}
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u2028\u2029]+")
# A bare address in a text; nothing that any chat's markup is made of.
ADDRESS = re.compile(
    r"https?://[^\s<>|\"'`\[\](){}*~\\@]+[^\s<>|\"'`\[\](){}*~\\@.,;:!?]"
)
SECRET_PIECE = re.compile(r"[^/?&=:]{8,}")

Drawn = TypeVar("Drawn")


@dataclass(frozen=True)
class Card:
    """What is shown of a group. `links` are (label, URL), the acts' first; `small` is
    the small print: since when, who has it, what comes next."""

    sign: str
    title: str
    headline: str  # severity, state, counts, number
    colour: str
    body: str
    facts: tuple[tuple[str, str], ...]
    alerts: tuple[str, ...]
    more: str
    small: tuple[str, ...]
    links: tuple[tuple[str, str], ...]


def card(parcel: Parcel) -> Card:
    """Return what is shown, in the reader's language."""
    with override(localize.interface_language(parcel.language)):
        alerts = alert_lines(parcel.message)
        return Card(
            sign=sign(parcel.message),
            title=title(parcel),
            headline=headline(parcel),
            colour=colour(parcel.message),
            body=cut(parcel.body.strip(), BODY_CHARS),
            facts=tuple(facts(parcel.message)),
            alerts=alerts,
            more=more(parcel.message, len(alerts)),
            small=tuple(small_print(parcel)),
            links=tuple(links(parcel)),
        )


def smaller(found: Card) -> Iterator[Card]:
    """Yield the card, then ever smaller ones: what is told least is left out first."""
    yield found
    few = replace(found, small=found.small[:2], facts=found.facts[:1])
    yield few
    for alerts, body in ((5, 1_500), (3, 500), (0, 300), (0, 0)):
        few = replace(few, alerts=found.alerts[:alerts], body=cut(found.body, body))
        few = replace(few, more=few.more if alerts else "")
        yield few
    few = replace(few, small=(), facts=(), title=cut(found.title, 80))
    yield few
    yield replace(few, links=found.links[-1:])


def fitting(
    parcel: Parcel, draw: Callable[[Card], Drawn], fits: Callable[[Drawn], bool]
) -> Drawn:
    """Return the first drawing of ever smaller cards that fits; the last if none."""
    *few, least = smaller(card(parcel))
    for one in few:
        drawn = draw(one)
        if fits(drawn):
            return drawn
    return draw(least)


def line(parcel: Parcel, *, named: bool = True) -> str:
    """Return what happened, in one line; `named`: with the group's number and title,
    for where it stands below nothing."""
    note = parcel.message.note
    said = localize.note_line(note, parcel.language, parcel.time_zone) if note else ""
    if not named or not said:
        return cut(said or title(parcel), LINE_CHARS)
    number = f"[#{parcel.message.number}] " if parcel.message.number else ""
    return f"{sign(parcel.message)} {number}{title(parcel)}: {cut(said, LINE_CHARS)}"


def test_line(parcel: Parcel) -> str:
    """Return the text of a test."""
    with override(localize.interface_language(parcel.language)):
        said = _("Test of AlertCenter for %(tenant)s: messages arrive here.")
        return f"🔔 {said % {'tenant': parcel.message.tenant}}"


def keep(parcel: Parcel, *, to: str, sent: Any) -> Receipt:
    """Keep for the outbox page what would have left as `sent`."""
    if parcel.kind not in ("page", "update"):
        said = test_line(parcel) if parcel.kind == "test" else line(parcel, named=False)
        return simulated.keep(parcel, to=to, title=parcel.title, text=said, sent=sent)
    shown = card(parcel)
    return simulated.keep(
        parcel,
        to=to,
        title=f"{shown.sign} {shown.title}",
        text=plain(shown),
        sent=sent,
        actions=list(shown.links),
    )


def plain(shown: Card) -> str:
    """Return a card as text, without its title and its links."""
    named = [f"{label}: {value}" for label, value in shown.facts]
    alerts = "\n".join([*shown.alerts, shown.more]).strip()
    parts = [shown.headline, shown.body, alerts, "\n".join([*named, *shown.small])]
    return "\n\n".join(part for part in parts if part)


# --- the parts ---


def title(parcel: Parcel) -> str:
    return cut(one_line(parcel.title or parcel.message.title), TITLE_CHARS)


def sign(message: Message) -> str:
    """Return how bad it is while it fires, and what became of it after."""
    worst = SIGNS.get(message.severity, UNKNOWN_SIGN)
    return STATE_SIGNS.get(message.state, worst)


def colour(message: Message) -> str:
    worst = COLOURS.get(message.severity, COLOURS[1])
    return STATE_COLOURS.get(message.state, worst)


def headline(parcel: Parcel) -> str:
    """Return severity, priority, state, counts and number."""
    message = parcel.message
    parts = [
        localize.severity_word(message.severity, parcel.language),
        f"P{message.priority}" if message.priority else "",
        localize.state_word(message.state, parcel.language),
        counts(message),
        f"#{message.number}" if message.number else "",
    ]
    return " · ".join(part for part in parts if part)


def counts(message: Message) -> str:
    """Return how many alerts fire, of how many."""
    if message.storm:
        return _("%(alerts)s alerts in %(groups)s groups") % {
            "alerts": message.storm.alerts,
            "groups": message.storm.groups,
        }
    if message.firing_count == message.alert_count:
        said = ngettext("%(count)s alert", "%(count)s alerts", message.alert_count)
        return said % {"count": message.alert_count}
    return _("%(firing)s of %(count)s alerts firing") % {
        "firing": message.firing_count,
        "count": message.alert_count,
    }


def facts(message: Message) -> Iterator[tuple[str, str]]:
    """Yield label and value of what is known of the service."""
    if message.service:
        yield _("Service"), cut(one_line(message.service), FACT_CHARS)
        if message.service_owner:
            yield _("Owner"), cut(one_line(message.service_owner), FACT_CHARS)


def alert_lines(message: Message) -> tuple[str, ...]:
    """Return the worst alerts, a line each; none where there is but one."""
    if message.alert_count < 2:
        return ()
    return tuple(alert_line(alert) for alert in message.alerts[:MOST_ALERTS])


def alert_line(alert: AlertLine) -> str:
    mark = STATE_SIGNS.get(alert.state) or SIGNS.get(alert.severity, UNKNOWN_SIGN)
    text = alert.title
    if alert.summary and alert.summary != alert.title:
        text = f"{alert.title}: {alert.summary}"
    return f"{mark} {cut(one_line(text), ALERT_CHARS)}"


def more(message: Message, shown: int) -> str:
    """Return how many alerts are not listed; of a storm, how many groups."""
    left = (message.storm.groups if message.storm else message.alert_count) - shown
    if not shown or left <= 0:
        return ""
    return ngettext("and %(n)s more", "and %(n)s more", left) % {"n": left}


def small_print(parcel: Parcel) -> Iterator[str]:
    """Yield since when, who has it, what comes next."""
    message = parcel.message

    def at(iso: str | None) -> str:
        return localize.moment(iso, parcel.language, parcel.time_zone)

    if message.state == "acknowledged" and message.actor:
        who = cut(one_line(message.actor), FACT_CHARS)
        yield _("Acknowledged by %(who)s") % {"who": who}
    if message.state == "snoozed" and message.snooze_until:
        yield _("Snoozed until %(time)s") % {"time": at(message.snooze_until)}
    if message.state == "resolved" and message.resolved_at:
        yield _("Resolved %(time)s") % {"time": at(message.resolved_at)}
    if message.opened_at:
        yield _("Since %(time)s") % {"time": at(message.opened_at)}
    if message.flapping_since and message.state != "resolved":
        yield _("Flapping since %(time)s") % {"time": at(message.flapping_since)}
    if message.next_at:
        who = cut(one_line(message.next_who), FACT_CHARS)
        yield _("Next: %(who)s, %(time)s") % {"who": who, "time": at(message.next_at)}


def links(parcel: Parcel) -> Iterator[tuple[str, str]]:
    """Yield (label, URL): what the reader may do, the runbook, and last the group."""
    yield from act_links(parcel)
    message = parcel.message
    if is_web(message.runbook):
        yield _("Runbook"), message.runbook
    if is_web(message.url):
        yield _("Open"), message.url


def act_links(parcel: Parcel) -> list[tuple[str, str]]:
    """Return the links that act without a login, where this installation signs any."""
    signed = getattr(signing, "act_links", None)
    return [(label, url) for _act, label, url in signed(parcel)] if signed else []


# --- texts ---


def one_line(text: str) -> str:
    return " ".join(CONTROLS.sub(" ", text).split())


def cut(text: str, limit: int) -> str:
    """Return at most `limit` characters; what was cut ends with an ellipsis."""
    text = CONTROLS.sub(" ", text)
    if limit <= 0:
        return ""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def woven(text: str, escape: Callable[[str], str], link: Callable[[str], str]) -> str:
    """Return `text` with its web addresses as `link` writes them, and the rest of it
    escaped: an escaped address would lead nowhere."""
    parts, end = [], 0
    for match in ADDRESS.finditer(text):
        parts += [escape(text[end : match.start()]), link(match.group(0))]
        end = match.end()
    return "".join([*parts, escape(text[end:])])


def is_web(url: str) -> bool:
    """Whether a reader can be led there: never javascript: or a file."""
    try:
        check_url(url)
    except OutboundError:
        return False
    return True


# --- calls and secrets ---


def call(parcel: Parcel, url: str, **given: Any) -> Answer:
    """Call by the guarded client; the channel's secrets are in nothing that it says.

    A vendor may repeat our address, which in chats is a secret, in its answer.
    """
    try:
        answer = http.call(url, **given)
    except DeliveryError as error:
        error.reason = scrubbed(error.reason, parcel.secret)
        error.args = (error.reason,)
        raise
    return replace(answer, body=scrubbed(answer.body, parcel.secret))


def scrubbed(text: str, secret: Mapping[str, str]) -> str:
    """Return `text` without the secrets and without the secret pieces of addresses."""
    pieces: set[str] = set()
    for value in secret.values():
        parts = urlsplit(value) if "://" in value else None
        tail = f"{parts.path}?{parts.query}" if parts else value
        pieces |= {value, *SECRET_PIECE.findall(tail)}
    for piece in sorted(filter(None, pieces), key=len, reverse=True):
        text = text.replace(piece, "***")
    return text


def need_success(answer: Answer, *, said: str = "", wait: object = None) -> str:
    """Return what the vendor said in short. Raises DeliveryError unless it is a 2xx.

    `wait`: the seconds that its body asks to wait, which go before its headers'.
    """
    if isinstance(wait, int | float):
        headers = dict(answer.headers) | {"retry-after": str(wait)}
        answer = replace(answer, headers=headers)
    return http.need_success(answer, said=said[: http.SHOWN_ANSWER])


def secret_of(parcel: Parcel, name: str) -> str:
    """Return a secret that the channel cannot do without. Raises DeliveryError."""
    found = parcel.secret.get(name)
    if not found:
        raise DeliveryError(f"the channel has no {name}", permanent=True)
    return found


# What a list can show of a channel whose address is a secret.
PLACE = Setting(
    "place",
    gettext_lazy("Channel's name"),
    gettext_lazy("As people there call it; shown in lists, nothing depends on it."),
)


def named_place(settings: Mapping[str, Any]) -> str:
    return str(settings.get("place") or "")


def needs(
    *names: str,
) -> Callable[[Mapping[str, Any], Mapping[str, str]], dict[str, Any]]:
    """Return a check that asks for secrets; the simulation needs no real ones."""

    def check(given: Mapping[str, Any], held: Mapping[str, str]) -> dict[str, Any]:
        missing = [n for n in names if not given.get(n) and not held.get(n)]
        if settings.SIMULATION:
            return {}
        return {name: _("This field is required.") for name in missing}

    return check


def a_hook(pattern: str, example: str) -> Callable[[str], str]:
    """Return a check of a vendor's webhook address, whose path has this pattern."""
    wanted = re.compile(pattern)

    def check(url: str) -> str:
        url = url.strip()
        parts = urlsplit(url) if is_web(url) else None
        if parts is None or parts.scheme != "https" or not wanted.search(parts.path):
            text = _("The address looks like %(example)s.")
            raise ValidationError(text % {"example": example})
        return url

    return check


def a_token(pattern: str, example: str) -> Callable[[str], str]:
    """Return a check of a vendor's token."""
    wanted = re.compile(pattern)

    def check(token: str) -> str:
        token = token.strip()
        if not wanted.fullmatch(token):
            text = _("This looks like %(example)s.")
            raise ValidationError(text % {"example": example})
        return token

    return check
