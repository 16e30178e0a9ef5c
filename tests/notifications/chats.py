"""Which chats are there to be tried, and what do all tests of them need?"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_network
from typing import Any

from notifications.channels.base import Parcel, Receipt
from notifications.channels.registry import channel_of, spec_of
from notifications.message import AlertLine, Message
from tests.fakes.discord import FakeDiscord
from tests.fakes.googlechat import FakeGoogleChat
from tests.fakes.mattermost import FakeMattermost
from tests.fakes.ntfy import FakeNtfy
from tests.fakes.teams import FakeTeams
from tests.fakes.telegram import FakeTelegram
from tests.fakes.vendor import FakeVendor
from tests.notifications.scene import a_message, a_parcel

FAKES: dict[str, Callable[[], FakeVendor]] = {
    "discord": FakeDiscord,
    "googlechat": FakeGoogleChat,
    "mattermost": FakeMattermost,
    "ntfy": FakeNtfy,
    "teams": FakeTeams,
    "telegram": FakeTelegram,
}
LOOPBACK = [ip_network("127.0.0.0/8")]

# What a label or a title may hold to reach more people, or to look like something else.
EVIL = (
    "@everyone @here @channel @all <!channel> <users/all> <at>everyone</at> "
    "<@123456789> <@&987> **bold** *b* _i_ `code` ~~s~~ ||spoiler|| # head\n> quote "
    "[click](https://evil.example/) [x](javascript:alert(1)) <b>html</b> "
    '<script>alert(1)</script> <a href="https://evil.example">x</a> &lt; '
    "{{DATE(2026-01-01T00:00:00Z)}} ${title} \\@x \x07\u2028end"
)


def a_chat_parcel(
    fake: FakeVendor, kind: str, of: str = "page", **changes: Any
) -> Parcel:
    """Return a parcel for the fake's channel; `of` page, update, reply or test."""
    given: dict[str, Any] = {
        "channel_kind": kind,
        "settings": fake.settings(),
        "secret": fake.secret(),
    }
    return a_parcel(of, **given | changes)


def send(parcel: Parcel) -> Receipt:
    return channel_of(parcel.channel_kind).send(parcel)


def huge(**changes: Any) -> Message:
    """Return a message of which everything is far too long, in letters of 3 bytes."""
    alert = AlertLine("漢" * 5_000, 5, "firing", summary="字" * 5_000)
    given: dict[str, Any] = {
        "title": "漢" * 5_000,
        "alert_count": 500,
        "firing_count": 500,
        "alerts": (alert,) * 10,
        "service": "s" * 5_000,
        "service_owner": "o" * 5_000,
        "next_who": "w" * 5_000,
        "runbook": "https://runbooks.example/" + "r" * 1_900,
    }
    return a_message(**given | changes)


def checked(kind: str, name: str, value: str) -> Any:
    """Return what a setting's check makes of `value`. Raises ValidationError."""
    (setting,) = (s for s in spec_of(kind).settings if s.name == name)
    assert setting.check is not None
    return setting.check(value)
