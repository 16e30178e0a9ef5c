"""Can a person word messages, see them first, and find out whether a channel works?"""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from notifications.models import Channel, Delivery, MessageTemplate
from tenants.models import Audit
from tenants.rls import in_tenant
from tests.admin.test_rights import NEW_TENANT

PREVIEW = "admin:notifications_messagetemplate_preview"
WORDED = {
    "kind": "firing",
    "channel_kind": "slack",
    "title_en": "{{ title }}!",
    "body_en": "Since {{ opened_at }}",
    "body_fr": "Depuis {{ opened_at }}",
    "preview_language": "fr",
}


def test_a_template_says_each_language_and_takes_a_new_revision(alice, acme, filled):
    row = filled[MessageTemplate]
    page = reverse("admin:notifications_messagetemplate_change", args=[row.pk])
    shown = alice.get(page).content.decode()
    assert 'name="body_ja"' in shown
    assert alice.post(page, WORDED).status_code == 302
    with in_tenant(acme.id):
        after: Any = MessageTemplate.objects.get(pk=row.pk)
    assert after.body_fr == "Depuis {{ opened_at }}"
    assert after.revision == row.revision + 1


@pytest.mark.parametrize(
    "source", ["{{ title", "{% for x in alerts %}", "{{ ''.__class__ }}", "x" * 20_000]
)
def test_a_broken_template_is_refused_at_its_field(alice, filled, source):
    row = filled[MessageTemplate]
    page = reverse("admin:notifications_messagetemplate_change", args=[row.pk])
    response = alice.post(page, WORDED | {"body_fr": source})
    assert response.status_code == 200
    assert response.context["adminform"].form.errors["body_fr"]


def test_the_preview_speaks_the_chosen_language_unsaved(alice, acme, filled):
    with in_tenant(acme.id):
        before: Any = MessageTemplate.objects.get(pk=filled[MessageTemplate].pk)
    response = alice.post(reverse(PREVIEW), WORDED)
    assert response.status_code == 200
    assert "Depuis" in response.content.decode()
    assert "DiskWillFillIn4Hours!" in response.content.decode()
    with in_tenant(acme.id):
        after: Any = MessageTemplate.objects.get(pk=before.pk)
    assert after.body_fr == before.body_fr


def test_the_preview_of_a_mail_is_shown_in_a_closed_frame(alice, filled):
    response = alice.post(reverse(PREVIEW), WORDED | {"channel_kind": "email"})
    assert "Depuis" in response.content.decode()
    assert "sandbox" in response.headers["Content-Security-Policy"]
    assert "script-src" not in response.headers["Content-Security-Policy"]
    assert response.headers["X-Frame-Options"] == "SAMEORIGIN"


def test_the_preview_can_speak_about_a_stored_message(alice, acme, filled):
    from notifications.samples import sample

    hostile = sample().to_json() | {"title": "<script>alert(1)</script>"}
    with in_tenant(acme.id):
        Delivery.objects.filter(pk=filled[Delivery].pk).update(message=hostile)
    chosen = {"preview_message": str(filled[Delivery].pk)}
    for kind in ("slack", "email"):
        given = WORDED | chosen | {"channel_kind": kind}
        shown = alice.post(reverse(PREVIEW), given).content.decode()
        assert "alert(1)" in shown
        assert "<script>" not in shown


def test_a_broken_preview_says_why(alice, filled):
    response = alice.post(reverse(PREVIEW), WORDED | {"body_fr": "{{ nope("})
    assert response.status_code == 200
    assert response.context["preview"].words.problem


def test_a_new_tenant_has_words_from_the_start(operator, db):
    operator.post(reverse("admin:tenants_tenant_add"), NEW_TENANT)
    with in_tenant(operator.session["tenant_id"]):
        assert MessageTemplate.objects.count() >= 8


# --- channels ---

SLACK = {
    "kind": "slack",
    "name": "Ops room",
    "active": "on",
    "channel": "#ops",
    "team_id": "T0123",
    "app_id": "A0123",
    "bot_token": "xoxb-1",
    "signing_secret": "s1",
}


def test_a_slack_channel_is_made_from_its_settings(alice, acme):
    page = reverse("admin:notifications_channel_add")
    assert alice.post(page, SLACK).status_code == 302
    with in_tenant(acme.id):
        channel = Channel.objects.get()
    assert channel.slug == "ops-room"
    assert channel.settings["channel"] == "#ops"
    assert channel.settings["team_id"] == "T0123"
    assert b"xoxb-1" not in bytes(channel.secret or b"")


def test_slack_needs_its_secrets_where_it_is_real(alice, acme):
    given = SLACK | {"bot_token": ""}
    response = alice.post(reverse("admin:notifications_channel_add"), given)
    assert "bot_token" in response.context["adminform"].form.errors


def test_simulated_slack_needs_only_a_name(alice, acme, settings):
    settings.SIMULATION = True
    given = {key: SLACK[key] for key in ("kind", "name", "active", "channel")}
    response = alice.post(reverse("admin:notifications_channel_add"), given)
    assert response.status_code == 302


def test_mail_addresses_are_checked(alice, acme):
    given = {"kind": "email", "name": "Mail", "active": "on", "to": "a@b.example\nnope"}
    page = reverse("admin:notifications_channel_add")
    response = alice.post(page, given)
    assert "to" in response.context["adminform"].form.errors
    given["to"] = "a@b.example\nc@d.example"
    assert alice.post(page, given).status_code == 302
    with in_tenant(acme.id):
        assert Channel.objects.get().settings["to"] == ["a@b.example", "c@d.example"]


@pytest.mark.django_db(transaction=True)
def test_the_test_button_shows_the_mail_servers_answer(alice, acme, settings):
    settings.SIMULATION = True
    with in_tenant(acme.id):
        channel = Channel.objects.create(
            tenant=acme.tenant,
            kind="email",
            slug="mail",
            name="Mail",
            settings={"to": ["ops@acme.example"]},
        )
    url = reverse("admin:notifications_channel_send_test", args=[channel.pk])
    shown = alice.post(url, follow=True).content.decode()
    assert "250 simulated" in shown
    with in_tenant(acme.id):
        row = Audit.objects.get(action="channel.test")
    assert row.data == {"ok": True}


@pytest.mark.django_db(transaction=True)
def test_an_unreachable_slack_is_said_in_words(alice, acme):
    with in_tenant(acme.id):
        channel = Channel.objects.create(
            tenant=acme.tenant,
            kind="slack",
            slug="ops",
            name="Ops",
            settings={"channel": "#ops", "api_url": "http://127.0.0.1:9/api/"},
            secret='{"bot_token": "xoxb-canary", "signing_secret": "s"}',
        )
    url = reverse("admin:notifications_channel_send_test", args=[channel.pk])
    shown = alice.post(url, follow=True).content.decode()
    assert "The test failed" in shown
    assert "canary" not in shown
