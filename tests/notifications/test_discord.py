"""What a webhook posts in Discord, and how it edits it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.core.exceptions import ValidationError

from notifications.channels import chat
from notifications.channels.base import DeliveryError, ThreadPlace
from tests.fakes.discord import FakeDiscord
from tests.fakes.vendor import Reply
from tests.notifications.chats import EVIL, LOOPBACK, a_chat_parcel, checked, send
from tests.notifications.scene import a_message, acknowledged

LINK = "https://alerts.example/t/acme/groups/12"


@pytest.fixture
def fake(settings) -> Iterator[FakeDiscord]:
    settings.OUTBOUND_ALLOW = LOOPBACK
    with FakeDiscord() as running:
        yield running


def parcel(fake, of="page", **changes):
    return a_chat_parcel(fake, "discord", of, **changes)


def test_a_page_is_an_embed_with_a_bar_a_link_and_a_button(fake):
    receipt = send(parcel(fake))
    (message,) = fake.messages
    (embed,) = message["embeds"]
    assert (embed["color"], embed["url"]) == (0xD72B3F, LINK)
    (row,) = message["components"]
    assert row["components"][-1] == {
        "type": 2,
        "style": 5,
        "label": "Open",
        "url": LINK,
    }
    assert message["query"]["wait"] == "true"
    assert receipt.thread == ThreadPlace("777", "900000")


def test_no_markup_and_no_mention_comes_from_outside(fake):
    send(parcel(fake, message=a_message(title=EVIL), title=EVIL, body=EVIL))
    (message,) = fake.messages
    assert message["allowed_mentions"] == {"parse": []}
    (embed,) = message["embeds"]
    said = chat.ADDRESS.sub("", embed["description"].replace("**", "", 2))
    unmarked = re.sub(r"\\.", "", said)
    assert not re.search(r"[*_~`|<>\[\]@]", unmarked)


def test_an_acknowledgement_redraws_the_page_and_is_told_without_a_sound(fake):
    first = parcel(fake)
    thread = send(first).thread
    changed = acknowledged(first.message)
    send(parcel(fake, "update", message=changed, thread=thread))
    send(parcel(fake, "reply", message=changed, thread=thread))
    page, line = fake.messages
    assert "Acknowledged by Alice" in page["embeds"][0]["footer"]["text"]
    assert fake.requests[1].method == "PATCH"
    assert line["flags"] == 1 << 12
    assert "Alice acknowledged" in line["content"]
    assert line["allowed_mentions"] == {"parse": []}


def test_the_wait_has_fractions_of_a_second(fake):
    fake.answers(Reply(429, {"retry_after": 0.35}, {"Retry-After": "1"}))
    with pytest.raises(DeliveryError) as caught:
        send(parcel(fake))
    assert caught.value.retry_after == 0.35


def test_where_only_the_header_names_a_wait_that_is_obeyed(fake):
    fake.answers(Reply(429, "<html>cloudflare</html>", {"Retry-After": "9"}))
    with pytest.raises(DeliveryError) as caught:
        send(parcel(fake))
    assert caught.value.retry_after == 9


def test_what_somebody_deleted_is_not_redrawn(fake):
    with pytest.raises(DeliveryError) as caught:
        send(parcel(fake, "update", thread=ThreadPlace("777", "1")))
    assert caught.value.permanent
    assert "Unknown Message" in caught.value.reason


def test_a_thread_of_the_channel_is_named(fake):
    send(parcel(fake, settings={"thread_id": "12345"}))
    assert fake.messages[0]["query"]["thread_id"] == "12345"


def test_the_address_is_kept_without_its_query():
    url = "https://discord.com/api/webhooks/123/abc-DEF_1"
    assert checked("discord", "webhook_url", f"{url}?wait=true") == url


@pytest.mark.parametrize(
    "url", ["https://discord.com/channels/1/2", "http://discord.com/api/webhooks/1/a"]
)
def test_other_addresses_are_refused(url):
    with pytest.raises(ValidationError):
        checked("discord", "webhook_url", url)
