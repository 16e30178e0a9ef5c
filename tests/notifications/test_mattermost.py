"""What a bot or a webhook posts in Mattermost."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from django.core.exceptions import ValidationError

from notifications.channels import chat, mattermost
from notifications.channels.base import DeliveryError, ThreadPlace
from tests.fakes.mattermost import FakeMattermost, mentions
from tests.fakes.vendor import Reply
from tests.notifications.chats import EVIL, LOOPBACK, a_chat_parcel, checked, send
from tests.notifications.scene import a_message, acknowledged

ROOT = "0" * 26


@pytest.fixture
def fake(settings) -> Iterator[FakeMattermost]:
    settings.OUTBOUND_ALLOW = LOOPBACK
    with FakeMattermost() as running:
        yield running


def parcel(fake, of="page", **changes):
    return a_chat_parcel(fake, "mattermost", of, **changes)


def by_hook(fake, of="page", **changes):
    return parcel(fake, of, settings={}, secret=fake.hook(), **changes)


def test_an_acknowledgement_redraws_the_bot_s_post_and_is_told_in_its_thread(fake):
    first = parcel(fake)
    thread = send(first).thread
    assert thread == ThreadPlace("c" * 26, ROOT)
    changed = acknowledged(first.message)
    send(parcel(fake, "update", message=changed, thread=thread))
    send(parcel(fake, "reply", message=changed, thread=thread))
    page, reply = fake.messages
    assert "Acknowledged by Alice" in page["props"]["attachments"][0]["text"]
    assert (reply["root_id"], reply["message"]) == (ROOT, "Alice acknowledged.")


def test_a_webhook_posts_and_redraws_nothing(fake):
    receipt = send(by_hook(fake))
    assert (receipt.answer, receipt.thread) == ("200 ok", None)
    changed = acknowledged(a_message())
    assert send(by_hook(fake, "update", message=changed)).answer
    send(by_hook(fake, "reply", message=changed))
    assert len(fake.requests) == 2
    assert fake.messages[1]["text"].endswith("Disks are full: Alice acknowledged.")


@pytest.mark.parametrize("way", [parcel, by_hook])
def test_no_markup_and_no_mention_comes_from_outside(fake, way):
    send(way(fake, message=a_message(title=EVIL), title=EVIL, body=EVIL))
    send(way(fake, "reply", message=a_message(title=EVIL), title=EVIL))
    assert mentions(json.dumps(fake.messages, ensure_ascii=False)) == []
    text = chat.ADDRESS.sub("", mattermost.escaped(EVIL))
    assert not re.search(r"(?<!\\)[*_~`\[\]>]", text)


def test_the_links_stand_below_the_text(fake):
    send(parcel(fake))
    (attachment,) = fake.messages[0]["props"]["attachments"]
    link = "https://alerts.example/t/acme/groups/12"
    assert attachment["text"].endswith(f"[Open]({link})")
    assert attachment["title_link"] == link
    assert attachment["color"] == "#d72b3f"


def test_a_retry_after_goes_before_the_window_s_end(fake):
    fake.answers(Reply(429, "", {"Retry-After": "2", "X-RateLimit-Reset": "60"}))
    with pytest.raises(DeliveryError) as caught:
        send(parcel(fake))
    assert caught.value.retry_after == 2


def test_a_webhook_that_is_gone_is_refused_for_good(fake):
    secret = {"webhook_url": f"{fake.url}/hooks/other"}
    with pytest.raises(DeliveryError) as caught:
        send(parcel(fake, settings={}, secret=secret))
    assert caught.value.permanent
    assert "Invalid webhook" in caught.value.reason


def ask(given, held=None, stored=None):
    return mattermost.needed_settings(given | {"stored": stored or {}}, held or {})


def test_a_bot_needs_server_and_token_or_there_is_a_webhook():
    assert set(ask({})) == {"webhook_url"}
    assert set(ask({"channel_id": "c"})) == {"url", "bot_token"}
    assert ask({"webhook_url": "x"}) == {}
    assert ask({"channel_id": "c", "url": "https://x", "bot_token": "t"}) == {}


def test_a_stored_token_is_shown_to_no_other_server():
    given = {"channel_id": "c", "url": "https://evil.example"}
    held, stored = {"bot_token": "t"}, {"url": "https://chat.example"}
    assert set(ask(given, held, stored)) == {"bot_token"}
    assert ask(given | {"bot_token": "new"}, held, stored) == {}


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("webhook_url", "http://chat.internal/hooks/abc", "https://chat.example/x"),
        ("channel_id", "a1" * 13, "town-square"),
        ("bot_token", "a" * 26, "a" * 26 + "\r\nX: y"),
    ],
)
def test_settings_are_checked(name, good, bad):
    assert checked("mattermost", name, good) == good
    with pytest.raises(ValidationError):
        checked("mattermost", name, bad)
