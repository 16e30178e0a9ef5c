"""What goes wrong during a run, when, and for how long? Seeded, and written down.

One fault at a time, with a pause after each, so that what follows can be told apart;
now and then two at once. Each fault is a line with its begin and end.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import psycopg2
import redis

from tests.chaos.cluster import Cluster
from tests.chaos.load import Ledger
from tests.stack import descendants

# At each a process dies when it passes; alertcenter/common/failpoints.py.
POINTS = (
    "flow.after_take",
    "flow.before_commit",
    "escalate.after_claim",
    "escalate.after_insert_outbox",
    "escalate.after_commit",
    "claim.after_lock",
    "claim.after_commit",
    "send.before_http",
    "send.after_http_before_commit",
    "send.after_commit",
    "ingest.before_commit",
    "ingest.after_commit",
    "act.before_commit",
    "act.after_commit",
)
ENGINES = ("dispatcher", "dispatcher-2")
WORKERS = ("worker", "worker-2")
BACKEND = """
SELECT pid FROM pg_stat_activity
WHERE application_name LIKE 'alertcenter%' ORDER BY random() LIMIT 1
"""
# Fault, and how often among the others.
SHARES = {
    "kill dispatcher": 10,
    "kill worker": 8,
    "kill pool process": 6,
    "kill web": 6,
    "kill beat": 2,
    "kill redis": 4,
    "kill postgres backend": 4,
    "kill postmaster": 4,
    "failpoint": 28,
    "stop dispatcher": 6,
    "stop worker": 5,
    "stop web": 3,
    "stop redis": 3,
    "stop beat": 2,
    "postgres blackhole": 5,
    "postgres reset": 5,
    "postgres latency": 3,
    "redis blackhole": 4,
    "redis reset": 3,
    "redis latency": 2,
    "flushall": 4,
    "vendor 500": 3,
    "vendor 429": 2,
    "two beats": 2,
    "third dispatcher": 2,
}


@dataclass(frozen=True)
class Pace:
    """How long faults last, and the pauses between, in seconds."""

    pause: tuple[float, float] = (1.0, 4.0)
    stop: tuple[float, float] = (5.0, 40.0)
    cut: tuple[float, float] = (3.0, 15.0)
    vendor: tuple[float, float] = (3.0, 8.0)
    together: float = 0.12


SHORT = Pace((1.0, 3.0), (5.0, 10.0), (2.0, 6.0), (2.0, 5.0))


class Nemesis:
    """Faults from `start` to `stop`, in a thread of its own."""

    def __init__(self, cluster: Cluster, *, seed: int, pace: Pace) -> None:
        self.cluster, self.pace = cluster, pace
        self.chance = random.Random(seed)
        self.ledger = Ledger(cluster.base / "nemesis.jsonl")
        self.count = 0
        self._bag: list[str] = []
        self._points: list[str] = []
        self._extra = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self.cluster.tell(to="vendor", mode="mixed")
        self._thread.start()

    def stop(self) -> None:
        """Let the fault that goes on end, and heal everything."""
        self.heal()
        self.cluster.failpoint.unlink(missing_ok=True)
        self.cluster.tell(to="vendor", mode="well")
        for proxy in ("postgres", "redis"):
            self.cluster.tell(to=proxy, mode="pass")

    def heal(self) -> None:
        """End the fault that goes on, and begin no other."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(30)

    def _run(self) -> None:
        while not self._stopping.wait(self.chance.uniform(*self.pace.pause)):
            if self.chance.random() < self.pace.together:
                second = threading.Thread(target=self.inflict, args=(self._next(),))
                second.start()
                self.inflict(self._next())
                second.join()
            else:
                self.inflict(self._next())

    def _next(self) -> str:
        """Draw without putting back, so that rare faults come, too."""
        if not self._bag:
            self._bag = [name for name, n in SHARES.items() for _ in range(n)]
            self.chance.shuffle(self._bag)
        return self._bag.pop()

    def inflict(self, name: str) -> None:
        """Do one fault from its begin to its end, and write it down."""
        what, _, whom = name.partition(" ")
        do: Callable[[str], str] = {
            "kill": self._kill,
            "stop": self._stop,
            "postgres": lambda how: self._proxy("postgres", how),
            "redis": lambda how: self._proxy("redis", how),
            "vendor": self._vendor,
            "failpoint": self._failpoint,
            "flushall": self._flush,
            "two": lambda _: self._another("beat"),
            "third": lambda _: self._another("dispatch"),
        }[what]
        begun, note = time.time(), "not done"
        with contextlib.suppress(OSError, psycopg2.Error, redis.RedisError):
            note = do(whom)
        self.count += note != "not done"
        self.ledger.note(fault=name, begun=begun, ended=time.time(), note=note)

    def _pause(self, bounds: tuple[float, float]) -> None:
        """Wait: mostly rather short, sometimes as long as may be."""
        low, high = bounds
        self._stopping.wait(self.chance.triangular(low, high, low))

    # --- the faults ---

    def _kill(self, whom: str) -> str:
        if whom == "postgres backend":
            ((pid,),) = self.cluster.sql(BACKEND)
        elif whom == "pool process":
            pool = descendants(self.cluster.pid_of(self.chance.choice(WORKERS)))
            pid = self.chance.choice(pool)
        else:
            pid = self.cluster.pid_of(self._one_of(whom))
        os.kill(pid, signal.SIGKILL)
        return f"pid {pid}"

    def _one_of(self, whom: str) -> str:
        known = {"dispatcher": ENGINES, "worker": WORKERS, "postmaster": ("postgres",)}
        return self.chance.choice(known.get(whom, (whom,)))

    def _stop(self, whom: str) -> str:
        name = self._one_of(whom)
        group = os.getpgid(self.cluster.pid_of(name))
        os.killpg(group, signal.SIGSTOP)
        try:
            self._pause(self.pace.stop)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(group, signal.SIGCONT)
        return name

    def _proxy(self, which: str, how: str) -> str:
        value = self.chance.uniform(0.1, 0.5) if how == "latency" else 0.0
        # What was held back arrives late, or is lost with its connection.
        cut = how == "blackhole" and self.chance.random() < 0.5
        self.cluster.tell(to=which, mode=how, value=value)
        try:
            self._pause(self.pace.cut)
        finally:
            self.cluster.tell(to=which, mode="pass", cut=cut)
        return f"{value:.2f} s" if value else "cut at the end" if cut else "whole"

    def _vendor(self, how: str) -> str:
        self.cluster.tell(to="vendor", mode=how)
        try:
            self._pause(self.pace.vendor)
        finally:
            self.cluster.tell(to="vendor", mode="mixed")
        return how

    def _failpoint(self, _: str) -> str:
        """Ask the next process that passes a point to die there."""
        if not self._points:
            self._points = list(POINTS)
            self.chance.shuffle(self._points)
        point, order = self._points.pop(), self.cluster.failpoint
        order.write_text(point)
        deadline = time.monotonic() + 15
        while order.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        if order.exists():
            order.unlink(missing_ok=True)
            return "not done"
        return point

    def _flush(self, _: str) -> str:
        client = redis.Redis(unix_socket_path=str(self.cluster.servers / "redis.sock"))
        with contextlib.closing(client):
            client.flushall()
        return "all"

    def _another(self, command: str) -> str:
        self._extra += 1
        name = f"extra-{command}-{self._extra}"
        self.cluster.order(start=command, **{"as": name})
        try:
            self._pause((12.0, 25.0))
        finally:
            self.cluster.order(end=name)
        return name
