"""What does a mail look like? HTML and text, and headers that keep mails together."""

from __future__ import annotations

import re
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate, parseaddr
from typing import Any

import css_inline
from django.conf import settings
from django.template.loader import render_to_string
from django.utils.translation import gettext, override

from notifications import localize
from notifications.channels.base import Parcel
from notifications.message import AlertLine, Message

# RFC 5322 2.1.1 wants lines below 78; a subject longer than this is cut by readers.
SUBJECT_CHARS = 150
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
# The style sheet stays as well: only there can a mail say what the dark looks like.
INLINER = css_inline.CSSInliner(keep_style_tags=True, load_remote_stylesheets=False)


def write(parcel: Parcel) -> EmailMessage:
    """Return the mail with all its headers."""
    letter = EmailMessage(policy=policy.SMTP)
    for name, value in headers(parcel).items():
        letter[name] = value
    with override(localize.interface_language(parcel.language)):
        values = context(parcel)
        text = render_to_string("email/message.txt", values)
        html = render_to_string("email/message.html", values)
    letter.set_content(re.sub(r"\n{3,}", "\n\n", text).strip() + "\n")
    letter.add_alternative(INLINER.inline(html), subtype="html")
    return letter


# --- headers ---


def headers(parcel: Parcel) -> dict[str, str]:
    """Return the headers. A mail of a group refers to the group's own id, which no
    mail has: so every reader puts them together, whichever arrives first."""
    message, domain = parcel.message, sender_address().rpartition("@")[2]
    found = {
        "From": str(sender()),
        "To": parcel.address,
        "Subject": subject(parcel),
        "Date": formatdate(usegmt=True),
        "Message-ID": f"<{parcel.delivery_id}@{domain}>",
        # RFC 3834: nobody's absence notice shall answer.
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "X-AlertCenter-Delivery": str(parcel.delivery_id),
    }
    if message.thread_key and parcel.kind != "test":
        thread = f"<group-{one_line(message.thread_key)}@{domain}>"
        found |= {"In-Reply-To": thread, "References": thread}
        found["X-Entity-Ref-ID"] = one_line(message.thread_key)
    return found


def subject(parcel: Parcel) -> str:
    """Return `[#12] title` on one line: a line break would begin another header."""
    title = one_line(parcel.title or parcel.message.title)
    number = parcel.message.number
    said = f"[#{number}] {title}" if number else title
    return said if len(said) <= SUBJECT_CHARS else said[: SUBJECT_CHARS - 1] + "…"


def one_line(text: str) -> str:
    return " ".join(CONTROLS.sub(" ", text).split())


def sender() -> Address:
    name, address = parseaddr(settings.EMAIL_FROM)
    return Address(display_name=name, addr_spec=address or "alerts@localhost")


def sender_address() -> str:
    return sender().addr_spec


# --- what the templates say ---


def context(parcel: Parcel) -> dict[str, Any]:
    """Return the templates' values: facts, words, and times as the reader has them."""
    message = parcel.message
    return {
        "language": parcel.language,
        "direction": localize.direction(parcel.language),
        "parcel": parcel,
        "message": message,
        "title": one_line(parcel.title or message.title),
        "subject": subject(parcel),
        "is_test": parcel.kind == "test",
        "severity": localize.severity_word(message.severity, parcel.language),
        "state": localize.state_word(message.state, parcel.language),
        "news": news(parcel),
        "service": service(message),
        "times": dict(times(parcel)),
        "alerts": [alert(line, parcel) for line in message.alerts],
        "more": max(0, lines_in_all(message) - len(message.alerts)),
    }


def lines_in_all(message: Message) -> int:
    """Return how many alerts there are to list; of a storm, how many groups."""
    return message.storm.groups if message.storm else message.alert_count


def news(parcel: Parcel) -> str:
    """Return what happened since the page, for a mail that follows one."""
    note = parcel.message.note
    if parcel.kind != "reply" or note is None:
        return ""
    return localize.note_line(note, parcel.language, parcel.time_zone)


def service(message: Message) -> str:
    """Return the service in trouble and who answers for it, on one line."""
    name, owner = one_line(message.service), one_line(message.service_owner)
    return f"{name} ({owner})" if name and owner else name


def times(parcel: Parcel) -> list[tuple[str, str]]:
    """Return the label and value of each time that means something now."""
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
    said = {
        name: localize.moment(iso, parcel.language, parcel.time_zone)
        for name, iso in wanted.items()
        if iso
    }
    if "next_at" in said and message.next_who:
        said["next_at"] = f"{message.next_who}, {said['next_at']}"
    return [(label[name], text) for name, text in said.items()]


def alert(line: AlertLine, parcel: Parcel) -> dict[str, Any]:
    return {
        "title": line.title,
        "summary": line.summary if line.summary != line.title else "",
        "severity": line.severity,
        "severity_word": localize.severity_word(line.severity, parcel.language),
        "state": line.state,
        "state_word": localize.state_word(line.state, parcel.language),
    }


# --- the mail as bytes and as texts ---


def as_bytes(letter: EmailMessage, *, utf8: bool) -> bytes:
    return letter.as_bytes(policy=policy.SMTPUTF8 if utf8 else policy.SMTP)


def part(letter: EmailMessage, subtype: str) -> str:
    """Return the text of the `plain` or the `html` part."""
    found = letter.get_body(preferencelist=(subtype,))
    return str(found.get_content()) if found is not None else ""
