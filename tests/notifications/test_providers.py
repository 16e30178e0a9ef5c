"""Who sends when one provider cannot, and how many copies can that make?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from notifications import delivery
from notifications.channels import sms, voice
from notifications.channels.base import DeliveryError, Parcel
from notifications.destinations import BREAKS_AT
from notifications.models import Attempt, Channel, Destination
from tenants.rls import in_tenant
from tests.fakes.sns import KEY, KEY_ID, REGION, FakeSns
from tests.fakes.twilio import FROM, TOKEN, FakeTwilio
from tests.notifications.phones import BOB, account
from tests.notifications.scene import Outbox, a_parcel

pytestmark = pytest.mark.django_db(transaction=True)

OTHER_ACCOUNT, OTHER_TOKEN = "AC" + "0" * 31 + "2", "t0ken-two"
OTHER_FROM = "+15005550007"
SECRET = {
    "auth_token": TOKEN,
    "aws_secret_key": KEY,
    "second_auth_token": OTHER_TOKEN,
}


@pytest.fixture
def amazon() -> Iterator[FakeSns]:
    with FakeSns() as fake:
        yield fake


@pytest.fixture
def other() -> Iterator[FakeTwilio]:
    """Where the second account is looked for."""
    with FakeTwilio() as fake:
        yield fake


class Phones:
    """A channel of Acme's with two providers."""

    def __init__(self, ops: Outbox, kind: str, given: dict[str, Any]) -> None:
        self.ops, self.kind = ops, kind
        with in_tenant(ops.tenant_id):
            self.channel = Channel.objects.create(
                tenant_id=ops.tenant_id,
                kind=kind,
                slug="phones",
                name="Phones",
                settings=given | {"to": [BOB]},
                secret=json.dumps(SECRET),
            )

    def parcel(self, **changes: Any) -> Parcel:
        given: dict[str, Any] = {
            "tenant_id": self.ops.tenant_id,
            "channel_id": self.channel.pk,
            "channel_kind": self.kind,
            "address": BOB,
            "settings": self.channel.settings,
            "secret": dict(SECRET),
            "title": "#12 Critical: Disks are full",
        }
        return a_parcel(**given | changes)

    def put(self, idem: str) -> UUID:
        """Promise a page as the engine would."""
        given: dict[str, Any] = {
            "channel_id": self.channel.pk,
            "channel_kind": self.kind,
        }
        found: UUID = self.ops.put(idem, address=BOB, **given)
        return found

    def answers(self, pk: UUID) -> list[str]:
        with in_tenant(self.ops.tenant_id):
            rows = Attempt.objects.filter(delivery_id=pk).order_by("id")
            return list(rows.values_list("answer", flat=True))

    def standing(self, name: str) -> Destination | None:
        with in_tenant(self.ops.tenant_id):
            key = f"{self.channel.pk}:{name}"
            return Destination.objects.filter(key=key).first()


@pytest.fixture
def texts(ops, twilio, amazon) -> Phones:
    given = {"second_provider": "sns", "sns_url": amazon.url}
    return Phones(
        ops, "sms", account(twilio, aws_region=REGION, aws_key_id=KEY_ID, **given)
    )


@pytest.fixture
def calls(ops, twilio, other) -> Phones:
    given = {
        "second_account_sid": OTHER_ACCOUNT,
        "second_from_number": OTHER_FROM,
        "second_api_url": other.url,
    }
    return Phones(ops, "voice", account(twilio, **given))


def failure(one: Parcel) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        sms.send(one)
    for secret in SECRET.values():
        assert secret not in caught.value.reason
    return caught.value


# --- text messages ---


@pytest.mark.parametrize(
    ("status", "code"), [(401, 20003), (400, 21606), (400, 21408), (503, 20500)]
)
def test_the_second_sends_what_the_first_cannot(texts, twilio, status, code):
    twilio.refuse(code, "Authenticate", status)
    receipt = sms.send(texts.parcel())
    assert receipt.provider_id == "sns-1"
    assert str(code) in receipt.answer
    assert len(twilio.requests) == 1


def test_the_second_sends_when_the_first_cannot_be_reached(ops, twilio, amazon):
    given = account(twilio, api_url="http://127.0.0.1:1", sns_url=amazon.url)
    given |= {"second_provider": "sns", "aws_region": REGION, "aws_key_id": KEY_ID}
    assert sms.send(Phones(ops, "sms", given).parcel()).provider_id == "sns-1"


@pytest.mark.parametrize("code", [21610, 21211, 21614])
def test_what_is_the_numbers_fault_goes_by_no_other(texts, twilio, amazon, code):
    twilio.refuse(code, "Attempt to send to unsubscribed recipient")
    assert failure(texts.parcel()).permanent
    assert amazon.requests == []
    assert texts.standing("twilio") is None


def test_who_asks_to_wait_is_waited_for(texts, twilio, amazon):
    twilio.refuse(20429, "Too Many Requests", 429)
    assert failure(texts.parcel()).retry_after
    assert amazon.requests == []


def test_when_both_refuse_for_good_it_is_given_up_with_both_reasons(
    texts, twilio, amazon
):
    twilio.refuse(20003, "Authenticate", 401)
    amazon.refuse("AuthorizationError", "no", 403)
    error = failure(texts.parcel())
    assert error.permanent
    assert "twilio: 401" in error.reason
    assert "sns: 403" in error.reason


def test_when_one_of_both_may_recover_it_is_tried_again(texts, twilio, amazon):
    twilio.refuse(20500, "Internal", 500)
    amazon.refuse("AuthorizationError", "no", 403)
    assert not failure(texts.parcel()).permanent


def test_twilio_can_stand_in_for_amazon(ops, twilio, amazon):
    given = {"provider": "sns", "second_provider": "twilio", "sns_url": amazon.url}
    given |= {"aws_region": REGION, "aws_key_id": KEY_ID}
    amazon.refuse("AuthorizationError", "no", 403)
    receipt = sms.send(Phones(ops, "sms", account(twilio, **given)).parcel())
    assert receipt.provider_id.startswith("SM")
    assert "Reply ACK 12" in twilio.texts[0]["Body"]


def test_another_account_of_twilio_can_stand_in(ops, twilio, other):
    given = {
        "second_provider": "twilio2",
        "second_account_sid": OTHER_ACCOUNT,
        "second_from_number": OTHER_FROM,
        "second_api_url": other.url,
    }
    twilio.refuse(20005, "Account is suspended", 403)
    receipt = sms.send(Phones(ops, "sms", account(twilio, **given)).parcel())
    assert "twilio2, as twilio said: 403 20005" in receipt.answer
    (sent,) = other.requests
    assert (sent.user, sent.password) == (OTHER_ACCOUNT, OTHER_TOKEN)
    assert sent.form["From"] == OTHER_FROM


def test_another_number_of_the_same_account_can_stand_in(ops, twilio):
    given = {"second_provider": "twilio2", "second_from_number": OTHER_FROM}
    twilio.refuse(21606, "The From number is not a valid sender")
    sms.send(Phones(ops, "sms", account(twilio, **given)).parcel())
    assert [one["From"] for one in twilio.texts] == [FROM, OTHER_FROM]
    assert {one.password for one in twilio.requests} == {TOKEN}


# --- copies ---


def test_what_may_have_arrived_goes_by_the_other_once_and_never_again(
    texts, ops, twilio, amazon
):
    """Two copies at most, as with one provider."""
    twilio.reset_after_read()
    twilio.reset_after_read()
    amazon.refuse("ServiceUnavailable", "", 503)
    pk = texts.put("1")
    delivery.deliver_due(20)
    assert (len(twilio.texts), len(amazon.requests)) == (1, 0)
    assert ops.row(pk).state == "ambiguous"
    ops.deliver(rounds=4)
    # Amazon surely did not take it, so Twilio had the one repetition: in doubt again.
    assert (len(twilio.texts), len(amazon.requests)) == (2, 1)
    assert ops.outcomes(pk) == ["ambiguous", "ambiguous"]


def test_the_one_repetition_is_the_other_providers(texts, ops, twilio, amazon):
    twilio.reset_after_read()
    pk = texts.put("1")
    ops.deliver(rounds=3)
    assert (len(twilio.texts), len(amazon.requests)) == (1, 1)
    assert ops.row(pk).state == "sent"


# --- a provider that rests ---


def test_a_provider_that_is_down_is_passed_by_and_tried_again(texts, ops, twilio):
    for _ in range(BREAKS_AT):
        twilio.refuse(20500, "Internal", 500)
        sms.send(texts.parcel())
    assert len(twilio.requests) == BREAKS_AT
    receipt = sms.send(texts.parcel())
    assert len(twilio.requests) == BREAKS_AT
    assert receipt.provider_id.startswith("sns-")
    assert "twilio rests: 500" in receipt.answer
    ops.rest()
    assert sms.send(texts.parcel()).provider_id.startswith("SM")
    standing = texts.standing("twilio")
    assert standing is not None
    assert (standing.failures, standing.why) == (0, "")
    assert sms.send(texts.parcel()).provider_id.startswith("SM")


def test_one_message_tries_a_provider_that_rests_and_the_others_do_not(
    texts, ops, twilio
):
    for _ in range(BREAKS_AT + 1):
        twilio.refuse(20005, "Account is suspended", 403)
    for _ in range(BREAKS_AT):
        sms.send(texts.parcel())
    ops.rest()
    for _ in range(5):
        assert sms.send(texts.parcel()).provider_id.startswith("sns-")
    assert len(twilio.requests) == BREAKS_AT + 1


def test_the_first_is_tried_while_it_rests_where_the_second_fails(
    texts, twilio, amazon
):
    for _ in range(BREAKS_AT):
        twilio.refuse(20500, "Internal", 500)
        sms.send(texts.parcel())
    amazon.refuse("AuthorizationError", "no", 403)
    assert sms.send(texts.parcel()).provider_id.startswith("SM")


def test_the_attempts_tell_who_sent_and_why(texts, ops, twilio):
    twilio.refuse(20003, "Authenticate", 401)
    pk = texts.put("1")
    delivery.deliver_due(20)
    assert ops.row(pk).provider_id == "sns-1"
    (told,) = texts.answers(pk)
    assert told == "200 published (sns, as twilio said: 401 20003: Authenticate)"


# --- calls ---


def test_another_account_calls_when_the_first_cannot(calls, twilio, other):
    twilio.refuse(20005, "Account is suspended", 403)
    receipt = voice.send(calls.parcel())
    (call,) = other.calls
    assert (call["To"], call["From"]) == (BOB, OTHER_FROM)
    assert other.requests[0].user == OTHER_ACCOUNT
    assert "twilio2, as twilio said: 403" in receipt.answer


def test_who_may_have_been_called_is_called_by_the_other_once(
    calls, ops, twilio, other
):
    twilio.reset_after_read()
    calls.put("1")
    ops.deliver(rounds=3)
    assert (len(twilio.calls), len(other.calls)) == (1, 1)


def test_a_channel_with_one_account_knows_no_other(ops, twilio):
    twilio.refuse(20005, "Account is suspended", 403)
    one = Phones(ops, "voice", account(twilio))
    with pytest.raises(DeliveryError):
        voice.send(one.parcel())
    assert one.standing("twilio") is None


# --- settings ---


@pytest.mark.parametrize(
    ("check", "given", "lacks"),
    [
        (sms, {"second_provider": "twilio2"}, "second_from_number"),
        (
            sms,
            {
                "second_provider": "twilio2",
                "second_from_number": FROM,
                "second_account_sid": OTHER_ACCOUNT,
            },
            "second_auth_token",
        ),
        (voice, {"second_account_sid": OTHER_ACCOUNT}, "second_from_number"),
    ],
)
def test_half_a_second_provider_is_not_taken(twilio, check, given, lacks):
    wrong = check.needed(account(twilio) | given, {"auth_token": TOKEN})
    assert lacks in wrong


def test_a_second_token_is_shown_to_no_other_account(twilio):
    stored = {"second_account_sid": OTHER_ACCOUNT}
    given = account(twilio) | {
        "second_account_sid": "AC" + "3" * 32,
        "second_from_number": OTHER_FROM,
        "stored": stored,
    }
    held = {"auth_token": TOKEN, "second_auth_token": OTHER_TOKEN}
    assert "second_auth_token" in voice.needed(given, held)
