"""What is published to a topic of ntfy, and what a phone shows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.exceptions import ValidationError

from notifications import signing
from notifications.channels import ntfy
from notifications.channels.base import DeliveryError, ThreadPlace
from notifications.channels.registry import spec_of
from tests.fakes.ntfy import FakeNtfy
from tests.notifications.chats import LOOPBACK, a_chat_parcel, checked, huge, send
from tests.notifications.scene import a_message, acknowledged

LINK = "https://alerts.example/t/acme/groups/12"


@pytest.fixture
def fake(settings) -> Iterator[FakeNtfy]:
    settings.OUTBOUND_ALLOW = LOOPBACK
    with FakeNtfy() as running:
        yield running


def parcel(fake, of="page", **changes):
    return a_chat_parcel(fake, "ntfy", of, **changes)


@pytest.mark.parametrize(("severity", "priority"), [(5, 5), (4, 4), (3, 3), (1, 2)])
def test_the_priority_follows_the_severity(fake, severity, priority):
    send(parcel(fake, message=a_message(severity=severity)))
    (shown,) = fake.messages
    assert shown["priority"] == priority
    assert len(shown["tags"]) == 1


def test_a_tap_leads_to_the_group(fake):
    send(parcel(fake))
    (shown,) = fake.messages
    assert shown["click"] == LINK
    assert len(shown["actions"]) == 3
    assert "markdown" not in shown


def test_what_acts_is_posted_to_at_one_press(fake, monkeypatch):
    url = "https://alerts.example/a/token"
    monkeypatch.setattr(
        signing, "act_links", lambda _: [("resolve", "Resolve", url)], raising=False
    )
    send(parcel(fake))
    (act,) = fake.messages[0]["actions"]
    assert (act["action"], act["method"], act["url"]) == ("http", "POST", url)


def test_an_acknowledgement_redraws_without_a_sound_and_says_nothing_more(fake):
    first = parcel(fake)
    thread = send(first).thread
    assert thread == ThreadPlace("acme-alerts", str(first.delivery_id))
    changed = acknowledged(first.message)
    send(parcel(fake, "update", message=changed, thread=thread))
    send(parcel(fake, "reply", message=changed, thread=thread))
    (shown,) = fake.messages
    assert "Acknowledged by Alice" in shown["message"]
    assert (shown["priority"], shown["tags"]) == (2, ["eyes"])


def test_a_second_page_is_a_notification_of_its_own_and_is_what_is_redrawn(fake):
    thread = send(parcel(fake)).thread
    second = parcel(fake, thread=thread)
    assert send(second).thread == ThreadPlace("acme-alerts", str(second.delivery_id))
    assert len(fake.messages) == 2


def test_a_repeat_of_one_delivery_is_shown_once(fake):
    once = parcel(fake)
    fake.reset_after_read()
    with pytest.raises(DeliveryError):
        send(once)
    send(once)
    assert len(fake.messages) == 1


def test_an_older_server_redraws_nothing_and_is_told_a_line(settings):
    settings.OUTBOUND_ALLOW = LOOPBACK
    with FakeNtfy(old=True) as fake:
        first = parcel(fake)
        assert send(first).thread is None
        changed = acknowledged(first.message)
        send(parcel(fake, "update", message=changed))
        send(parcel(fake, "reply", message=changed))
        _page, line = fake.messages
    assert line["message"] == "Alice acknowledged."
    assert line["priority"] == 2


def test_what_is_long_stays_a_message(fake):
    message = huge(url=LINK)
    send(parcel(fake, message=message, title=message.title, body="字" * 9_000))
    assert "attached" not in fake.messages[0]


def test_a_member_s_topic_is_published_to_by_the_channel(fake):
    send(parcel(fake, address="bob-topic"))
    assert fake.messages[0]["topic"] == "bob-topic"
    contact = spec_of("ntfy").contact
    assert contact is not None
    assert contact.check("bob-topic") == "bob-topic"
    with pytest.raises(ValidationError):
        contact.check("bob/../x")


def test_a_stored_token_is_shown_to_no_other_server():
    given = {"url": "https://evil.example", "stored": {}}
    assert set(ntfy.keep_token_from_others(given, {"token": "tk_1"})) == {"token"}
    assert not ntfy.keep_token_from_others(given | {"token": "tk_2"}, {"token": "tk_1"})
    assert not ntfy.keep_token_from_others(given | {"url": ""}, {"token": "tk_1"})


def test_a_topic_is_checked():
    assert checked("ntfy", "topic", "acme-alerts_1") == "acme-alerts_1"
    with pytest.raises(ValidationError):
        checked("ntfy", "topic", "a b")
