"""What do the mail's templates say? Facts, words, and times as the reader has them."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext

from notifications import localize, signing
from notifications.channels.base import Parcel
from notifications.channels.letters_text import (
    BODY_CHARS,
    NAME_CHARS,
    SUMMARY_CHARS,
    TITLE_CHARS,
    lines,
    one_line,
    web_address,
)
from notifications.message import AlertLine, Message


def facts(parcel: Parcel) -> dict[str, Any]:
    """Return the templates' values. Nothing in it is longer than a mail can bear."""
    message = parcel.message
    title = one_line(parcel.title or message.title, TITLE_CHARS)
    return {
        "language": parcel.language,
        "direction": localize.direction(parcel.language),
        "title": title,
        "number": message.number,
        "priority": message.priority,
        "level": message.severity,
        "state_name": message.state,
        "is_test": parcel.kind == "test",
        "tenant": one_line(message.tenant, NAME_CHARS),
        "severity": localize.severity_word(message.severity, parcel.language),
        "state": localize.state_word(message.state, parcel.language),
        "news": news(parcel),
        "text": body(parcel, title),
        "service": service(message),
        "runbook": web_address(message.runbook),
        "taken_by": taken_by(message),
        "times": times(parcel),
        "next_who": one_line(message.next_who, NAME_CHARS),
        "alerts": [alert(line, parcel) for line in listed(message)],
        "more": max(0, lines_in_all(message) - len(message.alerts)),
        "url": web_address(message.url),
        "acts": acts(parcel),
    }


def acts(parcel: Parcel) -> list[dict[str, str]]:
    """Return the buttons; the first is the one that people want at night."""
    return [
        {"act": act, "label": label, "url": url}
        for act, label, url in signing.act_links(parcel)
    ]


def body(parcel: Parcel, title: str) -> str:
    """Return the template's text, without a first line that the title says already."""
    text = lines(parcel.body, BODY_CHARS).strip()
    first, _break, rest = text.partition("\n")
    return rest.lstrip("\n") if one_line(first) == title else text


def listed(message: Message) -> tuple[AlertLine, ...]:
    """Return the alerts to list; a single one is what the whole mail is about."""
    return message.alerts if lines_in_all(message) > 1 else ()


def lines_in_all(message: Message) -> int:
    """Return how many alerts there are to list; of a storm, how many groups."""
    return message.storm.groups if message.storm else message.alert_count


def news(parcel: Parcel) -> str:
    """Return what happened since the page, for a mail that follows one."""
    note = parcel.message.note
    if parcel.kind != "reply" or note is None:
        return ""
    said = localize.note_line(note, parcel.language, parcel.time_zone)
    return one_line(said, SUMMARY_CHARS)


def service(message: Message) -> str:
    """Return the service in trouble and who answers for it, on one line."""
    name = one_line(message.service, NAME_CHARS)
    owner = one_line(message.service_owner, NAME_CHARS)
    return f"{name} ({owner})" if name and owner else name


def taken_by(message: Message) -> str:
    acknowledged = message.state == "acknowledged"
    return one_line(message.actor, NAME_CHARS) if acknowledged else ""


def times(parcel: Parcel) -> list[tuple[str, str, str]]:
    """Return name, label and value of each time that means something now."""
    message: Message = parcel.message
    label = {
        "opened_at": gettext("Since"),
        "flapping_since": gettext("Flapping since"),
        "snooze_until": gettext("Snoozed until"),
        "resolved_at": gettext("Resolved at"),
        "next_at": gettext("Next"),
    }
    resolved = message.state == "resolved"
    wanted = {
        "opened_at": message.opened_at,
        "flapping_since": None if resolved else message.flapping_since,
        "snooze_until": message.snooze_until if message.state == "snoozed" else None,
        "resolved_at": message.resolved_at if resolved else None,
        "next_at": message.next_at,
    }
    return [
        (name, label[name], localize.moment(iso, parcel.language, parcel.time_zone))
        for name, iso in wanted.items()
        if iso
    ]


def alert(line: AlertLine, parcel: Parcel) -> dict[str, Any]:
    summary = one_line(line.summary, SUMMARY_CHARS)
    title = one_line(line.title, NAME_CHARS * 2)
    return {
        "title": title,
        "summary": summary if summary != title else "",
        "link": web_address(line.link),
        "severity": line.severity,
        "severity_word": localize.severity_word(line.severity, parcel.language),
        "state": line.state,
        "state_word": localize.state_word(line.state, parcel.language),
    }
