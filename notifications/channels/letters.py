"""What does a mail look like? HTML and text, and headers that keep mails together."""

from __future__ import annotations

import re
from collections.abc import Sequence
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import formatdate, parseaddr
from typing import Any

import css_inline
from django.conf import settings
from django.template.loader import render_to_string
from django.utils.translation import override

from notifications import localize, signing
from notifications.channels.base import Parcel
from notifications.channels.letters_facts import facts
from notifications.channels.letters_text import in_header, in_id, mail_address
from notifications.enclosures import Enclosure

# RFC 5322 2.1.1 wants lines below 78; a subject longer than this is cut by readers.
SUBJECT_CHARS = 150
URGENT = 5  # the severity that mail programs mark as important
# The style sheet stays as well: only there can a mail say what the dark looks like.
INLINER = css_inline.CSSInliner(keep_style_tags=True, load_remote_stylesheets=False)


def write(parcel: Parcel, files: Sequence[Enclosure] = ()) -> EmailMessage:
    """Return the mail with all its headers, and with these files."""
    letter = EmailMessage(policy=policy.SMTP)
    for name, value in headers(parcel).items():
        letter[name] = value
    with override(localize.interface_language(parcel.language)):
        values = facts(parcel) | {
            "subject": letter["Subject"],
            "stop_url": signing.subscription_url(parcel),
            "address": letter["To"],
            "files": [{"name": one.name, "rows": one.rows} for one in files],
            "opened_url": opened_url(parcel),
        }
        text = render_to_string("email/message.txt", values)
        html = render_to_string("email/message.html", values)
    letter.set_content(re.sub(r"\n{3,}", "\n\n", text).strip() + "\n")
    letter.add_alternative(INLINER.inline(html), subtype="html")
    for one in files:
        letter.add_attachment(
            one.content,
            maintype=one.maintype,
            subtype=one.subtype,
            filename=one.name,
        )
    return letter


def opened_url(parcel: Parcel) -> str:
    """Return the picture that tells of its being looked at; "" unless the channel asks
    for it: who opens a mail when is the reader's own business."""
    wanted = parcel.settings.get("track_opens") is True and parcel.kind != "test"
    return signing.opened_url(parcel) if wanted else ""


# --- headers ---


def headers(parcel: Parcel) -> dict[str, str]:
    """Return the headers. A mail of a group refers to the group's own id, which no
    mail has: so every reader puts them together, whichever arrives first."""
    # The installation's domain, whoever the sender is: ids must never change.
    message, domain = parcel.message, sender().domain
    found = {
        "From": str(sender(parcel)),
        "To": mail_address(parcel.address),
        "Subject": subject(parcel),
        "Date": formatdate(usegmt=True),
        "Message-ID": f"<{parcel.delivery_id}@{domain}>",
        # RFC 3834: nobody's absence notice shall answer.
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "X-AlertCenter-Delivery": str(parcel.delivery_id),
        # RFC 8058: a mailbox offers to stop the mails by one POST.
        "List-Unsubscribe": f"<{signing.subscription_url(parcel)}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    if parcel.kind == "page" and message.severity >= URGENT:
        found |= {"Importance": "high", "X-Priority": "1"}
    if (key := in_id(message.thread_key)) and parcel.kind != "test":
        thread = f"<group-{key}@{domain}>"
        found |= {"In-Reply-To": thread, "References": thread}
        found["X-Entity-Ref-ID"] = key
    return found


def subject(parcel: Parcel) -> str:
    """Return `[#12] title` on one line: a line break would begin another header.

    It is the group's title and not the template's, so that it is the same in every
    mail about the group: some mailboxes keep together only what has one subject
    (https://support.google.com/mail/answer/5900).
    """
    title, number = parcel.message.title, parcel.message.number
    return in_header(f"[#{number}] {title}" if number else title, SUBJECT_CHARS)


def sender(parcel: Parcel | None = None) -> Address:
    """Return who writes: the channel's `sender`, else the installation's."""
    given = str(parcel.settings.get("sender") or "") if parcel else ""
    name, address = parseaddr(in_header(given or settings.EMAIL_FROM))
    return Address(display_name=name, addr_spec=address or "alerts@localhost")


# --- the mail as bytes and as texts ---


class Unfolded(EmailPolicy):
    """Folds all headers but those that a mailbox reads as they are: a long address in
    one would be made an encoded word, which RFC 8058 readers do not decode."""

    ASIS = frozenset(("list-unsubscribe", "message-id", "in-reply-to", "references"))

    def fold_binary(self, name: str, value: Any) -> bytes:
        if name.lower() in self.ASIS:
            return f"{name}: {value}{self.linesep}".encode("ascii")
        return super().fold_binary(name, value)


AS_SMTP = Unfolded(linesep="\r\n")


def as_bytes(letter: EmailMessage, *, utf8: bool) -> bytes:
    return letter.as_bytes(policy=AS_SMTP.clone(utf8=utf8))


def part(letter: EmailMessage, subtype: str) -> str:
    """Return the text of the `plain` or the `html` part."""
    found = letter.get_body(preferencelist=(subtype,))
    return str(found.get_content()) if found is not None else ""
