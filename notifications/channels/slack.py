"""How does a delivery reach Slack?

A page is posted, or said again below the first one where people see it; later changes
redraw the first one in place and add lines to its thread. What the message looks like
is `block_kit`'s matter.
"""

from __future__ import annotations

import http.client
import re
import secrets
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.webhook import WebhookClient

from notifications.channels import block_kit, slack_chart, slack_picture
from notifications.channels.base import (
    NETWORK_SECONDS,
    ContactSpec,
    DeliveryError,
    Parcel,
    Receipt,
    Setting,
    Spec,
    ThreadPlace,
)
from notifications.channels.slack_api import (
    HOOK_HOSTS,
    QUIET,
    code_of,
    proxy_for,
    refusal,
    require,
    told_apart,
    web_client,
)
from notifications.message import Message

MOST_PLACES = 50
EVENT_TYPE = "alertcenter_delivery"

SLACK_USER = re.compile(r"^[UW][A-Z0-9]{2,30}$")  # https://api.slack.com/types/user


def a_user(address: str) -> str:
    """Return a Slack user's id. Raises ValidationError."""
    if not SLACK_USER.match(address):
        raise ValidationError(_("A Slack user id looks like U0123ABCD."))
    return address


USERGROUP = re.compile(r"(.+?)\s*=\s*(S[A-Z0-9]{2,30})")


def of_usergroups(given: list[str]) -> list[str]:
    """Return the lines as they are stored. Raises ValidationError."""
    for text in given:
        if not USERGROUP.fullmatch(text.strip()):
            said = _("Write a line like this: Ops = S0123ABCD.")
            raise ValidationError(said)
    return [text.strip() for text in given]


def usergroups_of(settings: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return (schedule's name, user group's id) of each line."""
    lines = settings.get("usergroups")
    found = (USERGROUP.fullmatch(str(text)) for text in lines or [])
    return [(one[1].strip(), one[2]) for one in found if one]


def needed(given: Mapping[str, Any], held: Mapping[str, str]) -> dict[str, Any]:
    """Ask for what Slack needs; the simulation needs no real secrets."""
    moved = slack_chart.moved(given, held)
    if settings.SIMULATION or set(held) - {slack_chart.TOKEN}:
        return moved
    names = ("bot_token", "signing_secret")
    text = _("This is needed to talk to Slack.")
    return moved | {name: text for name in names if not given.get(name)}


def made_up(channel_id: UUID) -> tuple[dict[str, Any], dict[str, str]]:
    """Return what the simulation's Slack accepts."""
    mark = channel_id.hex[-10:].upper()
    return (
        {"team_id": f"T{mark}", "app_id": f"A{mark}"},
        {
            "bot_token": f"xoxb-sim-{channel_id}",
            "signing_secret": secrets.token_hex(16),
        },
    )


SPEC = Spec(
    kind="slack",
    label=gettext_lazy("Slack"),
    about=gettext_lazy("A channel: one message a group, with buttons and a thread."),
    settings=(
        Setting(
            "channel",
            gettext_lazy("Slack channel"),
            gettext_lazy("Such as #ops, or its id."),
            required=True,
        ),
        Setting(
            "team_id",
            gettext_lazy("Team id"),
            gettext_lazy("Begins with T; tells whose buttons were pressed."),
        ),
        Setting("app_id", gettext_lazy("App id"), gettext_lazy("Begins with A.")),
        Setting(
            "bot_token",
            gettext_lazy("Bot token"),
            gettext_lazy("Begins with xoxb-."),
            secret=True,
        ),
        Setting("signing_secret", gettext_lazy("Signing secret"), secret=True),
        Setting(
            "match_people",
            gettext_lazy("Find members by their address"),
            gettext_lazy("Needs the scope users:read.email."),
            kind="flag",
            default=True,
        ),
        Setting(
            "usergroups",
            gettext_lazy("User groups of whoever is on call"),
            gettext_lazy(
                "One a line: a schedule, and the group's id, such as Ops = S0123ABCD."
            ),
            kind="lines",
            check=of_usergroups,
        ),
        *slack_chart.SETTINGS,
    ),
    place=lambda settings: str(settings.get("channel") or ""),
    check=needed,
    made_up=made_up,
    contact=ContactSpec(
        gettext_lazy("A Slack user id such as U0123ABCD."), a_user, by_hand=False
    ),
    updates=True,
    replies=None,
    charts=slack_chart.ADDRESS,
    # One message a second a channel, short bursts tolerated:
    # https://docs.slack.dev/apis/web-api/rate-limits
    pace=1.0,
    burst=5,
)

# What a page below another one meets when that one is gone, or takes none.
NO_THREAD = (
    "thread_not_found",
    "message_not_found",
    "cannot_reply_to_message",
    "cant_broadcast_message",
)


def send(parcel: Parcel) -> Receipt:
    """Send one delivery. Raises DeliveryError."""
    with told_apart():
        return SENDERS[parcel.kind](parcel)


# --- the five kinds ---


def page(parcel: Parcel) -> Receipt:
    """Post the message; in a conversation that exists, below it and for all to see.

    A page must arrive: where somebody has deleted the conversation, it begins anew.
    """
    return slack_picture.with_or_without(parcel, partial(page_as, parcel))


def page_as(parcel: Parcel, said: dict[str, Any]) -> Receipt:
    place = place_of(parcel)
    if parcel.thread is None:
        return _post(parcel, place, **said)
    below = {"thread_ts": parcel.thread.ts, "reply_broadcast": True}
    try:
        return _post(parcel, parcel.thread.channel, **said, **below)
    except SlackApiError as error:
        if code_of(error) not in NO_THREAD:
            raise
    return _post(parcel, place, **said)


def update(parcel: Parcel) -> Receipt:
    """Redraw the first message of the conversation as things stand now."""
    if parcel.thread is None:
        return Receipt(answer="nothing to redraw")
    return slack_picture.with_or_without(parcel, partial(update_as, parcel))


def update_as(parcel: Parcel, said: dict[str, Any]) -> Receipt:
    assert parcel.thread is not None
    answer = client_of(parcel).chat_update(
        channel=parcel.thread.channel,
        ts=parcel.thread.ts,
        link_names=False,
        metadata=metadata(parcel),
        **said,
    )
    return Receipt(provider_id=str(answer["ts"]), answer="ok", thread=parcel.thread)


def reply(parcel: Parcel) -> Receipt:
    """Add a line to the thread: who did what."""
    if parcel.thread is None:
        return Receipt(answer="no thread to add to")
    said = block_kit.line(parcel)
    return _post(parcel, parcel.thread.channel, **said, thread_ts=parcel.thread.ts)


def test(parcel: Parcel) -> Receipt:
    """Post a line that says that all is well."""
    return _post(parcel, place_of(parcel), **block_kit.test(parcel))


def answer(parcel: Parcel) -> Receipt:
    """Tell the person who pressed a button what came of it; nobody else sees it.

    https://docs.slack.dev/interactivity/handling-user-interaction#message_responses
    """
    require(parcel.address, hosts=HOOK_HOSTS)
    hook = WebhookClient(
        parcel.address, timeout=NETWORK_SECONDS, retry_handlers=[], logger=QUIET
    )
    hook.proxy = proxy_for(parcel.address, hook.proxy)
    got = hook.send_dict(
        {
            "response_type": "ephemeral",
            "replace_original": False,
            "text": block_kit.answer_text(parcel),
        }
    )
    if got.status_code != http.client.OK:
        raise refusal(got.status_code, got.body, got.headers)
    return Receipt(answer=got.body)


SENDERS: dict[str, Callable[[Parcel], Receipt]] = {
    "page": page,
    "update": update,
    "reply": reply,
    "chart": slack_chart.send,
    "test": test,
    "answer": answer,
}


def _post(parcel: Parcel, place: str, **said: Any) -> Receipt:
    got = client_of(parcel).chat_postMessage(
        channel=place,
        unfurl_links=False,
        unfurl_media=False,
        link_names=False,
        metadata=metadata(parcel),
        **said,
    )
    ts, thread_ts = str(got["ts"]), said.get("thread_ts")
    root = ThreadPlace(str(got["channel"]), thread_ts or ts)
    return Receipt(provider_id=ts, answer="ok", thread=root)


def metadata(parcel: Parcel) -> dict[str, Any]:
    """Return what tells twins apart after a doubtful attempt."""
    payload = {"delivery_id": str(parcel.delivery_id)}
    return {"event_type": EVENT_TYPE, "event_payload": payload}


# --- where to, and with whose token ---


def place_of(parcel: Parcel) -> str:
    """Return the channel; a Slack user's id opens a direct message with them."""
    chosen = chosen_place(parcel.settings, parcel.message)
    place = parcel.address or chosen or str(parcel.settings.get("channel") or "")
    if not place:
        raise DeliveryError("the channel names no place in Slack", permanent=True)
    return place


def chosen_place(settings: Mapping[str, Any], message: Message) -> str:
    """Return where the first of the channel's places that fits is, "" for none.

    An empty condition fits all; the environment is the label of that name, or `env`.
    """
    labels = message.labels
    environment = labels.get("environment") or labels.get("env") or ""
    for one in (settings.get("places") or [])[:MOST_PLACES]:
        levels, names = one.get("severity"), one.get("environment")
        if levels and message.severity not in levels:
            continue
        if names and environment not in names:
            continue
        return str(one.get("channel") or "")
    return ""


def client_of(parcel: Parcel) -> WebClient:
    return web_client(
        parcel.tenant_id, parcel.settings, parcel.secret, seconds=NETWORK_SECONDS
    )
