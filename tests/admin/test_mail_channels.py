"""What does the page of a channel of mail take, and what does it refuse?"""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from notifications import stopping
from notifications.admin.channel_form import stored_secrets
from notifications.models import Channel, Delivery, MailOpening, StoppedAddress
from tenants.models import Audit
from tenants.rls import in_tenant

pytestmark = pytest.mark.django_db(transaction=True)

SERVER = {
    "smtp_host": "mail.acme.example",
    "smtp_security": "starttls",
    "smtp_user": "alerts",
    "smtp_password": "canary-7391",
    "sender": "Acme <ops@acme.example>",
}


def form(**changes: Any) -> dict[str, Any]:
    given = {
        "kind": "email", "name": "Mail", "slug": "mail", "language": "",
        "active": "on", "to": "ops@acme.example", "links": "on", "attach": "csv",
        "smtp_security": "starttls",
    }  # fmt: skip
    return given | changes


def add(client, **changes: Any) -> Any:
    url = reverse("admin:notifications_channel_add")
    return client.post(f"{url}?kind=email", form(**changes))


def test_a_mail_channel_needs_no_server_of_its_own(alice, acme):
    assert add(alice).status_code == 302
    with in_tenant(acme.id):
        channel = Channel.objects.get(slug="mail")
        assert channel.settings["to"] == ["ops@acme.example"]
        assert (channel.settings["links"], channel.settings["track_opens"]) == (
            True,
            False,
        )
        assert stored_secrets(channel) == {}


def test_a_server_of_its_own_is_kept_and_its_password_is_never_shown(alice, acme):
    assert add(alice, **SERVER).status_code == 302
    with in_tenant(acme.id):
        channel = Channel.objects.get(slug="mail")
        assert stored_secrets(channel) == {"smtp_password": "canary-7391"}
        assert "canary" not in str(channel.settings)
    url = reverse("admin:notifications_channel_change", args=[channel.pk])
    page = alice.get(url).content.decode()
    assert "mail.acme.example" in page
    assert "canary" not in page


@pytest.mark.parametrize(
    "changes",
    [
        {"to": "nobody"},
        {"sender": "nobody"},
        SERVER | {"smtp_host": "mail server"},
        SERVER | {"smtp_port": "70000"},
        SERVER | {"smtp_security": "none"},
        SERVER | {"smtp_password": ""},
    ],
)
def test_what_cannot_work_is_not_kept(alice, acme, changes):
    assert add(alice, **changes).status_code == 200
    with in_tenant(acme.id):
        assert not Channel.objects.filter(slug="mail").exists()


@pytest.mark.parametrize(
    "changes", [{"smtp_host": "evil.example"}, {"smtp_port": "2525"}]
)
def test_a_stored_password_is_shown_to_no_other_server(alice, acme, changes):
    add(alice, **SERVER)
    with in_tenant(acme.id):
        channel = Channel.objects.get(slug="mail")
    url = reverse("admin:notifications_channel_change", args=[channel.pk])
    moved = form(**SERVER | changes | {"smtp_password": ""})
    assert "give the password again" in alice.post(url, moved).content.decode()
    with in_tenant(acme.id):
        channel.refresh_from_db()
        assert channel.settings["smtp_host"] == "mail.acme.example"


def test_the_page_of_a_delivery_says_when_it_was_opened(alice, acme, filled):
    row = filled[Delivery]
    url = reverse("admin:notifications_delivery_change", args=[row.pk])
    assert "times, last on" not in alice.get(url).content.decode()
    with in_tenant(acme.id):
        MailOpening.objects.create(tenant_id=acme.id, delivery=row, times=3)
    assert "3 times, last on" in alice.get(url).content.decode()


def test_an_administrator_lets_mails_go_to_an_address_again(alice, bob, acme, filled):
    row = filled[StoppedAddress]
    url = reverse("admin:notifications_stoppedaddress_resume", args=[row.pk])
    assert bob.post(url).status_code == 403
    assert alice.post(url, follow=True).status_code == 200
    with in_tenant(acme.id):
        assert not stopping.is_stopped(acme.id, row.address)
        audit = Audit.objects.get(action="mail.resumed")
        assert (audit.actor_kind, audit.actor_label) == ("member", "Alice")
