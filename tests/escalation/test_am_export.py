"""The configuration that amtool reads of us: one that Alertmanager itself loads."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from alertcenter.alerts.models import InhibitRule, Route, RouteChannel, TimeInterval
from escalation.am_export import config_text
from escalation.models import Policy
from notifications.models import Channel
from tenants.rls import in_tenant
from tests.binaries import require_binary
from tests.cast import Cast

pytestmark = pytest.mark.django_db

TOKEN = "xoxb-canary-1"
HOOK = "https://hooks.example/canary-2"


@pytest.fixture
def tree(acme: Cast) -> Cast:
    """A default route with a policy, a team's tree below it, and all besides."""
    own: dict[str, Any] = {"tenant": acme.tenant}
    with in_tenant(acme.id):
        slack = Channel.objects.create(
            **own,
            kind="slack",
            slug="ops",
            name="ops",
            settings={"channel": "#ops", "send_resolved": False},
            secret=f'{{"bot_token": "{TOKEN}"}}',
        )
        hook = Channel.objects.create(
            **own, kind="webhook", slug="hook", name="hook", settings={"url": HOOK}
        )
        mail = Channel.objects.create(
            **own,
            kind="email",
            slug="mail",
            name="mail",
            settings={"to": ["a@example.com", "b@example.com"]},
        )
        policy = Policy.objects.create(**own, name="Two\nlevels")
        TimeInterval.objects.create(
            **own,
            name="nights",
            times=[
                {
                    "times": [{"start_time": "17:00", "end_time": "24:00"}],
                    "weekdays": ["monday:friday"],
                    "days_of_month": ["1:5", "-3:-1"],
                    "months": [],
                    "years": ["2026:2027"],
                    "location": "Europe/Paris",
                }
            ],
        )
        InhibitRule.objects.create(
            **own,
            name="critical mutes",
            source_matchers=["severity=critical"],
            target_matchers=['severity=~"warning|info"'],
            equal=["cluster"],
        )
        root = Route.objects.create(
            **own, name="all", is_default=True, policy=policy, group_by=["alertname"]
        )
        team = Route.objects.create(
            **own,
            name="team db",
            parent=root,
            position=1,
            matchers=['team="db"', 'path=~"C:\\\\\\\\d+"'],
            group_wait_seconds=0,
            group_interval_seconds=90,
            continue_matching=True,
            mute_intervals=["nights", "gone"],
            labels={"tier": "1"},
        )
        RouteChannel.objects.create(**own, route=team, channel=slack)
        RouteChannel.objects.create(**own, route=team, channel=mail)
        page = Route.objects.create(
            **own,
            name="page",
            parent=team,
            receiver="pager",
            matchers=['severity="critical"'],
            group_by=["..."],
        )
        RouteChannel.objects.create(**own, route=page, channel=hook)
        Route.objects.create(
            **own, name="inherits", parent=team, position=200, matchers=['a="b"']
        )
        Route.objects.create(
            **own, name="off", active=False, position=2, matchers=['team="off"']
        )
        Route.objects.create(
            **own, name="nobody", position=3, matchers=[], tells_nobody=True
        )
    return acme


def exported(cast: Cast) -> str:
    with in_tenant(cast.id):
        return config_text(cast.id)


def test_the_tree_is_told_as_it_is_written(tree):
    config = yaml.safe_load(exported(tree))
    root = config["route"]
    assert root["receiver"] == "all"
    assert root["group_by"] == ["alertname"]
    assert (root["group_wait"], root["group_interval"]) == ("10s", "5m")
    assert root["repeat_interval"] == "4h"
    team, nobody = root["routes"]
    assert team == {
        "receiver": "team db",
        "matchers": ['team="db"', 'path=~"C:\\\\\\\\d+"'],
        "group_wait": "0s",
        "group_interval": "1m30s",
        "continue": True,
        "mute_time_intervals": ["nights"],
        "routes": [
            {
                "receiver": "pager",
                "group_by": ["..."],
                "matchers": ['severity="critical"'],
            },
            {"matchers": ['a="b"']},
        ],
    }
    assert nobody == {"receiver": "nobody"}
    assert config["inhibit_rules"] == [
        {
            "source_matchers": ['severity="critical"'],
            "target_matchers": ['severity=~"warning|info"'],
            "equal": ["cluster"],
        }
    ]
    assert config["time_intervals"][0]["time_intervals"][0]["location"]


def test_receivers_name_their_channels_and_no_secret(tree):
    text = exported(tree)
    assert TOKEN not in text
    assert "canary" not in text
    receivers = {one["name"]: one for one in yaml.safe_load(text)["receivers"]}
    assert set(receivers) == {"all", "team db", "pager", "nobody"}
    assert receivers["all"] == {"name": "all"}
    (slack,) = receivers["team db"]["slack_configs"]
    assert slack == {"send_resolved": False, "api_url": "<secret>", "channel": "#ops"}
    (mail,) = receivers["team db"]["email_configs"]
    assert mail["to"] == "a@example.com, b@example.com"
    assert receivers["pager"]["webhook_configs"] == [
        {"send_resolved": True, "url": "http://<secret>/"}
    ]


def test_what_alertmanager_has_no_words_for_is_told_in_comments(tree):
    lines = [line for line in exported(tree).splitlines() if line.startswith("#")]
    assert lines == [
        "# Receiver all: follows the policy Two\\nlevels of AlertCenter.",
        "# Route team db says with every message: tier=1.",
        "# Route team db names the time interval 'gone', which is not there.",
    ]


def test_a_tenant_without_routes_has_a_root_that_tells_nobody(acme):
    config = yaml.safe_load(exported(acme))
    assert config["route"]["receiver"] == "default"
    assert config["route"]["group_by"] == ["..."]
    assert config["receivers"] == [{"name": "default"}]


def test_another_tenants_routes_are_not_in_it(tree, globex):
    assert yaml.safe_load(exported(globex))["receivers"] == [{"name": "default"}]


def amtool(*words: str) -> str:
    done = subprocess.run(
        [require_binary("amtool"), *words],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_debians_amtool_takes_it(tree, globex, tmp_path: Path):
    for cast in (tree, globex):
        file = tmp_path / f"{cast.slug}.yml"
        file.write_text(exported(cast))
        assert "SUCCESS" in amtool("check-config", str(file))


def test_debians_amtool_finds_the_receivers_of_labels(tree, tmp_path: Path):
    file = tmp_path / "acme.yml"
    file.write_text(exported(tree))
    ask = ("config", "routes", "test", f"--config.file={file}")
    assert amtool(*ask, "team=db", r"path=C:\\d").strip() == "team db,nobody"
    inner = amtool(*ask, "team=db", r"path=C:\\d", "severity=critical")
    assert inner.strip() == "pager,nobody"
    assert amtool(*ask, "team=web").strip() == "nobody"
    assert "Routing tree" in amtool("config", "routes", "show", f"--config.file={file}")
