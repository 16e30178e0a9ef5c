"""Does Amazon take what we sign, and who sends when one provider cannot?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import boto3
import pytest
from moto.server import ThreadedMotoServer
from moto.sns.models import sns_backends

from notifications.channels import sms, sns
from notifications.channels.base import DeliveryError, Parcel
from notifications.channels.phones import ProviderRefused
from tests.fakes.sns import KEY, KEY_ID, REGION, FakeSns, signature
from tests.fakes.twilio import TOKEN, FakeTwilio
from tests.notifications.phones import BOB, to_bob

AMAZON = {"aws_region": REGION, "aws_key_id": KEY_ID}
SECRET = {"auth_token": TOKEN, "aws_secret_key": KEY}
MOTOS_ACCOUNT = "123456789012"


@pytest.fixture
def amazon() -> Iterator[FakeSns]:
    with FakeSns() as fake:
        yield fake


def parcel(
    twilio: FakeTwilio,
    amazon: FakeSns,
    first: str = "sns",
    second: str = "",
    **more: Any,
) -> Parcel:
    given = {"provider": first, "second_provider": second, "sns_url": amazon.url}
    return to_bob(twilio, settings=AMAZON | given | more, secret=dict(SECRET))


def failure(one: Parcel) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        sms.send(one)
    assert KEY not in caught.value.reason
    assert TOKEN not in caught.value.reason
    return caught.value


# --- Amazon ---


def test_a_page_goes_by_amazon(twilio, amazon):
    receipt = sms.send(parcel(twilio, amazon, sender_id="Acme"))
    (form,) = amazon.requests
    assert form["PhoneNumber"] == BOB
    assert form["Message"].startswith("#12 Critical: Disks are full\n")
    assert "Reply" not in form["Message"], "Amazon hears no answers"
    assert form["MessageAttributes.entry.1.Value.StringValue"] == "Transactional"
    assert form["MessageAttributes.entry.2.Value.StringValue"] == "Acme"
    assert (receipt.provider_id, receipt.answer) == ("sns-1", "200 published")
    assert twilio.requests == []


@pytest.mark.parametrize("text", ["a", "é ü 😀 & = + % ~ *\n#", ""])
def test_amazons_own_library_signs_the_same(text):
    body = urlencode(sns.form_of(BOB, text, "Acme")).encode()
    url = "https://sns.eu-central-1.amazonaws.com/"
    at = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
    ours = sns.signed(url, body, region=REGION, key_id=KEY_ID, key=KEY, at=at)
    assert ours["Authorization"].endswith(f"Signature={signature(ours, url, body)}")


def test_a_wrong_key_is_the_accounts_trouble(twilio, amazon):
    one = parcel(twilio, amazon)
    one.secret["aws_secret_key"] = "other"
    error = failure(one)
    assert error.permanent
    assert isinstance(error, ProviderRefused)
    assert not error.of_the_number
    assert "SignatureDoesNotMatch" in error.reason


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("InvalidParameter", "Invalid parameter: PhoneNumber Reason: +1 is not valid"),
        ("InvalidParameterValue", "Phone number is opted out"),
    ],
)
def test_a_number_that_amazon_cannot_reach_is_given_up(twilio, amazon, code, message):
    amazon.refuse(code, message)
    error = failure(parcel(twilio, amazon))
    assert error.permanent
    assert isinstance(error, ProviderRefused)
    assert error.of_the_number


@pytest.mark.parametrize(
    ("status", "code", "headers", "wait"),
    [
        (400, "Throttling", {}, sns.LATER_SECONDS),
        (429, "ThrottledException", {"Retry-After": "7"}, 7.0),
        (503, "ServiceUnavailable", {}, None),
        (500, "InternalFailure", {}, None),
    ],
)
def test_what_passes_is_tried_again(twilio, amazon, status, code, headers, wait):
    amazon.refuse(code, "Rate exceeded", status, headers)
    error = failure(parcel(twilio, amazon))
    assert (error.permanent, error.ambiguous, error.retry_after) == (False, False, wait)


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def kept_by_moto() -> list[tuple[str, str]]:
    backend = sns_backends[MOTOS_ACCOUNT][REGION]
    return [(to, text) for to, text in backend.sms_messages.values()]


def test_moto_keeps_from_us_what_it_keeps_from_boto3(twilio, amazon, moto):
    receipt = sms.send(parcel(twilio, amazon, sns_url=moto))
    (ours,) = kept_by_moto()
    assert ours[0] == BOB
    assert receipt.provider_id
    client = boto3.client(
        "sns",
        region_name=REGION,
        aws_access_key_id=KEY_ID,
        aws_secret_access_key=KEY,
        endpoint_url=moto,
    )
    client.publish(PhoneNumber=BOB, Message=ours[1])
    assert kept_by_moto() == [ours, ours]


def test_motos_refusal_is_understood(twilio, amazon, moto):
    one = parcel(twilio, amazon, sns_url=moto)
    with pytest.raises(ProviderRefused) as caught:
        sns.publish(one.settings, one.secret, BOB, "x" * 300_000)
    assert caught.value.permanent
    assert not caught.value.of_the_number
    assert "InvalidParameter: " in caught.value.reason


def test_boto3_takes_what_the_fake_answers(amazon):
    client = boto3.client(
        "sns",
        region_name=REGION,
        aws_access_key_id=KEY_ID,
        aws_secret_access_key=KEY,
        endpoint_url=amazon.url,
    )
    amazon.refuse("InvalidParameter", "Invalid parameter: PhoneNumber")
    with pytest.raises(client.exceptions.InvalidParameterException):
        client.publish(PhoneNumber=BOB, Message="x")
