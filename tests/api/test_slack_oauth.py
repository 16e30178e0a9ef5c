"""Can a tenant add the app to its own Slack, and nobody to another's?"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml
from django.test import Client

from alertcenter.api import slack_manifest, slack_oauth
from notifications.models import Channel, Contact
from tenants.fields import reveal
from tenants.models import Audit
from tenants.rls import in_tenant
from tests.api.client import call
from tests.api.test_slack import inbox, make_group, signed, state
from tests.api.test_slack_commands import form
from tests.cast import Cast
from tests.fakes.slack import FakeSlack

pytestmark = pytest.mark.django_db(transaction=True)

TOKEN = "xoxb-canary-of-oauth"
SHARED = "the-operators-secret"


@pytest.fixture(name="fake")
def _fake(monkeypatch, settings) -> Iterator[FakeSlack]:
    settings.SLACK_CLIENT_ID = "1.2"
    settings.SLACK_CLIENT_SECRET = "client-secret"
    settings.SLACK_SIGNING_SECRET = SHARED
    with FakeSlack() as slack:
        monkeypatch.setattr(slack_oauth, "API_URL", slack.url)
        yield slack


def granted(**more: Any) -> dict[str, Any]:
    """The answer of oauth.v2.access."""
    return {
        "ok": True,
        "access_token": TOKEN,
        "token_type": "bot",
        "scope": "commands,chat:write",
        "bot_user_id": "UBOT",
        "app_id": "A1",
        "team": {"name": "Acme <chat>", "id": "T1"},
        "enterprise": None,
        "authed_user": {"id": "U1"},
    } | more


def client(cast: Cast, name: str) -> Client:
    found = Client()
    found.force_login(cast.user(name))
    return found


def begin(browser: Client, slug: str = "acme") -> str:
    """Press "Add to Slack"; return the state."""
    answer = browser.get(f"/slack/oauth/start?tenant={slug}")
    assert answer.status_code == 302, answer.status_code
    where = urlsplit(answer.headers["Location"])
    assert where.netloc == "slack.com"
    query = parse_qs(where.query)
    assert "chat:write" in query["scope"][0].split(",")
    return query["state"][0]


def finish(browser: Client, state_: str, code: str = "c1", **more: str) -> Any:
    query = {"state": state_, "code": code} | more
    return browser.get("/slack/oauth/callback", query)


def channels(cast: Cast) -> list[Channel]:
    with in_tenant(cast.id):
        return list(Channel.objects.order_by("slug"))


def secret_of(cast: Cast, channel: Channel) -> dict[str, str]:
    with in_tenant(cast.id):
        return dict(json.loads(reveal(channel, "secret")))


class TestAdding:
    def test_the_token_is_kept_sealed_and_the_act_audited(self, acme, fake, caplog):
        caplog.set_level(logging.DEBUG)
        fake.codes["c1"] = granted()
        alice = client(acme, "alice")
        answer = finish(alice, begin(alice))
        (channel,) = channels(acme)
        assert answer.headers["Location"].endswith(f"/{channel.pk}/change/")
        assert secret_of(acme, channel)["bot_token"] == TOKEN
        assert TOKEN.encode() not in bytes(channel.secret or b"")
        assert channel.settings["team_id"] == "T1"
        assert channel.settings["app_id"] == "A1"
        with in_tenant(acme.id):
            row = Audit.objects.get(action="channel.connected")
        assert row.actor_label == "Alice"
        page = alice.get(answer.headers["Location"]).content.decode()
        assert "Acme &lt;chat&gt; is connected" in page
        assert TOKEN not in page
        assert TOKEN not in caplog.text
        assert TOKEN not in json.dumps(row.data)

    def test_again_renews_the_token_of_the_channels_that_are_there(self, acme, fake):
        alice = client(acme, "alice")
        for number, token in enumerate(("xoxb-1", "xoxb-2")):
            fake.codes[f"c{number}"] = granted(access_token=token)
            finish(alice, begin(alice), f"c{number}")
        (channel,) = channels(acme)
        assert secret_of(acme, channel)["bot_token"] == "xoxb-2"

    def test_the_chosen_channel_is_taken_over(self, acme, fake):
        fake.codes["c1"] = granted(incoming_webhook={"channel_id": "C77"})
        alice = client(acme, "alice")
        finish(alice, begin(alice))
        assert channels(acme)[0].settings["channel"] == "C77"

    @pytest.mark.parametrize(
        "answer",
        [
            granted(expires_in=43200),
            granted(token_type="user"),
            granted(access_token=""),
            granted(team=None, is_enterprise_install=True),
        ],
    )
    def test_what_is_no_lasting_token_of_a_workspace_is_refused(
        self, answer, acme, fake
    ):
        fake.codes["c1"] = answer
        alice = client(acme, "alice")
        assert finish(alice, begin(alice)).headers["Location"] == "/admin/slack/"
        assert channels(acme) == []

    def test_a_no_at_slack_changes_nothing(self, acme, fake):
        alice = client(acme, "alice")
        answer = finish(alice, begin(alice), error="access_denied")
        assert answer.headers["Location"] == "/admin/slack/"
        assert channels(acme) == []

    def test_a_code_that_slack_does_not_know_is_explained(self, acme, fake):
        alice = client(acme, "alice")
        answer = finish(alice, begin(alice), "forged")
        page = alice.get(answer.headers["Location"]).content.decode()
        assert "invalid_code" in page


class TestNotAdding:
    def test_who_may_not_configure_cannot_begin(self, acme, globex, fake):
        for name in ("bob", "vera"):
            answer = client(acme, name).get("/slack/oauth/start?tenant=acme")
            assert answer.status_code == 403
        charlie = client(globex, "charlie")
        for slug in ("acme", "nobody", ""):
            assert charlie.get(f"/slack/oauth/start?tenant={slug}").status_code == 404

    def test_a_state_is_for_the_session_that_began(self, acme, globex, fake):
        fake.codes["c1"] = granted()
        mine = begin(client(acme, "alice"))
        for browser in (client(acme, "alice"), client(globex, "charlie")):
            assert finish(browser, mine).status_code == 404
        charlie = client(globex, "charlie")
        begin(charlie, "globex")
        assert finish(charlie, mine).status_code == 404
        assert "c1" in fake.codes  # nothing was exchanged
        assert channels(acme) == channels(globex) == []

    def test_a_state_works_once(self, acme, fake):
        fake.codes |= {"c1": granted(), "c2": granted()}
        alice = client(acme, "alice")
        mine = begin(alice)
        assert finish(alice, mine).status_code == 302
        assert finish(alice, mine, "c2").status_code == 404

    @pytest.mark.parametrize("forged", ["", "x", "a:b:c"])
    def test_a_forged_state_is_no_state(self, forged, acme, fake):
        alice = client(acme, "alice")
        begin(alice)
        assert finish(alice, forged).status_code == 404

    def test_who_lost_the_right_meanwhile_is_refused(self, acme, fake):
        fake.codes["c1"] = granted()
        alice = client(acme, "alice")
        mine = begin(alice)
        with in_tenant(acme.id):
            acme.members["alice"].role = "viewer"
            acme.members["alice"].save()
        assert finish(alice, mine).status_code == 403
        assert channels(acme) == []

    def test_without_an_app_of_the_operator_there_is_nothing_to_add(
        self, acme, fake, settings
    ):
        settings.SLACK_CLIENT_SECRET = ""
        answer = client(acme, "alice").get("/slack/oauth/start?tenant=acme")
        assert answer.status_code == 404


def test_whoever_was_let_in_cannot_be_impersonated_by_another_tenant(
    acme, globex, fake
):
    """Globex writes acme's team and people down; Slack's calls still reach acme."""
    with in_tenant(globex.id):
        Channel.objects.create(
            tenant_id=globex.id,
            kind="slack",
            slug="trap",
            name="trap",
            settings={"channel": "#ops", "team_id": "T1", "app_id": "A1"},
        )
        Contact.objects.create(
            tenant_id=globex.id,
            member=globex.members["charlie"],
            kind="slack",
            address="UBOB",
        )
    fake.codes["c1"] = granted()
    alice = client(acme, "alice")
    finish(alice, begin(alice))
    with in_tenant(acme.id):
        Contact.objects.create(
            tenant_id=acme.id, member=acme.members["bob"], kind="slack", address="UBOB"
        )
    group = make_group(acme)
    body = form("ack 1")
    answer = call("POST", "/slack/commands", body, signed(body, SHARED))
    assert answer.json["text"] == "#1 is acknowledged."
    assert state(acme, group) == "acknowledged"
    assert inbox(globex) == []


class TestManifest:
    def test_it_holds_this_installations_addresses_and_no_secret(
        self, acme, fake, settings
    ):
        settings.BASE_URL = "https://alerts.example"
        alice = client(acme, "alice")
        text = alice.get("/admin/slack/manifest.yml").content.decode()
        found = yaml.safe_load(text)
        command = found["features"]["slash_commands"][0]
        assert command["url"] == "https://alerts.example/slack/commands"
        assert command["should_escape"] is True
        assert found["features"]["unfurl_domains"] == ["alerts.example"]
        wanted = found["settings"]
        assert wanted["interactivity"]["request_url"].endswith("/slack/interactions")
        assert wanted["event_subscriptions"]["request_url"].endswith("/slack/events")
        assert found["oauth_config"]["redirect_urls"] == [
            "https://alerts.example/slack/oauth/callback"
        ]
        assert SHARED not in text
        assert "client-secret" not in text

    @pytest.mark.parametrize(
        "url", ["http://127.0.0.1:8000", "http://localhost:8000", "http://[::1]:1"]
    )
    def test_an_address_is_no_domain(self, url):
        assert "unfurl_domains" not in slack_manifest.manifest(url)["features"]

    def test_the_page_offers_the_way_in_and_shows_the_manifest(self, acme, fake):
        page = client(acme, "alice").get("/admin/slack/").content.decode()
        assert "/slack/oauth/start?tenant=acme" in page
        assert "slash_commands" in page
        assert SHARED not in page

    def test_who_may_not_configure_sees_neither(self, acme, fake):
        for path in ("/admin/slack/", "/admin/slack/manifest.yml"):
            assert client(acme, "vera").get(path).status_code == 403
