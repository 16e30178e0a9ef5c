"""What a bot writes in Telegram, and how it edits it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from django.core.exceptions import ValidationError

from notifications.channels.base import DeliveryError, ThreadPlace
from notifications.channels.registry import spec_of
from tests.fakes import telegram
from tests.fakes.telegram import FakeTelegram
from tests.notifications.chats import EVIL, LOOPBACK, a_chat_parcel, checked, send
from tests.notifications.scene import a_message, acknowledged


@pytest.fixture
def fake(settings) -> Iterator[FakeTelegram]:
    settings.OUTBOUND_ALLOW = LOOPBACK
    with FakeTelegram() as running:
        yield running


def parcel(fake, of="page", **changes):
    return a_chat_parcel(fake, "telegram", of, **changes)


def test_a_page_has_a_button_that_leads_to_the_group(fake):
    receipt = send(parcel(fake))
    (message,) = fake.messages
    buttons = [b for row in message["reply_markup"]["inline_keyboard"] for b in row]
    open_it = {"text": "Open", "url": "https://alerts.example/t/acme/groups/12"}
    assert buttons[-1] == open_it
    assert receipt.thread == ThreadPlace("-1001", "1")
    assert message["link_preview_options"] == {"is_disabled": True}


def test_no_markup_and_no_mention_comes_from_outside(fake):
    send(parcel(fake, message=a_message(title=EVIL), title=EVIL, body=EVIL))
    (message,) = fake.messages
    assert telegram.mentions(message["text"]) == []
    shown = telegram.plain(message["text"]).replace("\u200b", "")
    assert "<b>html</b>" in shown
    assert "<script>alert(1)</script>" in shown


def test_an_acknowledgement_redraws_the_page_and_answers_it_without_a_sound(fake):
    first = parcel(fake)
    thread = send(first).thread
    changed = acknowledged(first.message)
    send(parcel(fake, "update", message=changed, thread=thread))
    send(parcel(fake, "reply", message=changed, thread=thread))
    page, reply = fake.messages
    assert "Acknowledged by Alice" in page["text"]
    assert reply["text"] == "Alice acknowledged."
    assert reply["reply_parameters"]["message_id"] == 1
    assert reply["disable_notification"] is True


def test_a_second_page_answers_the_first(fake):
    thread = send(parcel(fake)).thread
    assert send(parcel(fake, thread=thread)).thread == thread
    below = fake.messages[1]["reply_parameters"]
    assert below == {"message_id": 1, "allow_sending_without_reply": True}


def test_redrawing_what_has_not_changed_is_no_failure(fake):
    first = parcel(fake)
    thread = send(first).thread
    assert send(replace(first, kind="update", thread=thread)).provider_id == "1"


def test_what_somebody_deleted_is_not_redrawn(fake):
    with pytest.raises(DeliveryError) as caught:
        send(parcel(fake, "update", thread=ThreadPlace("-1001", "99")))
    assert caught.value.permanent
    assert send(parcel(fake, "update")).answer
    assert len(fake.requests) == 1


def test_a_group_that_became_a_supergroup_is_followed(fake):
    fake.moved = {"-1001": -100777}
    receipt = send(parcel(fake))
    assert receipt.thread == ThreadPlace("-100777", "1")
    assert [r.json["chat_id"] for r in fake.requests] == ["-1001", -100777]


def test_where_buttons_cannot_lead_their_addresses_are_text(fake):
    here = "http://localhost:8000/t/acme/groups/12"
    send(parcel(fake, message=a_message(url=here)))
    (message,) = fake.messages
    assert message["reply_markup"] == {"inline_keyboard": []}
    assert f"Open: {here}" in message["text"]


def test_a_member_is_written_to_by_the_channel_s_bot(fake):
    send(parcel(fake, address="42"))
    assert fake.messages[0]["chat_id"] == "42"


def test_a_topic_of_a_forum_is_named(fake):
    given = fake.settings() | {"message_thread_id": "5"}
    send(parcel(fake, settings=given))
    assert fake.messages[0]["message_thread_id"] == 5


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("chat_id", "-1001234567890", "my group"),
        ("chat_id", "@acme_alerts", "@a/b"),
        ("message_thread_id", "12", "-1"),
        ("bot_token", "123456789:AAE" + "x" * 30, "123456789:../../x" + "y" * 30),
    ],
)
def test_settings_are_checked(name, good, bad):
    assert checked("telegram", name, good) == good
    with pytest.raises(ValidationError):
        checked("telegram", name, bad)


def test_a_member_s_address_is_a_person_s_chat():
    contact = spec_of("telegram").contact
    assert contact is not None
    assert contact.check("123") == "123"
    with pytest.raises(ValidationError):
        contact.check("-100123")
