"""What is answered 2xx is on disk, whatever dies, fills up or refuses to write."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import random
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg2
import pytest

from tests.fakes.slack import FakeSlack
from tests.flows.world import World, build
from tests.stack import Stack, until

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]

SENDERS = 4


@pytest.fixture
def fake_slack() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        yield fake


class Ledger:
    """What senders were promised: a line a name, on disk before the next is sent."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a")
        self._lock = threading.Lock()
        self.names: set[str] = set()
        self.statuses: set[int] = set()
        self.without_retry = 0

    def note(self, status: int, retry: str | None, names: list[str]) -> None:
        with self._lock:
            self.statuses.add(status)
            if status == 503 and not retry:
                self.without_retry += 1
            if status == 200:
                self._file.write("\n".join(names) + "\n")
                self._file.flush()
                os.fsync(self._file.fileno())
                self.names.update(names)


class Senders:
    """Threads that send new alerts, alone and in batches, until they are stopped."""

    def __init__(self, world: World, ledger: Ledger) -> None:
        self._world, self._ledger = world, ledger
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(number,), daemon=True)
            for number in range(SENDERS)
        ]

    def __enter__(self) -> Senders:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join(30)

    def _run(self, sender: int) -> None:
        turn = 0
        while not self._stopping.is_set():
            place = urlsplit(self._world.stack.url)
            line = http.client.HTTPConnection(str(place.hostname), place.port, 20)
            with contextlib.suppress(OSError, http.client.HTTPException):
                while not self._stopping.is_set():
                    turn += 1
                    size = 20 if turn % 3 == 0 else 1
                    self._send(line, [f"{sender}-{turn}-{n}" for n in range(size)])
            line.close()
            time.sleep(0.05)

    def _send(self, line: http.client.HTTPConnection, names: list[str]) -> None:
        path = f"/t/{self._world.slug}/api/v2/alerts"
        body = json.dumps([{"labels": {"alertname": name}} for name in names])
        headers = {
            "Authorization": f"Bearer {self._world.key}",
            "Content-Type": "application/json",
        }
        line.request("POST", path, body, headers)
        answer = line.getresponse()
        answer.read()
        self._ledger.note(answer.status, answer.headers.get("Retry-After"), names)
        if answer.status != 200:
            time.sleep(0.1)


def lost(world: World, ledger: Ledger) -> set[str]:
    rows = world.rows("SELECT labels->>'alertname' FROM alert WHERE tenant_id = {t}")
    return ledger.names - {name for (name,) in rows}


@pytest.mark.soak
def test_thirty_deaths_under_load_lose_nothing(fake_slack, tmp_path):
    die_often(fake_slack, tmp_path, 30)


def test_a_few_deaths_under_load_lose_nothing(fake_slack, tmp_path):
    die_often(fake_slack, tmp_path, 6)


def die_often(fake_slack: FakeSlack, folder: Path, times: int) -> None:
    """Kill web and PostgreSQL in turns while alerts come in."""
    seed = random.randrange(1 << 30)
    print(f"seed {seed}")  # for whoever has to see it again
    chance = random.Random(seed)
    stack = Stack()
    ledger = Ledger(folder / "ledger")
    try:
        stack.start()
        world = build(stack, fake_slack, "deaths")
        with Senders(world, ledger):
            for number in range(times):
                before = len(ledger.names)
                until(lambda: len(ledger.names) > before + 50, 40)  # noqa: B023
                time.sleep(chance.uniform(0, 0.5))
                stack.kill(("web", "postgres")[number % 2])
            before = len(ledger.names)
            until(lambda: len(ledger.names) > before + 50, 40)
        # Backends outlive a killed postmaster by a moment, in which they still commit.
        until(lambda: answers(stack), 30)
        assert lost(world, ledger) == set()
        assert ledger.statuses <= {200, 503}, ledger.statuses
        assert ledger.without_retry == 0
        print(f"{times} kills, {len(ledger.names)} promised, 0 lost")
        stack.stop()
    finally:
        stack.remove()


def test_postgres_is_used_again_within_seconds_of_its_return(fake_slack):
    stack = Stack()
    try:
        stack.start()
        world = build(stack, fake_slack, "return")
        assert world.fire("before") == 200
        os.kill(stack.kill("postgres", signal.SIGSTOP), signal.SIGCONT)
        stack.kill("postgres")
        until(lambda: world.fire("during") in (200, 503), 20)
        until(lambda: answers(stack), 30)
        back = time.monotonic()
        until(lambda: world.fire("after") == 200, 10)
        assert time.monotonic() - back < 5
        stack.stop()
    finally:
        stack.remove()


def answers(stack: Stack) -> bool:
    try:
        return stack.sql("SELECT 1") == [(1,)]
    except psycopg2.Error:
        return False


def test_a_database_that_only_reads_is_503_and_nothing_is_answered_from_memory(
    fake_slack,
):
    stack = Stack()
    try:
        stack.start()
        world = build(stack, fake_slack, "readonly")
        path = "/api/v2/alerts"
        alert = [{"labels": {"alertname": "Known"}, "endsAt": "2099-01-01T00:00:00Z"}]
        assert world.post(path, alert) == 200
        stack.sql("ALTER SYSTEM SET default_transaction_read_only = on")
        stack.sql("SELECT pg_reload_conf()")
        until(lambda: world.fire("new") == 503, 10)
        # What was confirmed a moment ago may be answered for a second at most.
        until(lambda: world.post(path, alert) == 503, 5)
        for _ in range(5):
            assert world.post(path, alert) == 503
        refuse_to_be_read_only(stack)
        back = time.monotonic()
        until(lambda: world.fire("new") == 200, 10)
        assert time.monotonic() - back < 5
        stack.stop()
    finally:
        stack.remove()


def refuse_to_be_read_only(stack: Stack) -> None:
    """Undo it; the statement itself must be let through first."""
    stack.sql("BEGIN READ WRITE; COMMIT")
    stack.sql("ALTER SYSTEM RESET default_transaction_read_only")
    stack.sql("SELECT pg_reload_conf()")


@contextlib.contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    """A file system of its own; skips where this user may not make one."""
    folder = Path(tempfile.mkdtemp(prefix="ac-disk-"))
    folder.chmod(0o755)  # PostgreSQL runs as a user of its own
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(command, capture_output=True).returncode:
        folder.rmdir()
        pytest.skip("a small file system needs root and mount")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
        folder.rmdir()


def test_a_full_disk_is_503_and_is_got_over_without_a_hand(fake_slack, tmp_path):
    ledger = Ledger(tmp_path / "ledger")
    with small_disk(320) as disk:
        home = disk / "home"
        home.mkdir(mode=0o700)
        stack = Stack(home=home)
        try:
            stack.start()
            world = build(stack, fake_slack, "full")
            with Senders(world, ledger):
                until(lambda: len(ledger.names) > 50, 30)
                fill(disk / "ballast")
                until(lambda: 503 in ledger.statuses, 60)
                (disk / "ballast").unlink()
                before = len(ledger.names)
                until(lambda: len(ledger.names) > before + 50, 120)
            assert lost(world, ledger) == set()
            assert ledger.statuses <= {200, 503}, ledger.statuses
            stack.stop()
        finally:
            stack.remove()


def fill(path: Path) -> None:
    """Take what room there is."""
    with path.open("wb") as file, contextlib.suppress(OSError):
        block: Any = bytes(1 << 20)
        while True:
            file.write(block)
            file.flush()
