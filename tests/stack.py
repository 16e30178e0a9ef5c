"""How does a test run a whole installation, hurt it, and look inside?"""

from __future__ import annotations

import contextlib
import json
import os
import re
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psycopg2

from alertcenter.settings.env import DATABASE_NAME, ROOT
from alertcenter.settings.home import run_directory
from alertcenter.supervisor.account import Account
from tests import prepared
from tests.servers import private_environment

MANAGE = ROOT / "manage.py"
START_SECONDS = 90.0
STOP_SECONDS = 60.0
READY = re.compile(r"ready: (\S+)(?:.* password (\S+))?")


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def until(
    condition: Callable[[], Any], seconds: float = 20.0, pause: float = 0.05
) -> Any:
    """Return `condition()` as soon as it is true; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {condition}"
        time.sleep(pause)
    return value


class Stack:
    """One `manage.py up` with a home and a port of its own."""

    def __init__(
        self,
        *,
        demo: bool = False,
        arguments: Sequence[str] = (),
        home: Path | None = None,
        python: Sequence[str] = (sys.executable,),
        account: Account | None = None,
        fresh: bool = False,
        **environment: str,
    ) -> None:
        """With `fresh` the first start makes and migrates its own database."""
        self.prepared = home is None and account is None and not fresh
        self.home = home or Path(tempfile.mkdtemp(prefix="ac-stack-"))
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.arguments = [*([] if demo else ["--no-demo"]), *arguments]
        self.python = list(python)
        self.account = account
        self.environment = dict(os.environ) | private_environment(self.home)
        self.environment |= {"PORT": str(self.port), "ALERTCENTER_DB_ROLE": ""}
        self.environment |= environment
        self.process: subprocess.Popen[str] | None = None
        self.ready_line = ""
        self.password = ""
        if account is not None:
            account.owns(self.home)

    # --- start and stop ---

    def start(self, timeout: float = START_SECONDS) -> float:
        """Start, wait for the ready line, return the seconds it took."""
        if self.prepared:
            prepared.copy_to(self.home)
            self.prepared = False
        begun = time.monotonic()
        self.process = subprocess.Popen(
            [*self.python, str(MANAGE), "up", *self.arguments],
            **self._popen_arguments(),
            stdout=subprocess.PIPE,
            stderr=self._errors.open("a"),
        )
        self.ready_line = self._first_line(begun + timeout)
        found = READY.search(self.ready_line)
        assert found, f"no ready line: {self.ready_line!r} {self.errors()}"
        self.password = found.group(2) or ""
        return time.monotonic() - begun

    def fail(self, timeout: float = START_SECONDS) -> tuple[int, str]:
        """Start where a start must fail; return exit code and what it said."""
        result = subprocess.run(
            [*self.python, str(MANAGE), "up", *self.arguments],
            **self._popen_arguments(),
            capture_output=True,
            timeout=timeout,
            check=False,
        )
        assert not result.stdout
        return result.returncode, result.stderr

    def stop(self) -> int:
        """Stop by SIGTERM; assert that nothing is left; return the exit code."""
        assert self.process is not None
        everybody = descendants(self.process.pid)
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(STOP_SECONDS)
        rest = [line for pid in everybody if (line := command_line(pid))]
        rest += self.processes()
        self.process = None
        assert not rest, f"left behind: {rest}"
        return code

    def remove(self) -> None:
        """Stop if it runs, and delete the home."""
        if self.process is not None and self.process.poll() is None:
            self.stop()
        shutil.rmtree(self.home, ignore_errors=True)
        self._errors.unlink(missing_ok=True)

    def _popen_arguments(self) -> dict[str, Any]:
        user = self.account.popen_arguments() if self.account else {}
        return user | {"env": self.environment, "cwd": "/", "text": True}

    def _first_line(self, deadline: float) -> str:
        assert self.process is not None
        assert self.process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            if not selector.select(max(0.0, deadline - time.monotonic())):
                self.process.send_signal(signal.SIGTERM)
        return self.process.stdout.readline()

    @property
    def _errors(self) -> Path:
        return self.home.with_name(self.home.name + ".stderr")

    def errors(self) -> str:
        """Return what the supervisor wrote to standard error."""
        return self._errors.read_text()

    # --- hurt it ---

    def pid_of(self, name: str) -> int:
        """Return the pid of web, dispatcher, worker, beat, postgres or redis."""
        return int((run_directory(self.home) / f"{name}.pid").read_text())

    def kill(self, name: str, number: int = signal.SIGKILL) -> int:
        """Send a signal to one process; return its pid."""
        pid = self.pid_of(name)
        os.kill(pid, number)
        return pid

    # --- look inside ---

    def log(self, name: str) -> str:
        """Return the log of one process."""
        path = self.home / "log" / f"{name}.log"
        return path.read_text() if path.exists() else ""

    def manage(self, *arguments: str) -> str:
        """Run a `manage.py` command from a second shell; return its output."""
        result = subprocess.run(
            [*self.python, str(MANAGE), *arguments],
            **self._popen_arguments(),
            capture_output=True,
            check=False,
        )
        assert result.returncode == 0, result.stderr
        output: str = result.stdout
        return output

    def run(self, name: str, role: str = "engine") -> subprocess.Popen[bytes]:
        """Start one more process of a kind: dispatch, worker or beat."""
        more = {"ALERTCENTER_DB_ROLE": role, "AC_PROCESS": f"{name}-more"}
        more["PROMETHEUS_MULTIPROC_DIR"] = str(self.home / "metrics")
        with (self.home / "log" / f"{name}-more.log").open("ab") as log:
            return subprocess.Popen(
                [*self.python, str(MANAGE), name],
                env=self.environment | more,
                stdout=log,
                stderr=log,
            )

    def sql(
        self, query: str, parameters: Any = None, *, role: str = "superuser"
    ) -> list[tuple[Any, ...]]:
        """Run one statement as superuser (all rows), owner, app or engine."""
        secrets = json.loads((self.home / "secrets.json").read_text())
        connection = psycopg2.connect(
            host=str(run_directory(self.home)),
            port=5432,
            dbname=DATABASE_NAME,
            user="postgres" if role == "superuser" else f"ac_{role}",
            password=secrets[f"db_{role}"],
        )
        connection.autocommit = True
        with contextlib.closing(connection), connection.cursor() as cursor:
            cursor.execute(query, parameters)
            return cursor.fetchall() if cursor.description else []

    def processes(self) -> list[str]:
        """Return the command lines of all processes that belong to this home."""
        mark = f"ALERTCENTER_HOME={self.home}\0".encode()
        return [
            line
            for pid in all_pids()
            if (line := command_line(pid))
            and pid != os.getpid()
            and (str(self.home) in line or mark in environment_of(pid))
        ]


# --- processes of the machine (Linux) ---


def all_pids() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def command_line(pid: int) -> str:
    """Return the command line, "" for a process that has ended (zombie or gone)."""
    return _read(pid, "cmdline").replace(b"\0", b" ").decode(errors="replace").strip()


def environment_of(pid: int) -> bytes:
    return _read(pid, "environ") + b"\0"


def descendants(pid: int) -> list[int]:
    """Return all processes below `pid`."""
    parents = {child: _parent(child) for child in all_pids()}
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found[1:]


def _parent(pid: int) -> int:
    fields = _read(pid, "stat").rpartition(b") ")[2].split()
    return int(fields[1]) if len(fields) > 1 else 0


def _read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""
