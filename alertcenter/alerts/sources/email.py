"""What does a mail say about an alert, by SMTP or by a provider's inbound webhook?

SendGrid, Mailgun, Postmark, Mailjet and the like name the parts differently; our own
listener (manage.py smtp) gives from, to, subject, text, html and the message's ids.
A subject is an alert; one that says resolved or recovered closes it.
"""

from __future__ import annotations

import re

from alertcenter.alerts.events import Event
from alertcenter.alerts.sources.adapter import (
    Adapter,
    Incoming,
    NotUnderstood,
    as_object,
    event,
    joined,
)
from alertcenter.alerts.sources.adapter import marked as _
from alertcenter.alerts.sources.chat import bare, is_over, severity_in
from alertcenter.alerts.sources.shapes import first, moment, plain

NAME = "email"
PREFIX = re.compile(r"^\s*(?:(?:re|fwd?|aw|wg|tr)\s*:\s*)+", re.IGNORECASE)
ADDRESS = re.compile(r"<([^<>\s]{3,254})>")
LINK = re.compile(r"https?://[^\s<>\"')]{3,500}")
PRIORITIES = {"1": "critical", "2": "error", "high": "critical", "urgent": "critical"}
DAY = 24 * 3600


def read(incoming: Incoming) -> list[Event]:
    """Return the one event of a mail. Raises NotUnderstood."""
    data = as_object(incoming)
    subject = PREFIX.sub("", first(data, "subject", "Subject", "headers.Subject"))
    sender = first(data, "from", "From", "sender", "Sender", "FromFull.Email")
    words = first(
        data, "text", "TextBody", "body-plain", "Text-part", "plain", "stripped-text"
    ) or plain(first(data, "html", "HtmlBody", "body-html", "Html-part"))
    if not sender or not (subject or words):
        raise NotUnderstood("a sender and a subject are missing")
    title = subject or words.partition("\n")[0]
    address = address_in(sender)
    name = bare(title)
    at = moment(first(data, "date", "Date", "timestamp", "headers.Date"))
    priority = first(data, "priority", "X-Priority", "headers.X-Priority")[:10].lower()
    found = LINK.search(words[:20_000])
    return [
        event(
            NAME,
            title=title,
            key=joined(address, name.lower()),
            firing=not is_over(title),
            severity=severity_in(title)
            or PRIORITIES.get(priority.partition(" ")[0], "")
            or severity_in(words),
            labels={"alertname": name, "sender": address},
            annotations={
                "description": words,
                "to": first(data, "to", "To", "recipient", "OriginalRecipient"),
                "attachments": first(data, "attachments", "attachment-count")[:500],
            },
            link=found.group().rstrip(".,;") if found else "",
            starts_at=at,
            ends_at=at,
            ttl_seconds=DAY,
        )
    ]


def address_in(sender: str) -> str:
    """Return the address of `"Name" <a@b>`."""
    found = ADDRESS.search(sender[:1_000])
    return (found[1] if found else sender).strip().lower()


def recognise(incoming: Incoming) -> bool:
    data = incoming.data
    if type(data) is not dict:
        return False
    low = {str(name).lower() for name in list(data)[:60]}
    return "subject" in low and bool(low & {"from", "sender"}) and bool(low & BODIES)


BODIES = frozenset({
    "text", "html", "textbody", "htmlbody", "body-plain", "body-html", "text-part",
    "html-part", "plain",
})  # fmt: skip

ADAPTER = Adapter(
    NAME,
    "E-mail",
    read,
    recognise,
    example={
        "from": "Backup <backup@db-1.example>",
        "to": "alerts@example.com",
        "subject": "ERROR: nightly backup failed",
        "text": "pg_dump ended with 1. See https://wiki.example/backup",
        "date": "Fri, 20 Nov 2026 10:00:00 +0000",
    },
    steps=(
        _(
            "Send mail to the key at this host, if an administrator has set ALERTCENTER_SMTP_PORT."
        ),
        _("Or let the inbound webhook of your mail provider post to the URL."),
        _("Subjects that say resolved or recovered close what they name."),
    ),
    docs="",
)
