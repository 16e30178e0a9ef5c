"""Can a tool's channel be set up, and what does its page say?"""

from __future__ import annotations

import pytest
from django.urls import reverse

from notifications.admin.channel_form import stored_secrets
from notifications.models import Channel
from tenants.rls import in_tenant

pytestmark = pytest.mark.django_db(transaction=True)
ADD = reverse("admin:notifications_channel_add")
COMMON = {"name": "tool", "slug": "tool", "active": "on", "send_resolved": "on"}
SNOW = {
    "url": "https://acme.service-now.com/",
    "auth": "basic",
    "user": "alertcenter",
    "password": "s3cret-of-acme",
    "inbound_secret": "a secret of twenty characters",
}
GIVEN = {
    "pagerduty": {"routing_key": "s3cret-of-acme", "region": "eu"},
    "opsgenie": {"api_key": "s3cret-of-acme", "region": "us", "teams": "NOC\nOps"},
    "servicenow": SNOW,
}


def made(alice, kind: str, **changes: str):
    given = {"kind": kind} | COMMON | GIVEN[kind] | changes
    return alice.post(ADD, given)


@pytest.mark.parametrize("kind", sorted(GIVEN))
def test_it_is_made_and_shows_no_secret(kind, acme, alice):
    assert alice.get(f"{ADD}?kind={kind}").status_code == 200
    answer = made(alice, kind)
    assert answer.status_code == 302, answer.content.decode()
    with in_tenant(acme.id):
        row = Channel.objects.get(slug="tool")
        assert "s3cret-of-acme" in stored_secrets(row).values()
    assert "s3cret" not in str(row.settings)
    page = alice.get(reverse("admin:notifications_channel_change", args=[row.pk]))
    assert "s3cret-of-acme" not in page.content.decode()


@pytest.mark.parametrize(
    ("kind", "name"),
    [("pagerduty", "routing_key"), ("opsgenie", "api_key"), ("servicenow", "password")],
)
def test_without_its_key_it_is_not_made(kind, name, acme, alice):
    answer = made(alice, kind, **{name: ""})
    assert answer.status_code == 200
    assert "This field is required" in answer.content.decode()


def test_the_page_says_where_the_tool_calls_back(acme, alice):
    made(alice, "servicenow")
    with in_tenant(acme.id):
        row = Channel.objects.get(slug="tool")
    page = alice.get(reverse("admin:notifications_channel_change", args=[row.pk]))
    assert f"/servicenow/{acme.id}/{row.pk}" in page.content.decode()
    assert row.settings["url"] == "https://acme.service-now.com"


def test_a_short_secret_and_a_broken_template_are_refused(acme, alice):
    answer = made(
        alice,
        "servicenow",
        inbound_secret="short",
        fields='{"a": "{{ title.__class__ }}"}',
    )
    assert answer.status_code == 200
    text = answer.content.decode()
    assert "20 or more" in text
    assert "Line 1" in text
