"""Random trees, imported: the same receivers as Debian's amtool finds, in its order.

Also the road back: what is exported routes as the file did.
"""

from __future__ import annotations

import json
import random
import subprocess
from pathlib import Path
from typing import Any

import pytest

from alertcenter.alerts import routing
from escalation.am_export import config_text
from escalation.am_import import carrying
from tenants.rls import in_tenant
from tests.binaries import require_binary
from tests.cast import Cast
from tests.escalation.test_am_import import ALICE

pytestmark = pytest.mark.django_db

LABELS = {
    "team": ["db", "web", "ops-1", "a.b"],
    "severity": ["critical", "warning", "info"],
    "env": ["prod", "stage", "dev"],
    "path": ["C:\\x", "/api/v1", 'say "hi"', "a,b", "x y"],
}
PATTERNS = ["db|web", ".*", ".+", "", "ops-\\d+", "a\\.b", "p.*", "[^s].*", "c|w.*"]
ASKED = 12


def tree(chance: random.Random, depth: int = 0) -> dict[str, Any]:
    """Return a random node in a random one of the three notations."""
    node: dict[str, Any] = {"receiver": f"r{chance.randrange(8)}"}
    if depth:
        if chance.random() < 0.3:
            del node["receiver"]
        node |= conditions(chance)
        node["continue"] = chance.random() < 0.4
    if depth < 4 and chance.random() < 0.8:
        count = chance.randrange(4) + (depth == 0)
        node["routes"] = [tree(chance, depth + 1) for _ in range(count)]
    return node


def conditions(chance: random.Random) -> dict[str, Any]:
    names = chance.sample(list(LABELS), chance.choice([0, 1, 1, 1, 2]))
    notation = chance.choice(["match", "match_re", "line", "lines"])
    if notation == "match":
        return {"match": {name: chance.choice(LABELS[name]) for name in names}}
    if notation == "match_re":
        return {"match_re": {name: chance.choice(PATTERNS) for name in names}}
    lines = [line(chance, name) for name in names]
    if notation == "line" and lines:
        return {"matchers": ["{" + ",".join(lines) + "}"]}
    return {"matchers": lines}


def line(chance: random.Random, name: str) -> str:
    operator = chance.choice(["=", "!=", "=~", "!~"])
    value = chance.choice(PATTERNS if "~" in operator else ["", *LABELS[name]])
    if value.isalnum() and chance.random() < 0.5:
        return f"{name}{operator}{value}"
    said = value.replace("\\", "\\\\").replace('"', '\\"')
    if "\\d" in value and chance.random() < 0.5:
        said = value  # a spurious escape stays a backslash
    return f'{name} {operator} "{said}"'


def random_labels(chance: random.Random) -> dict[str, str]:
    return {
        name: chance.choice(values)
        for name, values in LABELS.items()
        if chance.random() < 0.7
    }


def of_amtool(file: Path, labels: dict[str, str]) -> list[str]:
    done = subprocess.run(
        [
            require_binary("amtool"),
            "config",
            "routes",
            "test",
            f"--config.file={file}",
            *(f"{name}={json.dumps(value)}" for name, value in labels.items()),
        ],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().split(",")


@pytest.mark.parametrize("seed", range(12))
def test_imported_routes_choose_what_amtool_chooses(seed, acme: Cast, tmp_path: Path):
    chance = random.Random(seed)
    body = json.dumps(
        {
            "route": tree(chance),
            "receivers": [
                {"name": f"r{n}", "webhook_configs": [{"url": f"https://h/{n}"}]}
                for n in range(8)
            ],
        }
    )
    theirs = tmp_path / "theirs.yml"
    theirs.write_text(body)
    ours = tmp_path / "ours.yml"
    with in_tenant(acme.id):
        plan, _ = carrying.carry_out(acme.id, body.encode(), actor=ALICE)
        assert plan.errors == []
        root = routing.load(acme.id)
        ours.write_text(config_text(acme.id))
        again, _ = carrying.planned(acme.id, body.encode())
    assert {action.verdict for action in again.actions} == {"leave"}
    for _ in range(ASKED):
        labels = random_labels(chance)
        expected = of_amtool(theirs, labels)
        found = [route.receiver for route in routing.choose(root, labels)]
        assert found == expected, labels
        assert of_amtool(ours, labels) == expected, labels


def test_channels_follow_the_receiver_of_each_route(acme: Cast):
    chance = random.Random(99)
    body = json.dumps(
        {
            "route": tree(chance),
            "receivers": [
                {"name": f"r{n}", "webhook_configs": [{"url": f"https://h/{n}"}]}
                for n in range(8)
            ],
        }
    )
    with in_tenant(acme.id):
        carrying.carry_out(acme.id, body.encode(), actor=ALICE)
        existing = carrying.existing_of(acme.id)
        urls = {one.pk: one.settings["url"] for one in existing.channels}
        for route in routing.walk(routing.load(acme.id)):
            wanted = [f"https://h/{route.receiver.removeprefix('r')}"]
            assert [urls[pk] for pk in route.channels] == wanted
