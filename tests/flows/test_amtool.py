"""Debian's amtool, unchanged, against a tenant's address."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from collections.abc import Iterator

import pytest

from tests.binaries import require_binary
from tests.fakes.slack import FakeSlack
from tests.flows.world import World, build
from tests.stack import Stack, until

pytestmark = pytest.mark.flow


@pytest.fixture(scope="module")
def world(stack: Stack) -> Iterator[World]:
    with FakeSlack() as fake:
        yield build(stack, fake, slug="amtool")


def amtool(world: World, stack: Stack, *words: str) -> str:
    address = stack.url.replace("http://", f"http://amtool:{world.key}@")
    done = subprocess.run(
        [
            require_binary("amtool"),
            f"--alertmanager.url={address}/t/{world.slug}",
            *words,
        ],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def get(world: World, stack: Stack, path: str) -> tuple[int, str]:
    request = urllib.request.Request(
        f"{stack.url}/t/{world.slug}/{path}",
        headers={"Authorization": f"Bearer {world.key}"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.status, answer.read().decode()


def test_an_alert_that_amtool_adds_is_found_by_it(world, stack):
    amtool(
        world,
        stack,
        "alert",
        "add",
        "Disk",
        "instance=db-1",
        "severity=critical",
        "--annotation=summary=full",
    )

    def found() -> bool:
        shown = json.loads(
            amtool(world, stack, "alert", "query", "-o", "json", "instance=db-1")
        )
        return [one["labels"]["alertname"] for one in shown] == ["Disk"]

    until(found)
    assert "Disk" not in amtool(world, stack, "alert", "query", "instance=other")
    assert "Disk" in amtool(world, stack, "alert", "query", 'instance=~"db-.*"')


def test_the_configuration_is_one_that_alertmanager_reads(world, stack):
    shown = amtool(world, stack, "config", "show")
    assert "receivers:" in shown
    tree = amtool(world, stack, "config", "routes", "show")
    assert "Routing tree" in tree
    chosen = amtool(world, stack, "config", "routes", "test", "severity=critical")
    names = [
        one["name"] for one in json.loads(get(world, stack, "api/v2/receivers")[1])
    ]
    assert chosen.strip() in names


def test_the_cluster_is_one_that_needs_no_peers(world, stack):
    assert "disabled" in amtool(world, stack, "cluster", "show")


def test_groups_are_listed_with_their_receiver_and_alerts(world, stack):
    amtool(world, stack, "alert", "add", "Grouped", "instance=g-1")

    def found() -> list[dict]:
        groups = json.loads(get(world, stack, "api/v2/alerts/groups")[1])
        return [
            group
            for group in groups
            for alert in group["alerts"]
            if alert["labels"]["alertname"] == "Grouped"
        ]

    (group,) = until(found)
    assert set(group) == {"alerts", "labels", "receiver", "routeLabels"}
    assert group["alerts"][0]["receivers"] == [group["receiver"]]
    filtered = get(world, stack, "api/v2/alerts/groups?filter=instance%3Dnobody")
    assert json.loads(filtered[1]) == []


def test_karma_reads_the_version_and_an_empty_list_of_silences(world, stack):
    status, metrics = get(world, stack, "metrics")
    assert status == 200
    assert "alertmanager_build_info{" in metrics
    assert 'version="0.34.0"' in metrics
    assert json.loads(get(world, stack, "api/v2/silences")[1]) == []
    shown = json.loads(get(world, stack, "api/v2/status")[1])
    assert set(shown["versionInfo"]) == {
        "branch",
        "buildDate",
        "buildUser",
        "goVersion",
        "revision",
        "version",
    }
    assert shown["cluster"] == {"peers": [], "status": "disabled"}
    assert get(world, stack, "-/healthy") == (200, "OK")
