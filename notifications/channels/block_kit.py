"""What does a message look like in Slack? Block Kit, from facts and rendered words.

Blocks stand at the top level: in attachments Slack folds long texts away, and the
buttons with them. Whatever comes from outside is escaped and can mention nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, override

from notifications import localize
from notifications.channels.base import Parcel
from notifications.message import AlertLine

# https://docs.slack.dev/reference/block-kit/blocks/header-block
HEADER_CHARS = 150
# https://docs.slack.dev/reference/block-kit/blocks/section-block
SECTION_CHARS = 3_000
FIELD_CHARS = 2_000
# https://docs.slack.dev/reference/block-kit/block-elements/button-element
BUTTON_CHARS = 75
URL_CHARS = 3_000
# https://docs.slack.dev/reference/block-kit/composition-objects/option-object
OPTION_CHARS = 75
# https://docs.slack.dev/reference/block-kit/block-elements/overflow-menu-element
OVERFLOW_OPTIONS = 5
# https://docs.slack.dev/reference/block-kit/block-elements/multi-select-menu-element
PLACEHOLDER_CHARS = 150
# https://docs.slack.dev/reference/block-kit/blocks/context-block
CONTEXT_ELEMENTS = 10
CONTEXT_CHARS = 2_000
# https://docs.slack.dev/reference/methods/chat.postMessage#truncating
TEXT_CHARS = 4_000
# Ours: a list that is longer than a screen is read on the dashboard.
MOST_ALERTS = 10
ALERT_CHARS = 250

SIGNS = {5: "🔴", 4: "🟠", 3: "🟡", 2: "🔵", 1: "⚪"}
UNKNOWN_SIGN = "⚪"
STATE_SIGNS = {"acknowledged": "👀", "snoozed": "💤", "resolved": "✅"}
BETWEEN = " · "
STYLES = {"acknowledge": "primary"}
ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
ADDRESS = re.compile(r"https?://[^\s<>|\"'`]+[^\s<>|\"'`.,;:!?)\]]")

Block = dict[str, Any]


def page(parcel: Parcel) -> dict[str, Any]:
    """Return `text` (for notifications and screen readers) and `blocks`."""
    with override(localize.interface_language(parcel.language)):
        return {"text": summary(parcel), "blocks": list(blocks(parcel))}


def page_with_links(parcel: Parcel, links: list[tuple[str, str]]) -> dict[str, Any]:
    """Return a page for places in which no button works: links in its stead."""
    with override(localize.interface_language(parcel.language)):
        found = [block for block in blocks(parcel) if block["type"] != "actions"]
        shown: list[str] = []
        room = SECTION_CHARS
        for label, url in links:
            words = escaped(label, BUTTON_CHARS).replace("|", "/")
            piece = f"<{escaped(url, URL_CHARS)}|{words}>"
            room -= len(piece) + len(BETWEEN)
            if room >= 0 and not set(url) & set("<>| "):
                shown.append(piece)
        if shown:
            found.append(section(BETWEEN.join(shown)))
        return {"text": summary(parcel), "blocks": found}


def line(parcel: Parcel) -> dict[str, Any]:
    """Return one line of the thread; it mentions nobody."""
    return {"text": escaped(noted(parcel), TEXT_CHARS)}


def named_line(parcel: Parcel) -> dict[str, Any]:
    """Return one line that stands by itself, and so names the group it is about."""
    number = parcel.message.number
    about = f"{sign(parcel)} " + (f"[#{number}] " if number else "")
    about += escaped(title(parcel), HEADER_CHARS)
    return {"text": f"{about}: {escaped(noted(parcel), TEXT_CHARS - len(about) - 2)}"}


def noted(parcel: Parcel) -> str:
    note = parcel.message.note
    said = localize.note_line(note, parcel.language, parcel.time_zone) if note else ""
    return said or parcel.title


def test(parcel: Parcel) -> dict[str, Any]:
    """Return the text of a test."""
    with override(localize.interface_language(parcel.language)):
        said = _("Test of AlertCenter for %(tenant)s: messages arrive here.") % {
            "tenant": parcel.message.tenant
        }
    return {"text": f"🔔 {escaped(said, TEXT_CHARS)}"}


def answer_text(parcel: Parcel) -> str:
    """Return what the person who asked is told: words already in Slack's markup, or
    the message's title."""
    if said := parcel.message.payload.get("text"):
        return str(said)[:TEXT_CHARS]
    return escaped(parcel.message.title, TEXT_CHARS)


# --- the parts of a page ---


def summary(parcel: Parcel) -> str:
    """Return the message in one line, the worst news first."""
    message = parcel.message
    said = escaped(title(parcel), TEXT_CHARS - 500)
    if not message.number:  # about no group: it has no state
        return f"{sign(parcel)} {said}"
    words = f"{sign(parcel)} {severity(parcel)} · {state(parcel)} · "
    return f"{words}[#{message.number}] {said}"


def blocks(parcel: Parcel) -> Iterator[Block]:
    """Yield the message's blocks. Title, severity and link always fit."""
    yield {
        "type": "header",
        "text": plain(f"{sign(parcel)} {title(parcel)}", HEADER_CHARS),
    }
    if parcel.message.number:
        yield section(headline(parcel)) | service_fields(parcel)
    if parcel.body.strip():
        yield section(linked(parcel.body.strip(), SECTION_CHARS))
    if parcel.message.alert_count > 1:
        yield section(alert_list(parcel))
    remarks = list(context(parcel))[:CONTEXT_ELEMENTS]
    if remarks:
        yield {"type": "context", "elements": [mrkdwn(text) for text in remarks]}
    buttons = list(actions(parcel))
    if buttons:
        block_id = f"group:{parcel.message.group_id}"
        yield {"type": "actions", "block_id": block_id, "elements": buttons}


def title(parcel: Parcel) -> str:
    return " ".join((parcel.title or parcel.message.title).split())


def sign(parcel: Parcel) -> str:
    """Return how bad it is while it fires, and what became of it after."""
    worst = SIGNS.get(parcel.message.severity, UNKNOWN_SIGN)
    return STATE_SIGNS.get(parcel.message.state, worst)


def severity(parcel: Parcel) -> str:
    return localize.severity_word(parcel.message.severity, parcel.language)


def state(parcel: Parcel) -> str:
    return localize.state_word(parcel.message.state, parcel.language)


def headline(parcel: Parcel) -> str:
    """Return severity, state, counts and number."""
    message = parcel.message
    worst = SIGNS.get(message.severity, UNKNOWN_SIGN)
    parts = [f"{worst} *{severity(parcel)}*", f"*{state(parcel)}*", counts(parcel)]
    if message.priority:
        parts.insert(1, f"*P{message.priority}*")
    parts.append(f"#{message.number}")
    return " · ".join(parts)


def service_fields(parcel: Parcel) -> Block:
    """Return the fields that name the service, its owner and its runbook."""
    message = parcel.message
    if not message.service:
        return {}
    found = [field(_("Service"), escaped(message.service, FIELD_CHARS // 2))]
    if message.service_owner:
        who = escaped(message.service_owner, FIELD_CHARS // 2)
        found.append(field(_("Owner"), who))
    if message.runbook and len(message.runbook) <= FIELD_CHARS // 2:
        where = linked(message.runbook, FIELD_CHARS // 2)
        found.append(field(_("Runbook"), where))
    return {"fields": found}


def field(label: str, value: str) -> Block:
    return mrkdwn(f"*{label}*\n{value}")


def counts(parcel: Parcel) -> str:
    """Return how many alerts fire, of how many."""
    message = parcel.message
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


def alert_list(parcel: Parcel) -> str:
    """Return the worst alerts, a line each, as many as fit."""
    lines: list[str] = []
    room = SECTION_CHARS - ALERT_CHARS
    for alert in parcel.message.alerts[:MOST_ALERTS]:
        text = alert_line(alert)
        room -= len(text) + 1
        if room < 0:
            break
        lines.append(text)
    message = parcel.message
    left = (message.storm.groups if message.storm else message.alert_count) - len(lines)
    if left > 0:
        lines.append(ngettext("and %(n)s more", "and %(n)s more", left) % {"n": left})
    return "\n".join(lines)


def alert_line(alert: AlertLine) -> str:
    mark = STATE_SIGNS.get(alert.state) or SIGNS.get(alert.severity, UNKNOWN_SIGN)
    text = alert.title
    if alert.summary and alert.summary != alert.title:
        text = f"{alert.title}: {alert.summary}"
    return f"{mark} {escaped(' '.join(text.split()), ALERT_CHARS)}"


def context(parcel: Parcel) -> Iterator[str]:
    """Yield the small print: since when, who has it, what comes next."""
    message = parcel.message
    if message.opened_at:
        yield _("Since %(time)s") % {"time": moment(parcel, message.opened_at)}
    if message.flapping_since and message.state != "resolved":
        since = moment(parcel, message.flapping_since)
        yield _("Flapping since %(time)s") % {"time": since}
    if message.state == "acknowledged" and message.actor:
        who = escaped(message.actor, CONTEXT_CHARS // 2)
        yield _("Acknowledged by %(who)s") % {"who": who}
    if message.state == "snoozed" and message.snooze_until:
        until = moment(parcel, message.snooze_until)
        yield _("Snoozed until %(time)s") % {"time": until}
    if message.state == "resolved" and message.resolved_at:
        yield _("Resolved %(time)s") % {"time": moment(parcel, message.resolved_at)}
    if message.next_at:
        yield _("Next: %(who)s, %(time)s") % {
            "who": escaped(message.next_who, CONTEXT_CHARS // 2),
            "time": moment(parcel, message.next_at),
        }


def actions(parcel: Parcel) -> Iterator[Block]:
    """Yield the buttons. `value` only names the group: who may act is asked later."""
    message = parcel.message
    for act in message.actions:
        label = localize.action_label(act, parcel.language)
        yield button(act, label, message.group_id)
    if message.url and len(message.url) <= URL_CHARS:
        opened = button("open", _("Open"), message.group_id or "none")
        yield opened | {"url": message.url}
    if message.actions and message.group_id:
        yield from menus(message.state)


def menus(state: str) -> Iterator[Block]:
    """Yield what is not asked for in every group; the block is named after it."""
    yield {
        "type": "users_select",
        "action_id": "assign",
        "placeholder": plain(_("Assign to…"), PLACEHOLDER_CHARS),
    }
    choices = [
        ("escalate", _("Escalate now")),
        ("respond", _("Add a responder…")),
        ("note", _("Add a note…")),
        ("silence", _("Silence…")),
        ("lasting", _("Snooze longer…")),
    ]
    if state != "firing":  # no step of its policy waits
        choices = choices[1:]
    yield {
        "type": "overflow",
        "action_id": "more",
        "options": [
            {"text": plain(words, OPTION_CHARS), "value": act}
            for act, words in choices[:OVERFLOW_OPTIONS]
        ],
    }


def button(action_id: str, label: str, value: str) -> Block:
    found = {
        "type": "button",
        "action_id": action_id,
        "text": plain(label, BUTTON_CHARS),
        "value": value,
    }
    style = STYLES.get(action_id)
    return found | {"style": style} if style else found


def moment(parcel: Parcel, iso: str) -> str:
    """Return a time that Slack shows in each reader's own zone.

    https://docs.slack.dev/messaging/formatting-message-text#date-formatting
    """
    said = localize.moment(iso, parcel.language, parcel.time_zone)
    fallback = escaped(said, CONTEXT_CHARS // 4).replace("|", "/")
    at = localize.parse(iso)
    if at is None:
        return fallback
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time}}|{fallback}>"


# --- text objects ---


def section(text: str) -> Block:
    return {"type": "section", "text": mrkdwn(text)}


def mrkdwn(text: str) -> Block:
    """Return a mrkdwn object. `verbatim`: a bare @here or #name stays plain text."""
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def plain(text: str, limit: int) -> Block:
    """Return a plain_text object; `emoji` off, so that "a:b:c" stays what it is."""
    return {"type": "plain_text", "text": escaped(text, limit), "emoji": False}


def escaped(text: str, limit: int) -> str:
    """Return `text` with Slack's three characters escaped, at most `limit` long.

    https://docs.slack.dev/messaging/formatting-message-text#escaping: every mention,
    link or command begins with `<`, so none can come out of this.
    """
    found = "".join(ESCAPES.get(character, character) for character in text)
    if len(found) <= limit:
        return found
    kept: list[str] = []
    room = limit - 1
    for character in text:
        piece = ESCAPES.get(character, character)
        room -= len(piece)
        if room < 0:
            break
        kept.append(piece)
    return "".join(kept) + "…"


def linked(text: str, limit: int) -> str:
    """Return escaped text in which web addresses can be followed.

    `verbatim` keeps Slack from finding them itself.
    """
    pieces: list[str] = []
    room, end = limit, 0
    for match in ADDRESS.finditer(text):
        before = escaped(text[end : match.start()], limit)
        address = f"<{escaped(match.group(0), limit)}>"
        if len(before) + len(address) > room:
            break
        pieces += [before, address]
        room -= len(before) + len(address)
        end = match.end()
    rest = escaped(text[end:], room) if room > 0 else ""
    return "".join([*pieces, rest])
