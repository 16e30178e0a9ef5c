"""Debian's amtool, unchanged, against a tenant's address."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from collections.abc import Iterator
from typing import Any

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
    done = run(world, stack, *words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def run(world: World, stack: Stack, *words: str) -> subprocess.CompletedProcess[str]:
    address = stack.url.replace("http://", f"http://amtool:{world.key}@")
    return subprocess.run(
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


def silence_of(world: World, stack: Stack, *words: str) -> dict[str, Any]:
    """Return the one silence that amtool finds."""
    shown = json.loads(amtool(world, stack, "silence", "query", "-o", "json", *words))
    (one,) = shown
    return dict(one)


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


def test_a_silence_that_amtool_adds_mutes_until_it_expires_it(world, stack):
    amtool(world, stack, "alert", "add", "Noisy", "instance=n-1")

    def state() -> str:
        shown = json.loads(
            amtool(world, stack, "alert", "query", "-o", "json", "-s", "-a", "Noisy")
        )
        return shown[0]["status"]["state"] if shown else ""

    until(lambda: state() == "active")
    pk = amtool(
        world, stack, "silence", "add", "alertname=Noisy", 'instance=~"n-.*"',
        "--comment=being mended", "--author=alice", "--duration=2h",
    ).strip()  # fmt: skip
    until(lambda: state() == "suppressed")
    found = silence_of(world, stack, "alertname=Noisy")
    assert found["id"] == pk
    assert found["status"] == {"state": "active"}
    assert (found["createdBy"], found["comment"]) == ("alice", "being mended")
    assert {
        (one["name"], one["value"], one["isRegex"]) for one in found["matchers"]
    } == {("alertname", "Noisy", False), ("instance", "n-.*", True)}
    assert pk in amtool(world, stack, "silence", "query")
    assert "being mended" in amtool(world, stack, "silence", "query", "-o", "extended")
    assert (
        amtool(world, stack, "silence", "query", "-q", "alertname=Noisy") == f"{pk}\n"
    )
    # Conditions are compared as they are written.
    assert amtool(world, stack, "silence", "query", "-q", "alertname=~Noisy") == ""
    amtool(world, stack, "silence", "expire", pk)
    until(lambda: state() == "active")
    assert amtool(world, stack, "silence", "query", "-q", "alertname=Noisy") == ""
    expired = silence_of(world, stack, "--expired", "alertname=Noisy")
    assert expired["status"] == {"state": "expired"}
    amtool(world, stack, "silence", "expire", pk)  # again, which changes nothing


def test_amtool_prolongs_a_silence_and_keeps_its_id(world, stack):
    pk = amtool(
        world, stack, "silence", "add", "Longer", "--comment=c", "--duration=1h"
    ).strip()
    before = silence_of(world, stack, "Longer")
    told = amtool(
        world, stack, "silence", "update", "--comment=more", "--duration=5h", pk
    )
    assert pk in told
    after = silence_of(world, stack, "Longer")
    assert (after["id"], after["comment"]) == (pk, "more")
    assert after["startsAt"] == before["startsAt"]
    assert after["endsAt"] > before["endsAt"]


def test_what_amtool_exports_it_imports_elsewhere(world, stack, tmp_path):
    for name in ("One", "Two"):
        amtool(world, stack, "silence", "add", f"import={name}", "--comment=c")
    query = ("silence", "query", "-o", "json", 'import=~".+"')
    assert json.loads(amtool(world, stack, *query)) == []  # textually, not by meaning
    shown = json.loads(amtool(world, stack, "silence", "query", "-o", "json"))
    chosen = [one for one in shown if one["matchers"][0]["name"] == "import"]
    assert len(chosen) == 2
    file = tmp_path / "silences.json"
    file.write_text(json.dumps(chosen))
    # Known ones are changed in place, or replaced.
    amtool(world, stack, "silence", "import", str(file))
    assert silence_of(world, stack, "import=One")["id"] in {c["id"] for c in chosen}
    # Ids that nobody knows are made anew: amtool asks again without them.
    for one in chosen:
        one["id"] = "11111111-1111-4111-8111-111111111111"
        one["matchers"][0]["name"] = "imported"
    file.write_text(json.dumps(chosen))
    amtool(world, stack, "silence", "import", str(file))
    assert silence_of(world, stack, "imported=Two")["comment"] == "c"
    amtool(world, stack, "silence", "import", "--force", str(file))
    again = amtool(world, stack, "silence", "query", "-q", "imported=Two")
    assert len(again.split()) == 2


def test_amtool_is_told_what_is_refused(world, stack):
    for words, said in (
        (['a=~".*"'], "at least one matcher must not match the empty string"),
        (["a=b", "--start=2020-01-01T00:00:00Z", "--end=2020-01-02T00:00:00Z"], "past"),
    ):
        done = run(world, stack, "silence", "add", "--comment=c", *words)
        assert done.returncode != 0
        assert said in done.stderr
    unknown = "11111111-1111-4111-8111-111111111111"
    assert run(world, stack, "silence", "expire", unknown).returncode != 0
    assert run(world, stack, "silence", "update", unknown).returncode != 0


def test_karma_reads_the_version_and_silences(world, stack):
    status, metrics = get(world, stack, "metrics")
    assert status == 200
    assert "alertmanager_build_info{" in metrics
    assert 'version="0.34.0"' in metrics
    assert isinstance(json.loads(get(world, stack, "api/v2/silences")[1]), list)
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
