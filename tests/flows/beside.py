"""One tree of routes for two: the real Alertmanager and a tenant of ours.

Both are told the same at the same moment; what they tell their webhooks, and what they
list, is compared.
"""

from __future__ import annotations

import json
import subprocess
import urllib.request
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from tests.flows.world import World
from tests.stack import free_port, until

INHIBIT = {
    "source_matchers": ['severity="critical"'],
    "target_matchers": ['severity=~"warning|info"'],
    "equal": ["cluster", "instance"],
}
CONDITIONS = [
    'team="db"', 'team="web"', 'team=~"d.*|w.*"', 'cluster="a"', 'cluster!="b"',
    'severity=~"critical|warning"', 'severity!~"info"', 'instance=~"i[12]"',
    'instance=""', 'alertname="Disk"',
]  # fmt: skip


@dataclass
class Node:
    """One route of the tree."""

    receiver: str
    matchers: list[str]
    group_by: list[str] | None = None
    goes_on: bool = False
    children: list[Node] = field(default_factory=list)

    def as_alertmanager(self) -> dict[str, Any]:
        found: dict[str, Any] = {"receiver": self.receiver}
        if self.matchers:
            found["matchers"] = self.matchers
        if self.group_by is not None:
            found["group_by"] = self.group_by
        if self.goes_on:
            found["continue"] = True
        if self.children:
            found["routes"] = [child.as_alertmanager() for child in self.children]
        return found

    def as_ours(self) -> dict[str, Any]:
        return {
            "receiver": self.receiver,
            "matchers": self.matchers,
            "group_by": self.group_by,
            "goes_on": self.goes_on,
            "children": [child.as_ours() for child in self.children],
        }

    def receivers(self) -> set[str]:
        return {self.receiver}.union(*(c.receivers() for c in self.children))


def random_tree(random: Random, depth: int = 0) -> Node:
    """Return a tree of up to three levels; the root groups by name and cluster.

    Not by no label at all: Alertmanager 0.25 takes `[]` for what is above, later ones
    for nothing.
    """
    number = random.randrange(4)
    root = depth == 0
    node = Node(
        f"r{number}",
        [] if root else random.sample(CONDITIONS, random.randint(1, 2)),
        ["alertname", "cluster"]
        if root
        else random.choice([None, None, ["alertname"], ["team", "severity"], ["..."]]),
        not root and random.random() < 0.4,
    )
    if depth < 2:
        several = random.randint(2, 4) if root else random.randint(0, 2)
        node.children = [random_tree(random, depth + 1) for _ in range(several)]
    return node


def alerts_of(random: Random, number: int) -> list[dict[str, str]]:
    """Return the labels of different alerts; some lack a label."""
    found: dict[str, dict[str, str]] = {}
    while len(found) < number:
        labels = {
            "alertname": random.choice(["Disk", "Load", "Down"]),
            "severity": random.choice(["critical", "warning", "info"]),
            "team": random.choice(["db", "web", "ops"]),
            "cluster": random.choice(["a", "b", ""]),
            "instance": random.choice(["i1", "i2", "i3", ""]),
        }
        labels = {name: value for name, value in labels.items() if value}
        found[json.dumps(labels, sort_keys=True)] = labels
    return list(found.values())


SETUP = """
import json
from alertcenter.alerts.models import InhibitRule, Route, RouteChannel
from notifications.models import Channel
from tenants.rls import in_tenant

given = json.loads({given!r})
with in_tenant(given["tenant"]):
    Route.objects.all().delete()
    channels = {{}}
    for name in given["receivers"]:
        channels[name] = Channel.objects.create(
            tenant_id=given["tenant"], kind="webhook", slug=name, name=name,
            settings={{"url": given["url"] + "/ours/" + name,
                       "send_quiet_ends": False}})
    count = 0
    def add(node, parent, first):
        global count
        count += 1
        route = Route.objects.create(
            tenant_id=given["tenant"], name="route %d" % count, position=count,
            is_default=first, parent=None if first or parent.is_default else parent,
            matchers=node["matchers"], group_by=node["group_by"],
            continue_matching=node["goes_on"], receiver=node["receiver"],
            **(given["timers"] if first else {{}}))
        RouteChannel.objects.create(
            tenant_id=given["tenant"], route=route, channel=channels[node["receiver"]])
        for child in node["children"]:
            add(child, route, False)
    add(given["tree"], None, True)
    InhibitRule.objects.create(
        tenant_id=given["tenant"], name="worse", **given["inhibit"])
"""


class Beside:
    """A running Alertmanager, and the world with the same routes."""

    def __init__(
        self, world: World, program: str, tree: Node, url: str, folder: Path
    ) -> None:
        self.world, self.tree, self.url = world, tree, url
        self.program, self.folder = program, folder
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *, wait: int, interval: int, repeat: int) -> None:
        """Configure both alike, and start Alertmanager."""
        route = self.tree.as_alertmanager() | {
            "group_wait": f"{wait}s",
            "group_interval": f"{interval}s",
            "repeat_interval": f"{repeat}s",
        }
        config = {
            "route": route,
            "inhibit_rules": [INHIBIT],
            "receivers": [
                {
                    "name": name,
                    "webhook_configs": [{"url": f"{self.url}/theirs/{name}"}],
                }
                for name in sorted(self.tree.receivers())
            ],
        }
        # JSON is YAML.
        (self.folder / "alertmanager.yml").write_text(json.dumps(config))
        given = {
            "tenant": self.world.tenant,
            "receivers": sorted(self.tree.receivers()),
            "url": self.url,
            "tree": self.tree.as_ours(),
            "inhibit": INHIBIT,
            "timers": {
                "group_wait_seconds": wait,
                "group_interval_seconds": interval,
                "repeat_interval_seconds": repeat,
            },
        }
        code = SETUP.format(given=json.dumps(given))
        self.world.stack.manage("shell", "-c", code)
        self.process = subprocess.Popen(
            [
                self.program,
                f"--config.file={self.folder}/alertmanager.yml",
                f"--storage.path={self.folder}/data",
                f"--web.listen-address=127.0.0.1:{self.port}",
                "--cluster.listen-address=",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until(self.is_up, 20)

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(20)

    @property
    def theirs(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ours(self) -> str:
        return f"{self.world.stack.url}/t/{self.world.slug}"

    def is_up(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.theirs}/-/ready", timeout=1) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def both(self, path: str, body: Any = None, method: str = "") -> list[Any]:
        """Ask both the same; return [theirs, ours]."""
        return [self.ask(base, path, body, method) for base in (self.theirs, self.ours)]

    def silence(self, matchers: list[tuple[str, str, str]], *, seconds: float) -> None:
        """Silence the same in both, from now on."""
        now = datetime.now(UTC)
        body = {
            "matchers": [
                {
                    "name": name,
                    "value": value,
                    "isRegex": operator.endswith("~"),
                    "isEqual": operator.startswith("="),
                }
                for name, value, operator in matchers
            ],
            "startsAt": now.isoformat(),
            "endsAt": (now + timedelta(seconds=seconds)).isoformat(),
            "createdBy": "test",
            "comment": "beside [confirm]",
        }
        self.both("/silences", body)

    def ask(self, base: str, path: str, body: Any = None, method: str = "") -> Any:
        request = urllib.request.Request(
            f"{base}/api/v2{path}",
            None if body is None else json.dumps(body).encode(),
            {
                "Authorization": f"Bearer {self.world.key}",
                "Content-Type": "application/json",
            },
            method=method or ("GET" if body is None else "POST"),
        )
        with urllib.request.urlopen(request, timeout=15) as answer:
            text = answer.read()
        return json.loads(text) if text.strip() else None
