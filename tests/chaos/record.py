"""What was promised, seen and stored in a run? Plain facts for the checker.

Read from three places only: the ledger of the clients, the ledger of the vendor, and
the database; the ledger of the faults explains what a fault may explain. All times are
seconds since 1970 by PostgreSQL's clock, which is the host's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.chaos.cluster import Cluster
from tests.chaos.world import Policy, World


@dataclass(frozen=True)
class Event:
    """One answer to a sender. `status` 0: nobody knows what became of it."""

    slug: str
    name: str
    event: str  # firing or resolved
    sent: float
    answered: float
    status: int


@dataclass(frozen=True)
class Act:
    """One answer to a person. `done` None: nobody knows what became of it."""

    act: str
    group: str
    sent: float
    answered: float
    status: int
    done: bool | None

    @property
    def maybe(self) -> bool:
        """Whether it may have been done."""
        return bool(self.done) or self.status != 200


@dataclass(frozen=True)
class Arrival:
    """One request at the vendor's. `fate` ok, slow and reset: it was shown."""

    at: float
    slug: str
    place: str
    id: str
    kind: str
    said_slug: str
    name: str
    fate: str

    @property
    def shown(self) -> bool:
        return self.fate in ("ok", "slow", "reset")

    @property
    def doubtful(self) -> bool:
        """Whether the vendor's own doing leaves the sender in doubt."""
        return self.fate == "reset"


@dataclass(frozen=True)
class Fault:
    """One fault, from its begin to its end."""

    fault: str
    begun: float
    ended: float
    note: str = ""


@dataclass(frozen=True)
class Group:
    id: str
    slug: str
    name: str
    state: str
    opened: float


@dataclass(frozen=True)
class Run:
    """One run; its row was written at `created`. `steps` as the product froze them:
    (kind, who, wait)."""

    id: str
    group: str
    state: str
    created: float
    steps: tuple[tuple[str, str, int], ...]


@dataclass(frozen=True)
class Step:
    """One row of `due_step`."""

    run: str
    group: str
    position: int
    round: int
    due: float
    done: float | None
    state: str
    held: str = ""
    attempts: int = 0


@dataclass(frozen=True)
class Delivery:
    """One row of `delivery`; `order` numbers them by id, which orders a lane."""

    id: str
    slug: str
    idem: str
    lane: str
    kind: str
    group: str
    state: str
    order: int = 0
    merged_into: str = ""
    instead: bool = False
    attempts: int = 0
    next_at: float | None = None


@dataclass
class Record:
    """All facts of one run."""

    policies: Mapping[str, Policy] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    acts: list[Act] = field(default_factory=list)
    arrivals: list[Arrival] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    alerts: list[tuple[str, str]] = field(default_factory=list)  # slug, name
    groups: list[Group] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    # Acts that stand in the timeline: (kind, group).
    acted: list[tuple[str, str]] = field(default_factory=list)
    memory: dict[str, int] = field(default_factory=dict)
    errors: dict[str, int] = field(default_factory=dict)
    ended: float = 0.0


def epoch(column: str) -> str:
    return f"extract(epoch FROM {column})::float8"


GROUPS = f"""
SELECT g.id::text, t.slug, coalesce(g.labels ->> 'alertname', ''), g.state,
  {epoch("g.opened_at")}
FROM alert_group g JOIN tenant t ON t.id = g.tenant_id
"""
RUNS = (
    f"SELECT id::text, group_id::text, state, {epoch('created_at')}, snapshot FROM run"
)
STEPS = f"""
SELECT run_id::text, group_id::text, position, round, {epoch("due_at")},
  {epoch("done_at")}, state, held, attempts FROM due_step
"""
DELIVERIES = f"""
SELECT d.id::text, t.slug, d.idem, d.lane, d.kind, coalesce(d.group_id::text, ''),
  d.state, row_number() OVER (ORDER BY d.id), coalesce(d.merged_into::text, ''),
  d.instead_of IS NOT NULL, d.attempts, {epoch("d.next_at")}
FROM delivery d JOIN tenant t ON t.id = d.tenant_id
"""
ALERTS = """
SELECT t.slug, a.labels ->> 'alertname' FROM alert a JOIN tenant t ON t.id = a.tenant_id
"""
ACTED = """
SELECT kind, group_id::text FROM transition
WHERE group_id IS NOT NULL AND actor_kind <> 'engine'
"""


def collect(
    cluster: Cluster, world: World, *, memory: dict[str, int], errors: dict[str, int]
) -> Record:
    """Read everything, after the end of a run."""
    rows = cluster.patient_sql
    client = read_lines(cluster.base / "client.jsonl")
    return Record(
        policies={t.slug: t.policy for t in world.tenants},
        events=[
            Event(*(x[k] for k in Event.__dataclass_fields__))
            for x in client
            if x["what"] == "event"
        ],
        acts=[
            Act(*(x[k] for k in Act.__dataclass_fields__))
            for x in client
            if x["what"] == "act"
        ],
        arrivals=arrivals(read_lines(cluster.base / "vendor.jsonl")),
        faults=[
            Fault(**x)
            for x in read_lines(cluster.base / "nemesis.jsonl")
            if x["note"] != "not done"
        ],
        alerts=[(slug, name) for slug, name in rows(ALERTS)],
        groups=[Group(*row) for row in rows(GROUPS)],
        runs=[
            Run(pk, group, state, at, frozen(snapshot))
            for pk, group, state, at, snapshot in rows(RUNS)
        ],
        steps=[Step(*row) for row in rows(STEPS)],
        deliveries=[Delivery(*row) for row in rows(DELIVERIES)],
        acted=[(kind, group) for kind, group in rows(ACTED)],
        memory=memory,
        errors=errors,
        ended=float(rows(f"SELECT {epoch('now()')}")[0][0]),
    )


def frozen(snapshot: Mapping[str, Any]) -> tuple[tuple[str, str, int], ...]:
    return tuple((s["kind"], s["who"], s["wait"]) for s in snapshot["steps"])


def arrivals(lines: Iterable[Mapping[str, Any]]) -> list[Arrival]:
    """Return the vendor's requests; of Slack's, what a person would see."""
    names = [n for n in Arrival.__dataclass_fields__ if n != "at"]
    return [Arrival(x["wall"], *(x[n] for n in names)) for x in lines]


def read_lines(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines()]


# --- what the processes said ---

# While something is broken on purpose these are said: that a server or a vendor is
# away, by whoever asked it.
EXPECTED = re.compile(
    "Connection to broker lost|Cannot connect to redis|ForkPoolWorker|WorkerLostError"
    "|Unrecoverable error|Service Unavailable: |Database gave error"
    "|Couldn't apply scheduled task|Failed to send a request to Slack"
    "|Error on stopping Hub|Couldn't ack"
    "|raised unexpected: (OperationalError|InterfaceError)"
)
# Of libpq and redis-py, as the last line of an exception.
AWAY = re.compile(
    "before or while processing the request|accepting TCP/IP connections"
    "|Connection (reset|refused)|server closed the connection|connection already closed"
)
IDS = re.compile("[0-9a-f]{8}-[0-9a-f-]{27}")


def errors_in(logs: Mapping[str, Path]) -> dict[str, int]:
    """Count the lines of level error and above that no fault here explains."""
    found: dict[str, int] = {}
    for name, path in logs.items():
        if name in ("postgres", "redis"):
            continue
        for text in path.read_text(errors="replace").splitlines():
            if '"level": "error"' not in text and '"level": "critical"' not in text:
                continue
            try:
                line = json.loads(text)
            except ValueError:
                continue
            event = IDS.sub("...", str(line["event"]))
            last = str(line.get("exception", "")).strip().splitlines()[-1:]
            if EXPECTED.search(event) or any(AWAY.search(one) for one in last):
                continue
            said = f"{name}: {event[:100]} {' '.join(last)[:160]}"
            found[said] = found.get(said, 0) + 1
    return found
