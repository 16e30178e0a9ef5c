"""What a webhook posts in Google Chat, and in which thread."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.core.exceptions import ValidationError

from notifications.channels.base import DeliveryError
from tests.fakes.googlechat import FakeGoogleChat, widgets
from tests.notifications.chats import EVIL, LOOPBACK, a_chat_parcel, checked, send
from tests.notifications.scene import a_message, acknowledged

EVIL_LINK = '<a href="https://evil.example">'  # as it is written, so it leads


@pytest.fixture
def fake(settings) -> Iterator[FakeGoogleChat]:
    settings.OUTBOUND_ALLOW = LOOPBACK
    with FakeGoogleChat() as running:
        yield running


def parcel(fake, of="page", **changes):
    return a_chat_parcel(fake, "googlechat", of, **changes)


def test_what_happens_to_a_group_is_said_in_its_thread(fake):
    first = parcel(fake)
    thread = send(first).thread
    changed = acknowledged(first.message)
    send(parcel(fake, "reply", message=changed, thread=thread))
    page, reply = fake.messages
    assert page["key"] == reply["key"] == first.message.thread_key
    assert reply["text"] == "Alice acknowledged."
    options = {request.query["messageReplyOption"] for request in fake.requests}
    assert options == {"REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD"}


def test_a_repeat_of_one_delivery_says_nothing_twice(fake):
    once = parcel(fake)
    fake.reset_after_read()
    with pytest.raises(DeliveryError):
        send(once)
    send(once)
    assert len(fake.requests) == 2
    assert len(fake.messages) == 1


def test_no_tag_and_no_mention_comes_from_outside(fake):
    send(parcel(fake, message=a_message(title=EVIL), title=EVIL, body=EVIL))
    said = a_message(title=EVIL)
    send(parcel(fake, "reply", message=said, title=EVIL))
    page, reply = fake.messages
    assert "<users/all>" not in reply["text"] + page["fallbackText"]
    texts = [w["textParagraph"]["text"] for w in widgets(page) if "textParagraph" in w]
    tags = {tag for text in texts for tag in re.findall(r"<[^>]*>", text)}
    ours = {"<b>", "</b>", '<font color="#868e96">', "</font>", "</a>"}
    assert tags - ours == {'<a href="https://evil.example/">', EVIL_LINK}
    header = page["cardsV2"][0]["card"]["header"]
    assert not re.search(r"<\w", header["title"] + header["subtitle"])


def test_a_card_has_a_button_that_leads_to_the_group(fake):
    send(parcel(fake))
    (buttons,) = [w["buttonList"]["buttons"] for w in widgets(fake.messages[0])[-1:]]
    where = {"openLink": {"url": "https://alerts.example/t/acme/groups/12"}}
    assert buttons[-1] == {"text": "Open", "onClick": where}


def test_a_card_is_never_redrawn(fake):
    assert send(parcel(fake, "update")).answer
    assert not fake.requests


def test_an_address_without_its_key_is_not_called(fake):
    secret = {"webhook_url": f"{fake.url}/v1/spaces/AAAA/messages"}
    with pytest.raises(DeliveryError) as caught:
        send(parcel(fake, secret=secret))
    assert caught.value.permanent
    assert not fake.requests


def test_the_address_is_checked():
    url = "https://chat.googleapis.com/v1/spaces/AAA-1/messages?key=a&token=b"
    assert checked("googlechat", "webhook_url", url) == url
    with pytest.raises(ValidationError):
        checked("googlechat", "webhook_url", "https://chat.googleapis.com/v1/spaces/A")
