"""Can text messages and calls be set up, and is a secret kept from other accounts?"""

from __future__ import annotations

import pytest
from django.urls import reverse

from notifications.admin.channel_form import stored_secrets
from notifications.models import Channel
from tenants.rls import in_tenant
from tests.fakes.twilio import ACCOUNT, FROM, TOKEN

pytestmark = pytest.mark.django_db(transaction=True)
ADD = reverse("admin:notifications_channel_add")
GIVEN = {
    "kind": "sms",
    "name": "Phones",
    "slug": "phones",
    "active": "on",
    "to": "+49 151 12345678\n0033 6 12 34 56 78",
    "account_sid": ACCOUNT,
    "auth_token": TOKEN,
    "from_number": FROM,
    "callbacks": "on",
}


@pytest.fixture
def phones(acme, alice) -> Channel:
    assert alice.post(ADD, GIVEN).status_code == 302
    with in_tenant(acme.id):
        return Channel.objects.get(slug="phones")


def change(row: Channel) -> str:
    return reverse("admin:notifications_channel_change", args=[row.pk])


def secrets_of(row: Channel) -> dict[str, str]:
    with in_tenant(row.tenant_id):
        return stored_secrets(Channel.objects.get(pk=row.pk))


def test_numbers_are_kept_as_e164_and_the_token_is_shown_to_nobody(phones, alice):
    assert phones.settings["to"] == ["+4915112345678", "+33612345678"]
    page = alice.get(change(phones)).content.decode()
    assert ACCOUNT in page
    assert TOKEN not in page


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("to", "0151 12345678", "country code"),
        ("account_sid", "AC1", "account SID"),
        ("key_sid", "SK" + "a" * 32, "A key has a secret"),
        ("from_number", "", "a messaging service"),
        ("from_number", "far too long a name", "country code"),
        ("messaging_service_sid", "MG1", "MG and 32"),
        ("auth_token", "", "needed to talk"),
    ],
)
def test_what_cannot_work_is_said_beside_its_field(acme, alice, field, value, said):
    answer = alice.post(ADD, GIVEN | {field: value})
    assert answer.status_code == 200
    assert said in answer.content.decode()


def test_the_token_is_shown_to_no_other_account(phones, alice):
    other = GIVEN | {"account_sid": "AC" + "9" * 32, "auth_token": ""}
    answer = alice.post(change(phones), other)
    assert answer.status_code == 200
    assert "give the secret again" in answer.content.decode()
    assert alice.post(change(phones), other | {"auth_token": "x"}).status_code == 302
    assert secrets_of(phones)["auth_token"] == "x"


def test_an_api_key_alone_suffices_where_twilio_cannot_reach_us(acme, alice):
    by_key = GIVEN | {
        "auth_token": "",
        "key_sid": "SK" + "a" * 32,
        "key_secret": "s3cret",
    }
    assert alice.post(ADD, by_key).status_code == 200  # who signs what it tells us?
    del by_key["callbacks"]
    assert alice.post(ADD, by_key).status_code == 302


def test_in_simulation_nobody_needs_an_account(acme, alice, settings):
    settings.SIMULATION = True
    bare = {"kind": "sms", "name": "Phones", "slug": "phones", "active": "on"}
    assert alice.post(ADD, bare | {"callbacks": "on"}).status_code == 302
    with in_tenant(acme.id):
        row = Channel.objects.get(slug="phones")
    assert row.settings["account_sid"].startswith("AC")
    assert secrets_of(row)["auth_token"]


def test_the_page_says_which_address_to_paste_at_twilio(phones, alice, settings):
    settings.BASE_URL = "https://alerts.example"
    page = alice.get(change(phones)).content.decode()
    assert "https://alerts.example/twilio/sms/" in page
    assert "when a message comes in" in page


def test_a_call_channel_can_be_set_up(acme, alice):
    given = GIVEN | {"kind": "voice", "ring_seconds": "25", "machines": "on"}
    assert alice.post(ADD, given | {"ring_seconds": "3"}).status_code == 200
    assert alice.post(ADD, given | {"from_number": "Acme"}).status_code == 200
    assert alice.post(ADD, given).status_code == 302
    with in_tenant(acme.id):
        row = Channel.objects.get(slug="phones")
    assert row.settings["ring_seconds"] == 25
    assert alice.get(change(row)).status_code == 200


AMAZON = {
    "kind": "sms",
    "name": "Phones",
    "slug": "phones",
    "active": "on",
    "callbacks": "on",
    "provider": "sns",
    "aws_region": "eu-central-1",
    "aws_key_id": "AKIDEXAMPLE000000001",
    "aws_secret_key": "s3cret",
}


def test_amazon_alone_needs_nothing_of_twilio(acme, alice):
    assert alice.post(ADD, AMAZON).status_code == 302


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"aws_region": ""}, "Amazon SNS"),
        ({"aws_region": "evil.example/"}, "eu-central-1"),
        ({"aws_secret_key": ""}, "Amazon SNS"),
        ({"sender_id": "<b>"}, "eleven"),
        ({"second_provider": "sns"}, "another one"),
        ({"second_provider": "twilio"}, "needed to talk to Twilio"),
    ],
)
def test_what_amazon_lacks_is_said(acme, alice, changes, said):
    answer = alice.post(ADD, AMAZON | changes)
    assert answer.status_code == 200
    assert said in answer.content.decode()
