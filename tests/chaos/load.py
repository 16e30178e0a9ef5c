"""What do senders and people do during a run, and what were they promised?

Threads post alerts through the API, each name until it is answered with 2xx, and
people acknowledge, un-acknowledge, resolve and escalate at random. The ledger has one
line for each answer, on disk before the next request; times are the host's, which
PostgreSQL's are compared with (`Clock`).
"""

from __future__ import annotations

import http.client
import json
import os
import queue
import random
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import psycopg2

from tests.chaos.cluster import Cluster
from tests.chaos.world import Tenant, World

SENDERS = 4
ACTORS = 2
PATIENCE = 20.0
# Each of those who act does so often for each new alert.
ACTS_EACH = 0.5
# Of the groups that are seen open so many are acted on, each time somebody looks.
ACTS = {"acknowledge": 45, "escalate": 25, "unacknowledge": 15, "resolve": 15}
OVER_BY_SOURCE = 0.1
# People look at what is younger than the policies take.
LOOK = """
SELECT tenant_id::text, id::text, state, version FROM alert_group
WHERE state IN ('firing', 'acknowledged') AND opened_at > now() - interval '60 seconds'
"""


class Ledger:
    """A file of JSON lines, each on disk when `note` returns."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a")
        self._lock = threading.Lock()

    def note(self, **facts: Any) -> None:
        with self._lock:
            self._file.write(json.dumps(facts) + "\n")
            self._file.flush()
            os.fsync(self._file.fileno())


class Load:
    """Senders and people, until `stop`. `rate`: new alerts a second."""

    def __init__(
        self, cluster: Cluster, world: World, *, seed: int, rate: float
    ) -> None:
        self.cluster, self.world, self.rate = cluster, world, rate
        self.chance = random.Random(seed)
        self.ledger = Ledger(cluster.base / "client.jsonl")
        self.waiting: queue.Queue[tuple[Tenant, str, str]] = queue.Queue()
        self.made = 0
        self.sent: list[tuple[Tenant, str]] = []
        self.paused = threading.Event()
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=work, daemon=True)
            for work in (self._make, *[self._send] * SENDERS, *[self._act] * ACTORS)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def no_more(self) -> None:
        """Make no new alerts and acts; what is begun is sent until it is taken."""
        self.paused.set()

    def stop(self) -> None:
        self.no_more()
        self._stopping.set()
        for thread in self._threads:
            thread.join(PATIENCE + 5)

    def _make(self) -> None:
        due = time.monotonic()
        while not self._stopping.is_set():
            due += self.chance.expovariate(self.rate)
            if self._stopping.wait(max(0.0, due - time.monotonic())):
                return
            if self.paused.is_set():
                due = time.monotonic()
                continue
            tenant = self.chance.choice(self.world.tenants)
            self.made += 1
            self.waiting.put((tenant, f"chaos-{tenant.slug}-{self.made}", "firing"))
            if self.chance.random() < OVER_BY_SOURCE and len(self.sent) > 20:
                tenant, name = self.sent[-self.chance.randint(5, 20)]
                self.waiting.put((tenant, name, "resolved"))

    def _send(self) -> None:
        while not self._stopping.is_set():
            try:
                tenant, name, status = self.waiting.get(timeout=0.2)
            except queue.Empty:
                continue
            body = {
                "labels": {"alertname": name},
                "severity": "critical",
                "status": status,
            }
            while not self._stopping.is_set():
                begun = time.time()
                code, _said = self._call(tenant, "/api/v1/events", body)
                self.ledger.note(
                    what="event",
                    slug=tenant.slug,
                    name=name,
                    event=status,
                    sent=begun,
                    answered=time.time(),
                    status=code,
                )
                if 200 <= code < 300:
                    if status == "firing":
                        self.sent.append((tenant, name))
                    break
                self._stopping.wait(0.3)

    def _act(self) -> None:
        chance = random.Random(self.chance.random())
        by_id = {tenant.id: tenant for tenant in self.world.tenants}
        while not self._stopping.wait(chance.expovariate(self.rate * ACTS_EACH)):
            if self.paused.is_set():
                continue
            try:
                seen = self.cluster.sql(LOOK)
            except psycopg2.Error:
                continue
            act = chance.choices(list(ACTS), list(ACTS.values()))[0]
            wanted = "acknowledged" if act == "unacknowledge" else "firing"
            rows = [row for row in seen if row[2] == wanted]
            if not rows:
                continue
            tenant_id, group, _state, version = chance.choice(rows)
            body: dict[str, Any] = {"act": act, "groups": [group]}
            if act == "escalate" and chance.random() < 0.5:
                body["versions"] = {group: version}
            self._do(by_id[tenant_id], body)
            if act == "escalate" and chance.random() < 0.3:
                self._do(by_id[tenant_id], body)  # a double click

    def _do(self, tenant: Tenant, body: dict[str, Any]) -> None:
        begun = time.time()
        code, said = self._call(tenant, "/api/v1/acts", body)
        result = said["results"][0] if code == 200 else {}
        self.ledger.note(
            what="act",
            slug=tenant.slug,
            act=body["act"],
            group=body["groups"][0],
            sent=begun,
            answered=time.time(),
            status=code,
            done=result.get("done"),
            reason=result.get("reason", ""),
        )

    def _call(self, tenant: Tenant, path: str, body: Any) -> tuple[int, Any]:
        request = urllib.request.Request(
            f"{self.cluster.url}/t/{tenant.slug}{path}",
            json.dumps(body).encode(),
            {
                "Authorization": f"Bearer {tenant.key}",
                "Content-Type": "application/json",
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return answer.status, json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            return error.code, None
        except (OSError, ValueError, http.client.HTTPException):
            return 0, None  # nobody knows what became of it
