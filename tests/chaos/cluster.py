"""How does a run reach its processes: start, signals, SQL, proxies, the end?"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg2

from alertcenter.settings.env import DATABASE_NAME, ROOT
from alertcenter.settings.home import load_secrets, run_directory
from tests.servers import private_environment
from tests.stack import command_line, descendants, free_port

STOP_SECONDS = 90.0


class Cluster:
    """One installation behind proxies, in a folder of its own. A context manager."""

    def __init__(self, seed: int, *, dispatchers: int = 2, workers: int = 2) -> None:
        self.base = Path(tempfile.mkdtemp(prefix="ac-chaos-"))
        self.base.chmod(0o755)  # the servers may run as a user of their own
        self.home = self.base / "app"
        self.servers = run_directory(self.base / "servers")
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.failpoint = self.base / "failpoint"
        environment = private_environment(self.home) | {
            "PORT": str(self.port),
            "ALERTCENTER_DB_ROLE": "",
            "ALERTCENTER_FAILPOINT": str(self.failpoint),
            "ALERTCENTER_OUTBOUND_ALLOW": "127.0.0.0/8",
            "ALERTCENTER_SIMULATION": "0",
        }
        self._config = {
            "base": str(self.base),
            "seed": seed,
            "environment": environment,
            "arguments": [f"--dispatchers={dispatchers}", f"--workers={workers}"],
        }
        self.keeper: subprocess.Popen[str] | None = None
        self.everybody: set[int] = set()

    def __enter__(self) -> Cluster:
        self.keeper = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.keeper", json.dumps(self._config)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=(self.base / "keeper.log").open("a"),
            start_new_session=True,  # Ctrl-C reaches this run, which ends it in order
            text=True,
            cwd=ROOT,
        )
        assert self.keeper.stdout is not None
        try:
            line = self.keeper.stdout.readline()
            if not line:
                raise RuntimeError((self.base / "keeper.log").read_text()[-3000:])
        except BaseException:
            self.__exit__()
            raise
        told = json.loads(line)
        self.ports: dict[str, int] = told["ports"]
        self.environment: dict[str, str] = told["environment"]
        return self

    def __exit__(self, *_: object) -> None:
        """End everything; what does not end by itself is killed, by its pid."""
        assert self.keeper is not None
        self.note_processes()
        assert self.keeper.stdin is not None
        with contextlib.suppress(OSError):
            self.keeper.stdin.close()
        try:
            self.keeper.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.keeper.kill()
        for pid in self.everybody:
            if str(self.base) in environment_text(pid) or str(self.base) in (
                command_line(pid)
            ):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def remove(self) -> None:
        shutil.rmtree(self.base, ignore_errors=True)
        shutil.rmtree(self.servers, ignore_errors=True)
        shutil.rmtree(run_directory(self.home), ignore_errors=True)

    # --- processes ---

    def note_processes(self) -> None:
        assert self.keeper is not None
        self.everybody |= {self.keeper.pid, *descendants(self.keeper.pid)}

    def pid_of(self, name: str) -> int:
        """Return the pid of web, dispatcher-2, worker, beat, postgres, redis or of a
        further process."""
        for folder in (run_directory(self.home), self.servers):
            path = folder / f"{name}.pid"
            if path.exists():
                return int(path.read_text())
        raise ProcessLookupError(name)

    def order(self, **what: str) -> None:
        """Tell the keeper to start or to end a further process."""
        assert self.keeper is not None
        assert self.keeper.stdin is not None
        self.keeper.stdin.write(json.dumps(what) + "\n")
        self.keeper.stdin.flush()

    def memory(self) -> dict[str, int]:
        """Return the resident megabytes of each named process, pools added up."""
        found = {}
        for name in ("web", "dispatcher", "dispatcher-2", "worker", "worker-2", "beat"):
            with contextlib.suppress(OSError, ValueError):
                pid = self.pid_of(name)
                found[name] = max(resident(p) for p in (pid, *descendants(pid)))
        return found

    def manage(self, *arguments: str) -> str:
        """Run a `manage.py` command; return its output."""
        result = subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), *arguments],
            env=self.environment,
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert result.returncode == 0, result.stderr
        return result.stdout

    # --- the database, past the proxy ---

    def connect(self) -> Any:
        """Return a connection as superuser. Raises psycopg2.Error."""
        connection = psycopg2.connect(
            host=str(self.servers),
            port=5432,
            user="postgres",
            password=load_secrets(self.base / "servers")["db_superuser"],
            dbname=DATABASE_NAME,
            connect_timeout=3,
            options="-c statement_timeout=20s",
        )
        connection.autocommit = True
        return connection

    def sql(self, query: str, values: Any = None) -> list[tuple[Any, ...]]:
        """Run one statement as superuser. Raises psycopg2.Error."""
        connection = self.connect()
        with contextlib.closing(connection), connection.cursor() as cursor:
            cursor.execute(query, values)
            return cursor.fetchall() if cursor.description else []

    def patient_sql(self, query: str, values: Any = None) -> list[tuple[Any, ...]]:
        """As `sql`, again until the server answers, a minute at most."""
        deadline = time.monotonic() + 60
        while True:
            try:
                return self.sql(query, values)
            except psycopg2.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.3)

    # --- what lies outside ---

    def tell(self, **order: Any) -> None:
        """Set the mode of a proxy or of the vendor."""
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(10)
            line.connect(str(self.servers / "control"))
            line.sendall(json.dumps(order).encode() + b"\n")
            assert line.recv(10) == b"ok\n"

    @property
    def vendor(self) -> str:
        return f"http://127.0.0.1:{self.ports['vendor']}"

    def logs(self) -> dict[str, Path]:
        return {path.stem: path for path in (self.home / "log").glob("*.log")}


def resident(pid: int) -> int:
    """Return a process's resident megabytes, 0 when it is gone."""
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) // 1024
    except OSError:
        pass
    return 0


def environment_text(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace")
    except OSError:
        return ""
