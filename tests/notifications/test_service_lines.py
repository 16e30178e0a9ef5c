"""Do messages name the service in trouble, its owner, its runbook and the priority?"""

from __future__ import annotations

import pytest

from alertcenter.alerts.models import Service
from escalation.messages import message_for
from notifications import rendering
from notifications.channels import block_kit, letters
from notifications.message import Message
from tenants.rls import in_tenant
from tests.dashboard.scene import make_group
from tests.notifications.scene import a_message, a_parcel

SERVICE = {
    "service": "Checkout <!channel>",
    "service_owner": "Payments & co",
    "runbook": "https://wiki.example/checkout",
    "priority": 1,
}


def card_text(**facts):
    card = block_kit.page(a_parcel(message=a_message(**facts)))
    return [
        field["text"] for block in card["blocks"] for field in block.get("fields", [])
    ], card


def mail(**facts):
    letter = letters.write(a_parcel(message=a_message(**facts), channel_kind="email"))
    return letters.part(letter, "plain"), letters.part(letter, "html")


def test_a_slack_card_has_fields_for_service_owner_and_runbook():
    fields, card = card_text(**SERVICE)
    assert fields == [
        "*Service*\nCheckout &lt;!channel&gt;",
        "*Owner*\nPayments &amp; co",
        "*Runbook*\n<https://wiki.example/checkout>",
    ]
    assert "*P1*" in card["blocks"][1]["text"]["text"]


def test_a_card_without_a_service_has_no_fields_at_all():
    fields, card = card_text()
    assert fields == []
    assert all("fields" not in block for block in card["blocks"])
    assert "*P" not in card["blocks"][1]["text"]["text"]


def test_long_names_stay_within_slacks_limits():
    fields, _ = card_text(service="s" * 9_000, service_owner="&" * 9_000)
    assert len(fields) == 2
    assert max(map(len, fields)) <= block_kit.FIELD_CHARS


def test_a_mail_has_a_line_for_the_service_and_one_for_its_runbook():
    plain, html = mail(**SERVICE)
    assert "Service: Checkout <!channel> (Payments & co)" in plain
    assert "Runbook: https://wiki.example/checkout" in plain
    assert "P1 · " in plain
    assert "Checkout &lt;!channel&gt; (Payments &amp; co)" in html
    assert 'href="https://wiki.example/checkout"' in html


def test_a_mail_without_a_service_says_nothing_of_one():
    plain, html = mail()
    assert "Service" not in plain
    assert "Runbook" not in html


def test_templates_may_say_all_of_it_and_the_list_of_variables_names_it():
    source = "{{ service }}|{{ service_owner }}|{{ runbook }}|P{{ priority }}"
    assert rendering.validate_template(source) is None
    said = rendering.preview(
        "x",
        source,
        kind="firing",
        language="en",
        time_zone="UTC",
        message=a_message(**SERVICE),
    )
    assert said.body == (
        "Checkout <!channel>|Payments & co|https://wiki.example/checkout|P1"
    )
    named = " ".join(name for name, _ in rendering.variables())
    assert {"service", "service_owner", "runbook", "priority"} <= set(
        named.replace(",", "").split()
    )


def test_a_message_stored_before_services_were_known_is_still_read():
    message = a_message()
    old = message.to_json()
    for name in SERVICE:
        del old[name]
    assert Message.from_json(old) == message


@pytest.mark.django_db
def test_the_message_about_a_group_takes_them_from_its_service(acme):
    with in_tenant(acme.id):
        service = Service.objects.create(
            tenant_id=acme.id,
            slug="checkout",
            name="Checkout",
            owner=acme.members["alice"],
            runbook_url="https://wiki.example/checkout",
        )
        named = message_for(make_group(acme.id, service=service, priority=2))
        nameless = message_for(make_group(acme.id, priority=5))
    assert (named.service, named.service_owner) == ("Checkout", "Alice")
    assert named.runbook == "https://wiki.example/checkout"
    assert [named.priority, nameless.priority] == [2, 5]
    assert (nameless.service, nameless.service_owner, nameless.runbook) == ("", "", "")
