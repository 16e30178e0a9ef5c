"""What stands on a card in Microsoft Teams."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.exceptions import ValidationError

from notifications.channels.base import DeliveryError
from tests.fakes.teams import FakeTeams
from tests.fakes.vendor import Reply
from tests.notifications.chats import EVIL, LOOPBACK, a_chat_parcel, checked, send
from tests.notifications.scene import a_message, acknowledged


@pytest.fixture
def fake(settings) -> Iterator[FakeTeams]:
    settings.OUTBOUND_ALLOW = LOOPBACK
    with FakeTeams() as running:
        yield running


def elements(card):
    """Yield every element of the card, those in containers too."""
    for element in card["body"]:
        yield element
        yield from element.get("items", [])


def test_all_text_is_in_runs_that_know_no_markup(fake):
    send(
        a_chat_parcel(
            fake, "teams", message=a_message(title=EVIL), title=EVIL, body=EVIL
        )
    )
    (card,) = fake.messages
    kinds = {element["type"] for element in elements(card)}
    assert kinds == {"Container", "RichTextBlock"}
    runs = [r for e in elements(card) for r in e.get("inlines", [])]
    assert {run["type"] for run in runs} == {"TextRun"}
    assert "entities" not in card["msteams"]


def test_the_colour_is_the_theme_s_own_and_follows_the_state(fake):
    send(a_chat_parcel(fake, "teams"))
    resolved = a_message(kind="resolved", state="resolved", actions=())
    send(a_chat_parcel(fake, "teams", message=resolved))
    styles = [card["body"][0]["style"] for card in fake.messages]
    assert styles == ["attention", "good"]


def test_what_happened_is_a_card_of_one_line(fake):
    send(a_chat_parcel(fake, "teams", "reply", message=acknowledged(a_message())))
    (card,) = fake.messages
    (block,) = card["body"]
    (run,) = block["inlines"]
    assert run["text"] == "👀 [#12] Disks are full: Alice acknowledged."


def test_a_card_is_never_redrawn(fake):
    assert send(a_chat_parcel(fake, "teams", "update")).answer
    assert not fake.requests


def test_hebrew_stands_from_right_to_left(fake):
    send(a_chat_parcel(fake, "teams", language="he"))
    assert fake.messages[0]["rtl"] is True


@pytest.mark.parametrize(("inner", "permanent"), [(429, False), (404, True)])
def test_a_200_that_hides_a_refusal_is_one(fake, inner, permanent):
    text = f"Microsoft Teams endpoint returned HTTP error {inner} with ContextId 1"
    fake.answers(Reply(200, f"Webhook message delivery failed with error: {text}"))
    with pytest.raises(DeliveryError) as caught:
        send(a_chat_parcel(fake, "teams"))
    assert caught.value.permanent is permanent


@pytest.mark.parametrize(
    "url",
    [
        "https://prod-1.westus.logic.azure.com:443/workflows/a/triggers/manual?sig=x",
        "https://x.environment.api.powerplatform.com/powerautomate/automations/a",
        "https://acme.webhook.office.com/webhookb2/1@2/IncomingWebhook/3/4",
    ],
)
def test_addresses_of_flows_are_taken(url):
    assert checked("teams", "webhook_url", f" {url} ") == url


@pytest.mark.parametrize(
    "url", ["http://x.logic.azure.com/workflows/a", "https://x/other", "ftp://x", "x"]
)
def test_other_addresses_are_refused(url):
    with pytest.raises(ValidationError):
        checked("teams", "webhook_url", url)
