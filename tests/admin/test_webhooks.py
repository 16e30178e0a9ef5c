"""Can a webhook channel be set up, opened and changed, and who learns its token?"""

from __future__ import annotations

import pytest
from django.urls import reverse

from notifications.admin.channel_form import stored_secrets
from notifications.models import Channel
from tenants.rls import in_tenant

pytestmark = pytest.mark.django_db(transaction=True)
ADD = reverse("admin:notifications_channel_add")
GIVEN = {
    "kind": "webhook",
    "name": "hook",
    "slug": "hook",
    "active": "on",
    "url": "https://tickets.example.com/in",
    "send_resolved": "on",
    "send_quiet_ends": "on",
    "bearer_token": "s3cret",
}


@pytest.fixture
def hook(acme, alice) -> Channel:
    answer = alice.post(ADD, GIVEN)
    assert answer.status_code == 302
    with in_tenant(acme.id):
        return Channel.objects.get(slug="hook")


def change(row: Channel) -> str:
    return reverse("admin:notifications_channel_change", args=[row.pk])


def token(row: Channel) -> str:
    with in_tenant(row.tenant_id):
        return stored_secrets(Channel.objects.get(pk=row.pk)).get("bearer_token", "")


def test_its_page_opens_and_says_nothing_of_the_token(hook, alice):
    page = alice.get(change(hook))
    assert page.status_code == 200
    assert "tickets.example.com" in page.content.decode()
    assert "s3cret" not in page.content.decode()


def test_who_may_not_configure_sees_the_server_and_nothing_of_a_key(alice, vera, acme):
    """Many tools' addresses are keys themselves."""
    given = {"slug": "capability", "url": "https://u:pw@hooks.example.com/in/k3y?t=k3y"}
    assert alice.post(ADD, GIVEN | given).status_code == 302
    with in_tenant(acme.id):
        row = Channel.objects.get(slug="capability")
    for where in (reverse("admin:notifications_channel_changelist"), change(row)):
        page = vera.get(where).content.decode()
        assert "https://hooks.example.com/…" in page
        assert "k3y" not in page
        assert "pw@" not in page


def test_another_path_of_the_server_keeps_the_token(hook, alice):
    other = GIVEN | {"url": "https://tickets.example.com/v2", "bearer_token": ""}
    assert alice.post(change(hook), other).status_code == 302
    assert token(hook) == "s3cret"


def test_the_token_is_not_sent_to_another_server_unless_it_is_given_again(hook, alice):
    other = GIVEN | {"url": "https://evil.example.com/in", "bearer_token": ""}
    answer = alice.post(change(hook), other)
    assert answer.status_code == 200
    assert "give the token again" in answer.content.decode()
    assert alice.post(change(hook), other | {"bearer_token": "x"}).status_code == 302
    assert token(hook) == "x"


@pytest.mark.parametrize("wrong", ["a\r\nX-Other: 1", "clé"])
def test_a_token_that_no_header_can_hold_is_refused(alice, wrong):
    answer = alice.post(ADD, GIVEN | {"bearer_token": wrong})
    assert answer.status_code == 200
    assert "printable ASCII" in answer.content.decode()


def test_a_template_that_makes_no_json_is_refused_with_the_remedy(alice):
    answer = alice.post(ADD, GIVEN | {"body": '{"a": "{{ title }}"}'})
    assert answer.status_code == 200
    assert "title|tojson" in answer.content.decode()


def test_the_page_shows_what_an_example_becomes(hook, alice):
    body = {"body": '{"what": {{ title|tojson }}}', "method": "PUT"}
    assert alice.post(change(hook), GIVEN | body).status_code == 302
    page = alice.get(change(hook)).content.decode()
    assert "{&quot;what&quot;: &quot;DiskWillFillIn4Hours&quot;}" in page


def test_a_key_in_a_header_goes_to_no_other_server_either(hook, alice):
    keyed = GIVEN | {"secret_header": "X-Api-Key: s3cret-key"}
    assert alice.post(change(hook), keyed).status_code == 302
    moved = GIVEN | {"url": "https://evil.example.com/in", "bearer_token": "x"}
    answer = alice.post(change(hook), moved)
    assert answer.status_code == 200
    assert "s3cret-key" not in answer.content.decode()
