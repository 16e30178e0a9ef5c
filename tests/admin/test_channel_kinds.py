"""Each kind of channel has its page, made from its SPEC."""

from __future__ import annotations

import json

import pytest

from notifications.channels.registry import channels, spec_of
from notifications.models import Channel
from tenants.fields import reveal
from tenants.rls import in_tenant

pytestmark = pytest.mark.django_db

ADD = "/admin/notifications/channel/add/"
TOKEN = "123456789:AAE" + "x" * 32


def add(alice, kind, **given):
    given = {"kind": kind, "name": "Ops", "active": "on"} | given
    return alice.post(f"{ADD}?kind={kind}", given)


@pytest.mark.parametrize("kind", sorted(channels()))
def test_the_page_of_each_kind_asks_for_its_settings(kind, alice):
    page = alice.get(f"{ADD}?kind={kind}").content.decode()
    for setting in spec_of(kind).settings:
        assert f'name="{setting.name}"' in page


def test_a_channel_is_stored_with_its_token_sealed(acme, alice, settings):
    settings.SIMULATION = False
    given = {"chat_id": " -1001 ", "bot_token": TOKEN}
    assert add(alice, "telegram", **given).status_code == 302
    with in_tenant(acme.id):
        row = Channel.objects.get(slug="ops")
        assert row.settings["chat_id"] == "-1001"
        assert json.loads(reveal(row, "secret") or "{}") == {"bot_token": TOKEN}
    page = alice.get(f"/admin/notifications/channel/{row.pk}/change/")
    assert TOKEN not in page.content.decode()


@pytest.mark.parametrize(
    ("kind", "given", "wrong"),
    [
        ("telegram", {"chat_id": "-1"}, "bot_token"),
        ("teams", {"webhook_url": "https://evil.example/x"}, "webhook_url"),
        ("discord", {}, "webhook_url"),
        ("mattermost", {"channel_id": "a" * 26, "url": "http://x"}, "bot_token"),
        ("ntfy", {"topic": "a b"}, "topic"),
        ("apprise", {"url": "json://127.0.0.1"}, "url"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(kind, given, wrong, alice, settings):
    settings.SIMULATION = False
    answer = add(alice, kind, **given)
    assert answer.status_code == 200
    assert list(answer.context["adminform"].form.errors) == [wrong]
