"""Does a slack_config make the channels that it names, and go where it says?"""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from django.test import Client

from alertcenter.api.slack_config import ConfigError, read, written
from notifications.channels.slack import chosen_place
from notifications.models import Channel
from tenants.fields import reveal
from tenants.models import Audit
from tenants.rls import in_tenant
from tests.api.test_slack import make_channel
from tests.cast import Cast
from tests.notifications.scene import a_message

pytestmark = pytest.mark.django_db(transaction=True)

URL = "/admin/slack/config/"
TEXT = """
slack_config:
  default_channel: "#alerts"
  escalation_channel: "#incidents"
  fallback_channel: "#lost"
  rate_limit: 0.5
  languages: {"#alerts": de, "#incidents": fr}
  routes:
    - {severity: [critical, major], environment: [production], channel: "#prod"}
    - {severity: debug, channel: "#noise"}
"""


def give(cast: Cast, text: str, name: str = "alice") -> Any:
    client = Client()
    client.force_login(cast.user(name))
    return client.post(URL, {"config": text}, follow=True)


def channels(cast: Cast) -> dict[str, Channel]:
    with in_tenant(cast.id):
        rows = Channel.objects.select_related("fallback")
        return {row.slug: row for row in rows}


class TestApplying:
    def test_it_makes_the_channels_with_the_token_that_is_there(self, acme):
        make_channel(acme)
        assert give(acme, TEXT).status_code == 200
        found = channels(acme)
        default, urgent = found["slack-default"], found["slack-escalation"]
        assert default.settings["channel"] == "#alerts"
        assert default.settings["team_id"] == "T1"
        assert default.settings["rate_limit"] == 0.5
        assert default.fallback == found["slack-fallback"]
        assert urgent.fallback == default
        assert (default.language, urgent.language) == ("de", "fr")
        with in_tenant(acme.id):
            assert json.loads(reveal(default, "secret"))["bot_token"] == "xoxb-1"
            assert Audit.objects.filter(action="channel.configured").count() == 3

    def test_twice_changes_nothing_and_it_can_be_read_back(self, acme):
        make_channel(acme)
        give(acme, TEXT)
        with in_tenant(acme.id):
            back = written(acme.id)
        assert yaml.safe_load(back)["slack_config"]["routes"][0] == {
            "severity": ["critical", "error"],
            "environment": ["production"],
            "channel": "#prod",
        }
        give(acme, back)
        with in_tenant(acme.id):
            assert Audit.objects.filter(action="channel.configured").count() == 3
            assert written(acme.id) == back

    def test_without_a_connected_slack_it_says_so(self, acme):
        page = give(acme, TEXT).content.decode()
        assert "Connect Slack first" in page
        assert "#incidents" in page  # what was written is still there
        assert channels(acme) == {}

    def test_who_may_not_configure_is_refused(self, acme, globex):
        make_channel(acme)
        assert give(acme, TEXT, "bob").status_code == 403
        give(globex, TEXT, "charlie")
        assert set(channels(acme)) == {"ops"}


class TestReading:
    @pytest.mark.parametrize(
        ("text", "path"),
        [
            ("", ""),
            ("[1]", ""),
            ("slack_config: {", ""),
            ("slack_config: 5", "slack_config"),
            ("slack_config: {}", "default_channel"),
            ("default_channel: 7", "default_channel"),
            ('default_channel: "#a"\nchanel: x', "slack_config.chanel"),
            ('default_channel: "#a"\nrate_limit: 5', "rate_limit"),
            ('default_channel: "#a"\nrate_limit: .nan', "rate_limit"),
            ('default_channel: "#a"\nrate_limit: true', "rate_limit"),
            ('default_channel: "#a"\nlanguages: {"#b": de}', "languages.#b"),
            ('default_channel: "#a"\nlanguages: {"#a": xx}', "languages.#a"),
            ('default_channel: "#a"\nroutes: {}\n', None),
            ('default_channel: "#a"\nroutes: x', "routes"),
            ('default_channel: "#a"\nroutes: [{channel: 1}]', "routes[0].channel"),
            (
                'default_channel: "#a"\nroutes: [{severity: loud, channel: "#b"}]',
                "routes[0].severity",
            ),
            ('default_channel: !!python/object:os.system "#a"', ""),
            ("[" * 15_000, ""),
            ("x" * 30_000, ""),
        ],
    )
    def test_what_is_wrong_is_named_by_its_place(self, text, path):
        if path is None:
            assert read(text).places == []
            return
        with pytest.raises(ConfigError) as caught:
            read(text)
        assert caught.value.path == path
        assert " " in caught.value.words

    @pytest.mark.parametrize(
        ("severity", "labels", "place"),
        [
            (5, {"environment": "production"}, "#prod"),
            (4, {"env": "production"}, "#prod"),
            (5, {"env": "staging"}, ""),
            (3, {"env": "production"}, ""),
            (1, {}, "#noise"),
        ],
    )
    def test_the_first_route_that_fits_chooses_the_place(self, severity, labels, place):
        settings = {"places": read(TEXT).places}
        message = a_message(severity=severity, labels=labels)
        assert chosen_place(settings, message) == place
