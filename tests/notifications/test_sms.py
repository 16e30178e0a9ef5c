"""What reaches a mobile phone, and what each of Twilio's refusals means."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from twilio.base.exceptions import TwilioRestException

from alertcenter.common import outbound
from notifications import callbacks, rendering
from notifications.channels import gsm, phones, sms
from notifications.channels.base import DeliveryError, Parcel
from notifications.models import SimulatedMessage
from notifications.samples import sample
from tenants.rls import in_tenant
from tests.fakes.twilio import ACCOUNT, FROM, TOKEN, FakeTwilio
from tests.notifications.phones import BOB, sdk, to_bob
from tests.notifications.scene import a_message, acknowledged


def failure(parcel: Parcel) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        sms.send(parcel)
    assert TOKEN not in caught.value.reason
    return caught.value


# --- what arrives ---


def test_a_page_arrives_with_title_link_and_how_to_answer(twilio: FakeTwilio):
    parcel = to_bob(twilio)
    receipt = sms.send(parcel)
    (form,) = twilio.texts
    assert form["To"] == BOB
    assert form["From"] == FROM
    assert form["Body"].split("\n") == [
        "#12 Critical: Disks are full",
        "Two disks are full.",
        parcel.message.url,
        "Reply ACK 12 or RESOLVE 12.",
    ]
    assert receipt.provider_id == twilio.made[0]["sid"]
    assert receipt.answer == "201 queued"
    assert (twilio.requests[0].user, twilio.requests[0].password) == (ACCOUNT, TOKEN)


def test_twilio_is_told_where_to_say_what_became_of_it(twilio, settings):
    settings.BASE_URL = "https://alerts.example"
    parcel = to_bob(twilio)
    sms.send(parcel)
    told = twilio.texts[0]["StatusCallback"]
    assert told.startswith("https://alerts.example/twilio/status/")
    place = callbacks.read(told.rpartition("/")[2])
    assert place is not None
    assert (place.tenant_id, place.channel_id, place.delivery_id) == (
        parcel.tenant_id,
        parcel.channel_id,
        parcel.delivery_id,
    )


def test_an_installation_that_cannot_be_reached_asks_for_nothing(twilio):
    sms.send(to_bob(twilio, settings={"callbacks": False}))
    assert "StatusCallback" not in twilio.texts[0]
    assert "Reply" not in twilio.texts[0]["Body"]


def test_a_name_as_sender_invites_no_answer(twilio):
    sms.send(to_bob(twilio, settings={"from_number": "AlertCenter"}))
    assert "Reply" not in twilio.texts[0]["Body"]


def test_a_messaging_service_chooses_the_number(twilio):
    service = "MG" + "a" * 32
    sms.send(to_bob(twilio, settings={"messaging_service_sid": service}))
    assert twilio.texts[0]["MessagingServiceSid"] == service
    assert "From" not in twilio.texts[0]


def test_an_api_key_is_used_in_place_of_the_auth_token(twilio):
    key = "SK" + "b" * 32
    secret = {"auth_token": TOKEN, "key_secret": "s3cret"}
    sms.send(to_bob(twilio, settings={"key_sid": key}, secret=secret))
    assert (twilio.requests[0].user, twilio.requests[0].password) == (key, "s3cret")


def test_the_hint_is_in_the_readers_language(twilio):
    sms.send(to_bob(twilio, message=a_message(actions=("acknowledge",)), title="x"))
    assert twilio.texts[0]["Body"].endswith("Reply ACK 12.")


def test_a_long_alert_costs_three_segments_and_keeps_what_matters(twilio):
    parcel = to_bob(twilio, title="#12 Critical: " + "t" * 300, body="b" * 5000)
    sms.send(parcel)
    body = twilio.texts[0]["Body"]
    assert body.startswith("#12 Critical: ttt")
    assert parcel.message.url in body
    assert gsm.segments(body) == 3


def test_that_it_is_over_is_one_segment(twilio):
    message = acknowledged(a_message())
    sms.send(to_bob(twilio, "reply", message=message, title="t" * 500))
    assert gsm.segments(twilio.texts[0]["Body"]) == 1


def test_a_redraw_says_nothing(twilio):
    assert "nothing" in sms.send(to_bob(twilio, "update")).answer
    assert twilio.requests == []


def test_a_test_says_so_and_no_more(twilio):
    sms.send(to_bob(twilio, "test", title="Test of AlertCenter"))
    assert twilio.texts[0]["Body"] == "Test of AlertCenter"


def test_what_a_label_holds_cannot_steer_the_phone_nor_the_form(twilio):
    evil = "x&To=%2B1900\r\nBcc: y\u202e\u2066\x1b[2J\x00"
    sms.send(to_bob(twilio, title=evil, body=evil))
    (form,) = twilio.texts
    assert form["To"] == BOB
    assert not set(form["Body"]) & set("\r\u202e\u2066\x1b\x00")


# --- refusals ---


@pytest.mark.parametrize("code", [21211, 21610, 21614, 21635])
def test_a_number_that_cannot_be_reached_is_given_up(twilio, code: int):
    twilio.refuse(code, "Attempt to send to unsubscribed recipient")
    error = failure(to_bob(twilio))
    assert error.permanent
    assert isinstance(error, phones.ProviderRefused)
    assert error.of_the_number
    assert str(code) in error.reason
    assert "unsubscribed" in error.reason


@pytest.mark.parametrize(
    ("status", "code"), [(401, 20003), (400, 21606), (400, 21408), (403, 20005)]
)
def test_an_account_in_trouble_is_not_the_numbers_fault(twilio, status, code):
    twilio.refuse(code, "Authenticate", status)
    error = failure(to_bob(twilio))
    assert error.permanent
    assert isinstance(error, phones.ProviderRefused)
    assert not error.of_the_number


def test_too_many_waits_as_long_as_twilio_asks(twilio):
    twilio.refuse(20429, "Too Many Requests", 429, {"Retry-After": "17"})
    error = failure(to_bob(twilio))
    assert (error.permanent, error.ambiguous, error.retry_after) == (False, False, 17.0)


def test_a_full_queue_waits_a_little(twilio):
    twilio.refuse(21611, "This From number has exceeded its maximum", 400)
    error = failure(to_bob(twilio))
    assert not error.permanent
    assert error.retry_after


def test_a_broken_twilio_is_tried_again(twilio):
    twilio.refuse(20500, "Internal Server Error", 500)
    error = failure(to_bob(twilio))
    assert (error.permanent, error.ambiguous, error.retry_after) == (False, False, None)


def test_a_connection_cut_after_the_request_may_have_been_sent(twilio):
    twilio.reset_after_read()
    error = failure(to_bob(twilio))
    assert error.ambiguous
    assert not error.permanent


def test_no_answer_in_time_may_have_been_sent(twilio, monkeypatch):
    twilio.slow(1.5)
    original = outbound.request

    def hurried(*given: Any, **named: Any) -> Any:
        return original(*given, **named | {"seconds": 0.3})

    monkeypatch.setattr(outbound, "request", hurried)
    assert failure(to_bob(twilio)).ambiguous


def test_a_truncated_answer_was_taken_all_the_same(twilio):
    twilio.cut_answer()
    receipt = sms.send(to_bob(twilio))
    assert receipt.provider_id == ""
    assert receipt.answer.startswith("201")


def test_an_address_inside_is_not_called(twilio, settings):
    settings.OUTBOUND_ALLOW = []
    assert failure(to_bob(twilio)).permanent
    assert twilio.requests == []


def test_what_is_no_number_is_not_sent(twilio):
    assert failure(to_bob(twilio, address="bob")).permanent
    assert twilio.requests == []


# --- simulation ---


@pytest.mark.django_db(transaction=True)
def test_in_simulation_it_lies_in_the_outbox_with_its_segments(acme, twilio, settings):
    settings.SIMULATION = True
    parcel = to_bob(twilio, tenant_id=acme.id, body="b" * 900)
    receipt = sms.send(parcel)
    assert "simulated" in receipt.answer
    assert twilio.requests == []
    with in_tenant(acme.id):
        (kept,) = SimulatedMessage.objects.all()
    assert kept.payload["to"] == BOB
    assert kept.payload["subject"].startswith("3 segments")
    assert parcel.message.url in json.dumps(kept.payload)


# --- Twilio's SDK is the judge of the fake ---


def test_the_sdk_sends_what_we_send(twilio):
    parcel = to_bob(twilio, settings={"callbacks": False})
    sms.send(parcel)
    ours = dict(twilio.texts[0])
    made = sdk(twilio).messages.create(to=BOB, from_=FROM, body=ours["Body"])
    assert twilio.texts[1] == ours
    assert twilio.requests[1].resource == twilio.requests[0].resource
    assert (twilio.requests[1].user, twilio.requests[1].password) == (ACCOUNT, TOKEN)
    assert made.sid == twilio.made[1]["sid"]
    assert made.status == "queued"


def test_the_sdk_understands_the_refusals_of_the_fake(twilio):
    with pytest.raises(TwilioRestException) as caught:
        sdk(twilio).messages.create(to="bob", from_=FROM, body="x")
    assert (caught.value.status, caught.value.code) == (400, 21211)


# --- numbers ---


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("+49 151 1234-5678", "+4915112345678"),
        ("0049 (151) 12345678", "+4915112345678"),
        ("+1.500.555.0006", "+15005550006"),
    ],
)
def test_a_number_is_kept_as_e164(written: str, number: str):
    assert phones.a_number(written) == number


@pytest.mark.parametrize(
    "wrong",
    ["", "bob", "0151 12345678", "+0151123456", "+49", "+1234567890123456", "+49١٥١١٢٣",
     "+4915112345678\n+1", "whatsapp:+15005550006"],
)  # fmt: skip
def test_what_is_no_number_is_refused(wrong: str):
    with pytest.raises(ValidationError):
        phones.a_number(wrong)


# --- words ---


@pytest.mark.parametrize("language", ["en", "fr", "de"])
@pytest.mark.parametrize(
    "kind", ["firing", "acknowledged", "snoozed", "resolved", "storm", "digest"]
)
@pytest.mark.django_db
def test_every_occasion_is_one_short_line_in_three_languages(acme, language, kind):
    with in_tenant(acme.id):
        said = rendering.words(
            acme.id,
            sample(kind),
            channel_kind="sms",
            language=language,
            fallback="en",
            time_zone="UTC",
        )
    assert not said.problem
    assert said.title
    assert gsm.segments(gsm.plain(said.title)) == 1
    assert len(said.body.splitlines()) <= 1
