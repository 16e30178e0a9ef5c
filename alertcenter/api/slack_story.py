"""How does what people write in Slack get into a group's story?

Replies in a group's thread are kept as notes; any other message can be added by the
shortcut "Add to timeline". Slack repeats an event that it thinks was lost: each is kept
once, by its event_id and by the message's own time stamp.
https://docs.slack.dev/apis/events-api/#retries
"""

from __future__ import annotations

import html
import re
from uuid import UUID

from django.utils.translation import gettext as _

from alertcenter.alerts.models import Group, Transition
from alertcenter.api.slack_people import actor_of, member_of
from alertcenter.api.slack_said import Said, not_done
from alertcenter.api.slack_signing import Payload, clean, is_id, part
from escalation import notes
from notifications.models import Contact, Thread
from tenants import roles
from tenants.actors import SOURCE, Actor
from tenants.models import Member

SHORTCUT = "add_to_timeline"
# What a person writes has no subtype, or one of these.
# https://docs.slack.dev/reference/events/message#subtypes
SPOKEN = ("", "thread_broadcast", "file_share")
# https://docs.slack.dev/messaging/formatting-message-text
MARK = re.compile(r"<([@#!]?)([^>|]*)(?:\|([^>]*))?>")


def is_reply(event: Payload) -> bool:
    """Whether a person has said something in a thread."""
    return (
        event.get("type") == "message"
        and str(event.get("subtype") or "") in SPOKEN
        and bool(event.get("thread_ts"))
        and event.get("thread_ts") != event.get("ts")
        and bool(clean(event.get("user")))
        and not event.get("bot_id")
    )


def group_of_thread(tenant_id: UUID, place: object, ts: object) -> UUID | None:
    """Return the group whose conversation stands there."""
    rows = Thread.objects.filter(
        tenant_id=tenant_id, provider_channel=str(place), provider_ts=str(ts)
    )
    return rows.values_list("group_id", flat=True).first()


def keep_reply(tenant_id: UUID, event: Payload) -> str:
    """Keep a reply as a note; return what became of it."""
    place, ts = event.get("channel"), str(event.get("ts") or "")
    group_id = group_of_thread(tenant_id, place, event.get("thread_ts"))
    if group_id is None:
        return "no_group"
    if is_known(tenant_id, group_id, ts):
        return "known"
    outcome = notes.add(
        tenant_id,
        group_id,
        plain(tenant_id, str(event.get("text") or "")),
        actor=author(tenant_id, event),
        source={"slack_ts": ts},
        tell=False,
    )
    return outcome.reason


def author(tenant_id: UUID, message: Payload) -> Actor:
    """Return who wrote a message: a member, or whatever Slack calls him."""
    user_id = clean(message.get("user"))
    if member := member_of(tenant_id, user_id):
        return actor_of(member)
    name = str(message.get("username") or user_id or "")[:80]
    return Actor(SOURCE, "slack", f"Slack: {name}" if name else "Slack")


def is_known(tenant_id: UUID, group_id: UUID, ts: str) -> bool:
    rows = Transition.objects.filter(
        tenant_id=tenant_id, group_id=group_id, kind="noted", data__slack_ts=ts
    )
    return rows.exists()


# --- the shortcut ---


def thread_of(payload: Payload) -> tuple[str, str]:
    """Return the place and the root of the conversation that a message stands in."""
    message = part(payload, "message")
    root = message.get("thread_ts") or message.get("ts")
    return str(part(payload, "channel").get("id") or ""), str(root or "")


def add(tenant_id: UUID, member: Member, payload: Payload) -> Said:
    """Keep the message that the shortcut was used on, in the group of its thread."""
    if not roles.may(member.role, roles.ACT):
        return Said(_("Your role does not allow this."), done=False)
    message = part(payload, "message")
    group_id = group_of_thread(tenant_id, *thread_of(payload))
    if group_id is None and not open_groups(tenant_id, 1):
        return Said(_("Nothing is open."), done=False)
    if group_id is None:
        return Said(_("Slack did not show the form. Please press again."), done=False)
    ts = str(message.get("ts") or "")
    if is_known(tenant_id, group_id, ts):
        return Said(_("This is part of the story already."))
    return keep(tenant_id, member, group_id, quoted(tenant_id, member, message), ts)


def keep(tenant_id: UUID, member: Member, group_id: UUID, text: str, ts: str) -> Said:
    outcome = notes.add(
        tenant_id,
        group_id,
        text,
        actor=actor_of(member),
        source={"slack_ts": ts} if ts else {},
        tell=False,
    )
    if outcome.reason == "empty":
        return Said(_("There is no text to keep."), done=False)
    if not outcome.done:
        return Said(not_done(outcome), done=False)
    return Said(_("Added to the story of #%(number)s.") % {"number": outcome.number})


def quoted(tenant_id: UUID, member: Member, message: Payload) -> str:
    """Return what a message says, and who said it where that was another person."""
    text = plain(tenant_id, str(message.get("text") or ""))
    who = author(tenant_id, message)
    return text if who == actor_of(member) else f"{who.label}: {text}"


def chosen(tenant_id: UUID, member: Member, values: dict[str, str], ts: str) -> Said:
    """Keep a message in the group that was chosen in the form."""
    wanted = values.get("group", "")
    if not is_id(wanted):
        return Said(errors=(("group", _("Choose the group.")),), done=False)
    return keep(tenant_id, member, UUID(wanted), values.get("text", ""), ts)


def open_groups(tenant_id: UUID, most: int) -> list[tuple[str, str]]:
    """Return what can be chosen among, the worst first."""
    rows = Group.objects.filter(tenant_id=tenant_id).exclude(state="resolved")
    return [
        (str(group.pk), f"#{group.number} {' '.join(group.title.split())}")
        for group in rows.order_by("-severity", "-opened_at")[:most]
    ]


# --- Slack's markup as plain text ---


def plain(tenant_id: UUID, text: str) -> str:
    """Return what people read where Slack shows this text."""
    names = _names(tenant_id, [m[2] for m in MARK.finditer(text) if m[1] == "@"])

    def shown(found: re.Match[str]) -> str:
        sign, target, label = found[1], found[2], found[3] or ""
        if sign == "@":
            return "@" + (names.get(target) or label or target)
        if sign == "#":
            return "#" + (label or target)
        if sign == "!":
            return label or "@" + target.partition("^")[0]
        bare = target.removeprefix("mailto:")
        return f"{label} ({target})" if label and label not in (bare, target) else bare

    return html.unescape(MARK.sub(shown, text))


def _names(tenant_id: UUID, user_ids: list[str]) -> dict[str, str]:
    if not user_ids:
        return {}
    rows = Contact.objects.filter(
        tenant_id=tenant_id, kind="slack", address__in=user_ids
    )
    return {row.address: row.member.name for row in rows.select_related("member")}
