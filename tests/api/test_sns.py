"""Is it Amazon SNS that sends, and is nobody else asked for anything?"""

from __future__ import annotations

import base64
import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from alertcenter.api import limits, sns
from alertcenter.common.errors import Refused
from tests.api.client import bearer, post
from tests.api.test_incoming import alerts

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def amazon() -> tuple[rsa.RSAPrivateKey, bytes]:
    """A key, and the certificate that SNS would show for it."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    return key, certificate.public_bytes(serialization.Encoding.PEM)


@pytest.fixture
def fetched(amazon: tuple[rsa.RSAPrivateKey, bytes], monkeypatch) -> list[str]:
    """What was fetched from Amazon, which shows its certificate."""
    found: list[str] = []

    def fetch(address: str) -> bytes:
        found.append(address)
        return amazon[1]

    monkeypatch.setattr(sns, "fetch", fetch)
    monkeypatch.setattr(sns.CERTIFICATES, "_known", {})
    return found


CERTIFICATE = (
    "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-7506a1e35b36.pem"
)


def signed(amazon: tuple[rsa.RSAPrivateKey, bytes], **fields: str) -> dict[str, str]:
    envelope = {
        "Type": "Notification",
        "MessageId": "1",
        "TopicArn": "arn:aws:sns:eu-west-1:1:alarms",
        "Message": '{"title": "CPU", "alert_id": "1"}',
        "Timestamp": "2026-11-20T10:00:00.000Z",
        "SignatureVersion": "2",
        "SigningCertURL": CERTIFICATE,
    } | fields
    made = amazon[0].sign(
        sns.signed_text(envelope), padding.PKCS1v15(), hashes.SHA256()
    )
    return envelope | {"Signature": base64.b64encode(made).decode()}


def test_a_subscription_signed_by_amazon_is_confirmed(acme, key, amazon, fetched):
    link = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription"
    said = signed(amazon, Type="SubscriptionConfirmation", Token="t", SubscribeURL=link)
    answer = post("/t/acme/in/auto", said, **bearer(key))
    assert (answer.status, answer.json) == (200, {"confirmed": True})
    assert fetched == [CERTIFICATE, link]
    assert alerts(acme) == []


@pytest.mark.parametrize(
    "link",
    [
        "https://sns.eu-west-1.amazonaws.com.evil.example/",
        "http://sns.eu-west-1.amazonaws.com/",
        "https://evil.example/?sns.eu-west-1.amazonaws.com",
        "https://user@sns.eu-west-1.amazonaws.com/",
        "https://sns.eu-west-1.amazonaws.com:8443/",
        "file:///etc/passwd",
    ],
)
def test_nothing_is_fetched_from_anybody_else(acme, key, amazon, fetched, link):
    said = signed(amazon, Type="SubscriptionConfirmation", Token="t", SubscribeURL=link)
    assert post("/t/acme/in/auto", said, **bearer(key)).status == 403
    assert link not in fetched
    said = signed(amazon, SigningCertURL=link)
    assert post("/t/acme/in/auto", said, **bearer(key)).status == 403
    assert link not in fetched


@pytest.mark.parametrize(
    "path",
    [
        "/?Action=GetTopicAttributes&TopicArn=-----BEGIN",
        "/other.pem",
        "/SimpleNotificationService-1.pem?x=y",
        "/SimpleNotificationService-1 2.pem",
        "/../SimpleNotificationService-1.pem",
    ],
)
def test_only_where_its_certificates_lie_is_one_asked_for(
    acme, key, amazon, fetched, path
):
    place = "https://sns.eu-west-1.amazonaws.com" + path
    said = signed(amazon, SigningCertURL=place)
    assert post("/t/acme/in/auto", said, **bearer(key)).status == 403
    assert fetched == []


@pytest.mark.parametrize("kind", [{}, [], 1, None, {"a": "Notification"}])
def test_another_products_type_is_no_fault(acme, key, kind):
    said = {"Type": kind, "TopicArn": "x", "MessageId": "y", "title": "Disk"}
    assert post("/t/acme/in/auto", said, **bearer(key)).status == 200
    assert len(alerts(acme)) == 1


def test_an_address_that_no_client_can_ask_for_is_refused_too():
    with pytest.raises(Refused):
        sns.fetch("https://sns.eu-west-1.amazonaws.com/a b")


def test_what_amazon_did_not_sign_counts_against_the_limits(
    acme, key, amazon, fetched, monkeypatch
):
    spent: list[int] = []
    monkeypatch.setattr(
        limits.LIMITS, "spend", lambda _key, _address, events, bad=0: spent.append(bad)
    )
    said = signed(amazon) | {"Message": "other"}
    assert post("/t/acme/in/auto", said, **bearer(key)).status == 403
    assert spent == [1]


def test_a_changed_message_is_refused(acme, key, amazon, fetched):
    said = signed(amazon) | {"Message": '{"title": "other"}'}
    answer = post("/t/acme/in/auto", said, **bearer(key))
    assert (answer.status, answer.json["code"]) == (403, "bad_signature")


def test_an_alarm_is_not_lost_when_amazon_cannot_be_reached(
    acme, key, amazon, monkeypatch
):
    def away(_address: str) -> bytes:
        raise sns.Unreachable("no route")

    monkeypatch.setattr(sns, "fetch", away)
    monkeypatch.setattr(sns.CERTIFICATES, "_known", {})
    assert post("/t/acme/in/auto", signed(amazon), **bearer(key)).status == 200
    assert len(alerts(acme)) == 1
    said = signed(
        amazon, Type="SubscriptionConfirmation", Token="t", SubscribeURL=CERTIFICATE
    )
    assert post("/t/acme/in/auto", said, **bearer(key)).status == 502
