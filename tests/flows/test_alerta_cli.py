"""Alerta's own command, unchanged, against a running installation."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.slack import FakeSlack
from tests.flows.world import World, build
from tests.stack import Stack, until

pytestmark = pytest.mark.flow

COMMAND = Path(sys.executable).with_name("alerta")


@pytest.fixture(scope="module")
def world(stack: Stack) -> Iterator[World]:
    assert COMMAND.exists(), "alerta is pinned in requirements-dev.txt"
    with FakeSlack() as fake:
        yield build(stack, fake, slug="alerta")


def run(world: World, *words: str, key: str = "") -> subprocess.CompletedProcess[str]:
    # With a terminal's name, `alerta send` would read the alerts from its input.
    environment = {
        name: value for name, value in os.environ.items() if name not in ("TERM", "PS1")
    }
    environment |= {
        "ALERTA_ENDPOINT": f"{world.stack.url}/alerta",
        "ALERTA_API_KEY": key or world.key,
        "ALERTA_CONF_FILE": os.devnull,
        "HOME": str(world.stack.home),
        "LC_ALL": "C.UTF-8",
    }
    return subprocess.run(
        [str(COMMAND), *words],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def alerta(world: World, *words: str) -> str:
    done = run(world, *words)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def send(world: World, event: str, severity: str = "major", *more: str) -> str:
    """Send one alert; return what the command says."""
    return alerta(
        world,
        "send",
        "--resource=web-1",
        f"--event={event}",
        "--environment=Production",
        f"--severity={severity}",
        "--service=shop",
        "--text=Site is down",
        "--value=502",
        "--tag=region:eu",
        *more,
    )


def query(world: World, event: str) -> dict[str, Any]:
    found = json.loads(alerta(world, "--json", "query", "--filter", f"event={event}"))
    assert len(found) == 1, found
    one: dict[str, Any] = found[0]
    return one


def reaches(world: World, event: str, status: str) -> None:
    until(lambda: query(world, event)["status"] == status)


def test_versions_and_uptime(world):
    assert "alerta client 8.5.3" in alerta(world, "version")
    assert " up " in alerta(world, "uptime")


def test_what_is_sent_is_found(world):
    assert "(indeterminate -> major)" in send(world, "Found")
    assert "(1 duplicates)" in send(world, "Found")
    assert "(major -> critical)" in send(world, "Found", "critical")
    shown = query(world, "Found")
    assert shown["resource"] == "web-1"
    assert shown["service"] == ["shop"]
    assert shown["tags"] == ["region:eu"]
    assert shown["value"] == "502"
    table = alerta(world, "query", "--filter", "event=Found")
    assert "Site is down" in table
    assert "Found" in alerta(world, "query", "--ids", shown["id"], "--full")
    assert "Found" in alerta(world, "query", "--ids", shown["id"][:8])
    assert "Found" in alerta(world, "query", "--query", "event:Found AND resource:web")
    assert "Found" not in alerta(world, "query", "--filter", "event=Other")


def test_acknowledging_taking_it_back_and_closing(world):
    send(world, "Acted")
    given = ("--filter", "event=Acted")
    alerta(world, "ack", *given, "--text", "mine")
    reaches(world, "Acted", "ack")
    alerta(world, "unack", *given)
    reaches(world, "Acted", "open")
    alerta(world, "shelve", *given)
    reaches(world, "Acted", "shelved")
    alerta(world, "close", "--ids", query(world, "Acted")["id"])
    reaches(world, "Acted", "closed")
    assert "mine" in alerta(world, "history", *given)


def test_a_normal_severity_closes(world):
    send(world, "Cleared")
    assert "(major -> normal)" in send(world, "Cleared", "normal")
    assert query(world, "Cleared")["status"] == "closed"


def test_tags_notes_attributes_and_deleting(world):
    send(world, "Told")
    pk = query(world, "Told")["id"]
    alerta(world, "tag", "--ids", pk, "--tag", "new")
    alerta(world, "untag", "--ids", pk, "--tag", "region:eu")
    alerta(world, "update", "--ids", pk, "--attributes", "rack=7")
    alerta(world, "note", "--alert-ids", pk, "--text", "look here")
    shown = query(world, "Told")
    assert shown["tags"] == ["new"]
    assert shown["attributes"]["rack"] == "7"
    assert "look here" in alerta(world, "notes", "--alert-id", pk)
    alerta(world, "delete", "--ids", pk)
    assert query(world, "Told")["status"] == "closed"


def test_lists_of_what_there_is(world):
    send(world, "Listed")
    assert "Production" in alerta(world, "alerts", "--environments")
    assert "shop" in alerta(world, "alerts", "--services")
    assert "Misc" in alerta(world, "alerts", "--groups")
    assert "region:eu" in alerta(world, "alerts", "--tags")


def test_a_wrong_key_and_a_query_it_does_not_know_are_told(world):
    send(world, "Kept")
    assert run(world, "query", key="nothing").returncode != 0
    done = run(world, "close", "--query", "event:Kept OR event:Other")
    assert done.returncode != 0
    assert query(world, "Kept")["status"] == "open"
