"""What does a form in Slack do: opened, while it is written, and sent off?

Slack wants a form within three seconds of the press, so the web opens it itself, with
no transaction open; what was sent off is a committed row first (`inbox`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils import translation
from django.utils.translation import gettext as _
from slack_sdk import WebClient

from alertcenter.alerts import lifecycle, silence_presets, silences
from alertcenter.alerts.models import Group, GroupAlert
from alertcenter.alerts.severity import shown
from alertcenter.alerts.silence_drafts import check_matchers, read_matchers
from alertcenter.alerts.silence_preview import preview
from alertcenter.alerts.silences import Draft, SilenceError
from alertcenter.api import slack_forms, slack_story
from alertcenter.api.slack_forms import About, Json, written
from alertcenter.api.slack_people import actor_of, member_of
from alertcenter.api.slack_said import Said, called, not_done, safe
from alertcenter.api.slack_signing import (
    Payload,
    Sender,
    actions_of,
    clean,
    dialog_of,
    part,
    user_of,
)
from escalation import actions, notes, responders
from notifications import localize
from notifications.channels.base import DeliveryError
from notifications.channels.slack_api import told_apart, web_client
from notifications.models import Channel
from tenants import roles
from tenants.fields import reveal
from tenants.models import Member
from tenants.rls import in_tenant

# Of Slack's three seconds; the rest is for the way and for us.
SECONDS = 2.0
FORMS = ("silence", "note", "respond", "lasting")
MOST_MEMBERS = 500


Wanted = tuple[str, UUID | None]


@dataclass(frozen=True)
class Ready:
    """A form that may be shown, and who shows it."""

    client: WebClient
    view: Json


def asks_for(sender: Sender, payload: Payload) -> Wanted | None:
    """Return which form a press or a shortcut asks for, about which group.

    The shortcut needs one where the message stands in no group's thread.
    """
    if payload.get("callback_id") == slack_story.SHORTCUT:
        with in_tenant(sender.tenant_id):
            place = slack_story.thread_of(payload)
            known = slack_story.group_of_thread(sender.tenant_id, *place)
        return None if known else ("timeline", None)
    for action in actions_of(payload):
        wanted = str(action.get("action_id"))
        if wanted == "more":
            wanted = str(part(action, "selected_option").get("value"))
        if wanted in FORMS:
            return wanted, UUID(action["value"])
    return None


def is_writing(payload: Payload) -> bool:
    """Whether somebody writes into a form of ours."""
    return bool(part(payload, "view").get("callback_id")) and bool(
        payload.get("type") == "block_actions"
    )


def open_form(sender: Sender, payload: Payload, wanted: Wanted) -> str | None:
    """Show the form; return None, or why it is not there ("refused": the engine tells
    why by itself)."""
    trigger = str(payload.get("trigger_id") or "")
    with in_tenant(sender.tenant_id):
        member = allowed(sender, payload)
        ready = member and prepared(sender, payload, member, *wanted)
    if not ready:
        return "refused"
    try:
        with told_apart():
            ready.client.views_open(trigger_id=trigger, view=ready.view)
    except DeliveryError as error:
        return error.reason
    return None


def redraw(sender: Sender, payload: Payload) -> None:
    """Say what the silence would mute as it is written now; a redraw that fails, or
    that comes too late for what was written since, is followed by another."""
    view = part(payload, "view")
    what = slack_forms.about(payload)
    if view.get("callback_id") != "silence" or what is None:
        return
    with in_tenant(sender.tenant_id):
        member = allowed(sender, payload)
        if member is None:
            return
        with translation.override(member.language):
            drawn = silence_form(sender.tenant_id, what, written(payload))
        client = client_of(sender)
    if client is None:
        return
    try:
        with told_apart():
            client.views_update(
                view_id=str(view.get("id")), hash=view.get("hash"), view=drawn
            )
    except DeliveryError:
        return


def allowed(sender: Sender, payload: Payload) -> Member | None:
    """Return the member, if his role lets him act."""
    member = member_of(sender.tenant_id, user_of(payload))
    return member if member and roles.may(member.role, roles.ACT) else None


def prepared(
    sender: Sender, payload: Payload, member: Member, form: str, group_id: UUID | None
) -> Ready | None:
    """Return the form; None where there is no such group, or no way to show it."""
    if group_id is None:
        return timeline_form(sender, payload, member)
    rows = Group.objects.filter(tenant_id=sender.tenant_id, pk=group_id)
    group = rows.exclude(state="resolved").first()
    client = client_of(sender)
    if group is None or client is None:
        return None
    what = About(group.pk, group.number, str(payload.get("response_url") or ""))
    with translation.override(member.language):
        if form == "silence":
            given = {"matchers": "\n".join(conditions_of(group))}
            return Ready(client, silence_form(sender.tenant_id, what, given))
        return Ready(client, getattr(slack_forms, form)(what))


def timeline_form(sender: Sender, payload: Payload, member: Member) -> Ready | None:
    """Return the form that asks which story a message belongs to."""
    client = client_of(sender)
    groups = slack_story.open_groups(sender.tenant_id, slack_forms.MOST_OPTIONS)
    if client is None or not groups:
        return None
    message = part(payload, "message")
    with translation.override(member.language):
        text = slack_story.quoted(sender.tenant_id, member, message)
        answer = str(payload.get("response_url") or "")
        ts = str(message.get("ts") or "")
        return Ready(client, slack_forms.timeline(groups, text, ts, answer))


def client_of(sender: Sender) -> WebClient | None:
    """Return a client for the sender's channel; None without a token."""
    channel = Channel.objects.get(pk=sender.channel_id)
    secret: Mapping[str, str] = json.loads(reveal(channel, "secret") or "{}")
    try:
        return web_client(sender.tenant_id, channel.settings, secret, seconds=SECONDS)
    except DeliveryError:
        return None


# --- the silence ---


def conditions_of(group: Group) -> list[str]:
    """Return the conditions that fit all firing alerts of a group."""
    members = GroupAlert.objects.filter(
        tenant_id=group.tenant_id, group=group, left_at=None
    )
    common: set[tuple[str, str]] | None = None
    rows = members.values_list("alert__labels", "alert__severity")
    for labels, severity in rows[:MOST_MEMBERS]:
        pairs = set(shown(labels, severity).items())
        common = pairs if common is None else common & pairs
    return silence_presets.as_matchers(dict(common or group.labels.items()))


def silence_form(tenant_id: UUID, what: About, given: Mapping[str, str]) -> Json:
    """Return the form with what it would mute now."""
    said, ask = previewed(tenant_id, lines_of(given))
    return slack_forms.silence(what, given, said, ask=ask)


def previewed(tenant_id: UUID, conditions: list[str]) -> tuple[str, bool]:
    """Return in a sentence what such a silence mutes, and whether that is a lot."""
    try:
        check_matchers(read_matchers(conditions))
    except SilenceError as error:
        return safe(error.message, 500), False
    found = preview(tenant_id, conditions)
    return safe(silence_presets.preview_words(found), 500), found.now.is_broad


def lines_of(given: Mapping[str, str]) -> list[str]:
    text = given.get("matchers", "")
    return [line.strip() for line in text.splitlines() if line.strip()]


# --- what was sent off: in the tenant's context, as the member ---


@dataclass(frozen=True)
class Sent:
    """A form that came back; `row` makes what it does happen once."""

    tenant_id: UUID
    member: Member
    about: About
    values: Mapping[str, str]
    row: int


def submit(tenant_id: UUID, member: Member, payload: Payload, row: int) -> Said:
    """Do what a form asks for; what there is to say stands in its place."""
    said = _submit(tenant_id, member, payload, row)
    return replace(said, view=slack_forms.result(said.text)) if said.text else said


def _submit(tenant_id: UUID, member: Member, payload: Payload, row: int) -> Said:
    form = str(part(payload, "view").get("callback_id"))
    what = slack_forms.about(payload)
    if form not in DO and form != "timeline":
        return Said(_("This form is not ours."), done=False)
    if not roles.may(member.role, roles.ACT):
        return Said(_("Your role does not allow this."), done=False)
    if form == "timeline":
        ts = dialog_of(payload).get("ts", "")
        return slack_story.chosen(tenant_id, member, written(payload), ts)
    if what is None:
        return Said(_("This form is not ours."), done=False)
    return DO[form](Sent(tenant_id, member, what, written(payload), row))


def keep_note(sent: Sent) -> Said:
    outcome = notes.add(
        sent.tenant_id,
        sent.about.group_id,
        sent.values.get("text", ""),
        actor=actor_of(sent.member),
    )
    if outcome.reason == "empty":
        return Said(errors=(("text", _("Write something.")),), done=False)
    return Said("" if outcome.done else not_done(outcome), done=outcome.done)


def add_responder(sent: Sent) -> Said:
    found = member_of(sent.tenant_id, clean(sent.values.get("who")))
    if found is None:
        refusal = _("This Slack account belongs to no member here.")
        return Said(errors=(("who", refusal),), done=False)
    outcome = responders.add(
        sent.tenant_id,
        sent.about.group_id,
        found.pk,
        actor=actor_of(sent.member),
        once=f"slack/{sent.row}",
    )
    if outcome.reason == "no_address":
        return Said(errors=(("who", called(found.name, outcome)),), done=False)
    return Said("" if outcome.done else not_done(outcome), done=outcome.done)


def snooze(sent: Sent) -> Said:
    now = lifecycle.database_time()
    try:
        until = silence_presets.end_of(
            sent.values.get("lasting", ""),
            now,
            ZoneInfo(sent.member.time_zone or "UTC"),
        )
    except KeyError:
        return Said(errors=(("lasting", _("Choose how long.")),), done=False)
    (outcome,) = actions.snooze(
        sent.tenant_id,
        [sent.about.group_id],
        actor=actor_of(sent.member),
        seconds=int((until - now).total_seconds()),
    )
    return Said("" if outcome.done else not_done(outcome), done=outcome.done)


def silence(sent: Sent) -> Said:
    """Keep the silence. One that mutes a lot is asked about first, in the form."""
    given = sent.values
    if not given.get("comment", "").strip():
        return Said(errors=(("comment", _("Say why.")),), done=False)
    try:
        draft = Draft(
            lines_of(given),
            silence_presets.end_of(
                given.get("lasting", ""),
                lifecycle.database_time(),
                zone_of(sent.member),
            ),
            comment=given["comment"].strip(),
            created_by=sent.member.name,
        )
        row = silences.save(
            sent.tenant_id,
            draft,
            actor=actor_of(sent.member),
            confirm=given.get("confirm") == "1",
        )
    except KeyError:
        return Said(errors=(("lasting", _("Choose how long.")),), done=False)
    except SilenceError as error:
        if error.code == "broad" and "confirm" not in given:
            said = safe(error.message, 500)
            return Said(
                view=slack_forms.silence(sent.about, given, said, ask=True), done=False
            )
        where = "confirm" if error.code == "broad" else "matchers"
        return Said(errors=((where, error.message[:500]),), done=False)
    until = localize.moment(
        row.ends_at.isoformat(), sent.member.language, sent.member.time_zone
    )
    return Said(_("Silenced until %(until)s.") % {"until": safe(until)})


def zone_of(member: Member) -> ZoneInfo:
    return ZoneInfo(member.time_zone or "UTC")


DO: Mapping[str, Callable[[Sent], Said]] = {
    "note": keep_note,
    "respond": add_responder,
    "lasting": snooze,
    "silence": silence,
}
