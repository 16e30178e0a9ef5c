"""From a real Alertmanager to a tenant: its file, then what amtool says of both."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.binaries import require_binary
from tests.fakes.slack import FakeSlack
from tests.flows.test_amtool import amtool
from tests.flows.world import build
from tests.stack import Stack

pytestmark = pytest.mark.flow

FILE = """
route:
  receiver: ops
  group_by: [alertname]
  routes:
  - match: {team: db}
    receiver: dba
    continue: true
    routes:
    - match_re: {severity: critical|page}
      receiver: pager
  - matchers: ['severity=~"crit.*"', 'env!="dev"']
    receiver: oncall
receivers:
- name: ops
- name: dba
  webhook_configs: [{url: https://dba.example/}]
- name: pager
  email_configs: [{to: pager@example.com, from: a@example.com, smarthost: localhost:25}]
- name: oncall
  slack_configs: [{channel: '#oncall', api_url: https://hooks.slack.com/services/x}]
"""
ASKED = (
    {"team": "db"},
    {"team": "db", "severity": "page"},
    {"team": "db", "severity": "critical", "env": "prod"},
    {"severity": "critical", "env": "dev"},
    {"severity": "crit"},
    {"team": "web"},
)


def test_amtool_says_the_same_of_the_file_and_of_the_tenant_it_was_brought_into(
    stack: Stack, tmp_path: Path
):
    with FakeSlack() as fake:
        world = build(stack, fake, slug="moved")
    file = tmp_path / "alertmanager.yml"
    file.write_text(FILE)
    shown = stack.manage("importalertmanager", "moved", str(file), "--replace")
    assert "Nothing is changed yet" in shown
    done = stack.manage(
        "importalertmanager", "moved", str(file), "--replace", "--apply"
    )
    assert "create 6, change 1" in done
    for labels in ASKED:
        words = [f"{name}={value}" for name, value in labels.items()]
        expected = subprocess.run(
            [
                require_binary("amtool"),
                *("config", "routes", "test", f"--config.file={file}"),
                *words,
            ],
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        ).stdout
        assert amtool(world, stack, "config", "routes", "test", *words) == expected
    tree = amtool(world, stack, "config", "routes", "show")
    assert "continue: true  receiver: dba" in tree
    assert "<secret>" in amtool(world, stack, "config", "show")
    assert "disabled" in amtool(world, stack, "cluster", "show")


def test_silences_of_amtool_come_over_and_are_read_by_it(stack: Stack, tmp_path: Path):
    with FakeSlack() as fake:
        old = build(stack, fake, slug="before")
        new = build(stack, fake, slug="after")
    words = ("--comment=disk swap", "--author=dba", "--duration=2h")
    amtool(old, stack, "silence", "add", *words, "team=db", r'host=~"db-\d+"')
    written = amtool(old, stack, "silence", "query", "-o", "json")
    file = tmp_path / "silences.json"
    file.write_text(written)
    stack.manage("importsilences", "after", str(file), "--apply")
    again = stack.manage("importsilences", "after", str(file), "--apply")
    assert again.startswith("leave")
    (theirs,) = json.loads(written)
    (ours,) = json.loads(amtool(new, stack, "silence", "query", "-o", "json"))
    for name in ("comment", "createdBy", "endsAt", "matchers"):
        assert ours[name] == theirs[name]
