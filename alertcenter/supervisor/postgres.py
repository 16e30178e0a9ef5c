"""How does the embedded PostgreSQL come to life, answer and stop?"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

import psycopg2

from alertcenter.supervisor.children import Child, Spec, describe
from alertcenter.supervisor.errors import StartError
from alertcenter.supervisor.leftovers import belongs_to, command_line, wait_gone
from alertcenter.supervisor.place import Place

MAJOR = 18
SUPERUSER = "postgres"
PORT = "5432"
START_SECONDS = 60.0
STOP_SECONDS = 30.0
MIB = 1024 * 1024
NO_PID = 999_999_999

# Refused for a moment while it replays its log: alive, so not to be restarted.
BUSY_WORDS = ("starting up", "recovery", "shutting down", "too many clients")


class Answer(Enum):
    """What a real query to the server said."""

    READY = "ready"
    BUSY = "busy"
    REFUSED = "refused"  # alive, but our password is wrong
    DEAD = "dead"


@dataclass
class Postgres:
    """The embedded server of one installation."""

    place: Place
    password: str
    settings: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.child = Child(self._spec())

    @property
    def parameters(self) -> dict[str, Any]:
        """psycopg2's parameters for the superuser."""
        return {
            "host": str(self.place.run),
            "port": PORT,
            "user": SUPERUSER,
            "password": self.password,
            "dbname": "postgres",
            "connect_timeout": 3,
        }

    def prepare(self) -> None:
        """Make the data directory if there is none, and clear what a crash left."""
        check_data(self.place.data)
        if not self.place.data.exists():
            self._initialise()
        self._clear_stale_pid()

    def start(self, pause: Callable[[float], object] = time.sleep) -> None:
        """Start and wait until a query is answered. Raises StartError."""
        self.prepare()
        self.child.start()
        deadline = time.monotonic() + START_SECONDS
        while (answer := self.probe()) is not Answer.READY:
            if answer is Answer.REFUSED:
                raise StartError(self._why_refused())
            if not self.child.running():
                raise StartError(self._why_it_ended())
            if time.monotonic() > deadline:
                raise StartError(f"PostgreSQL gave no answer; see {self._log}.")
            pause(0.05)

    def stop(self) -> None:
        self.child.ask_to_stop()
        self.child.wait_stopped(time.monotonic() + STOP_SECONDS)

    def probe(self) -> Answer:
        """Ask `SELECT 1`."""
        try:
            connection = psycopg2.connect(**self.parameters)
            with contextlib.closing(connection), connection.cursor() as cursor:
                cursor.execute("SELECT 1")
            return Answer.READY
        except psycopg2.Error as error:
            return judge(str(error))

    # --- the process ---

    @property
    def _log(self) -> Path:
        return self.place.logs / "postgres.log"

    def _spec(self) -> Spec:
        program = str(self.place.postgres_programs / "postgres")
        command = [program, "-D", str(self.place.data)]
        for name, value in (self._defaults() | dict(self.settings)).items():
            command += ["-c", f"{name}={value}"]
        return Spec(
            name="postgres",
            command=command,
            environment=clean_environment(),
            log=self._log,
            directory=Path("/"),
            pid_file=self.place.run / "postgres.pid",
            account=self.place.account,
            stop_signal=signal.SIGINT,  # fast shutdown: does not wait for clients
            grace=STOP_SECONDS,
        )

    def _defaults(self) -> dict[str, str]:
        return {
            "listen_addresses": "",
            "port": PORT,
            "unix_socket_directories": str(self.place.sockets),
            "unix_socket_permissions": "0700",
            "shared_buffers": f"{shared_buffers() // MIB}MB",
            "max_connections": "200",
            "jit": "off",
            "max_wal_size": "4GB",
            # Segments are reused: making one writes 16 MB of zeros first.
            "min_wal_size": "512MB",
            "checkpoint_timeout": "15min",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_checkpoints": "off",
        }

    def _why_refused(self) -> str:
        return (
            f"{self.place.home / 'secrets.json'} does not fit the data in "
            f"{self.place.data}: restore the two from the same backup."
        )

    def _why_it_ended(self) -> str:
        process = self.child.process
        code = describe(process.returncode) if process else "not started"
        lines = self._log.read_text(errors="replace").splitlines()
        reasons = [line for line in lines[-20:] if "FATAL" in line or "PANIC" in line]
        reason = (
            reasons[-1].split(": ", 1)[-1].strip() if reasons else f"see {self._log}"
        )
        return f"PostgreSQL did not start ({code}): {reason}."

    # --- the data directory ---

    def _initialise(self) -> None:
        """Run initdb beside the final place: a half-made one never gets its name."""
        partial = self.place.base / "postgres.partial"
        shutil.rmtree(partial, ignore_errors=True)
        password_file = self._password_file()
        command = [
            str(self.place.postgres_programs / "initdb"),
            f"--pgdata={partial}",
            f"--username={SUPERUSER}",
            "--auth=scram-sha-256",
            f"--pwfile={password_file}",
            "--encoding=UTF8",
            # The built-in provider sorts the same on every machine.
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C",
        ]
        account = self.place.account
        try:
            result = subprocess.run(  # noqa: S603 - the command is ours
                command,
                cwd="/",
                env=clean_environment(),
                capture_output=True,
                text=True,
                check=False,
                start_new_session=True,  # Ctrl-C stops us, not initdb half-way
                **(account.popen_arguments() if account else {}),
            )
        finally:
            password_file.unlink()
        if result.returncode:
            reason = (result.stderr.strip().splitlines() or ["no message"])[-1]
            raise StartError(f"The database could not be created: {reason}")
        partial.rename(self.place.data)

    def _password_file(self) -> Path:
        path = self.place.base / ".initdb-password"
        path.unlink(missing_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(self.password)
        if self.place.account:
            self.place.account.owns(path)
        return path

    def _clear_stale_pid(self) -> None:
        """Make pid files harmless whose pid now belongs to another process.

        PostgreSQL clears stale files itself, except when the old pid was given
        to some other process, as happens after a container restart. The pid is
        replaced and the file kept: from its other lines PostgreSQL learns
        whether an old backend still holds the shared memory. A server that is
        still ending (its supervisor was killed) is waited for.
        """
        lock = self.place.sockets / f".s.PGSQL.{PORT}.lock"
        for path in (self.place.data / "postmaster.pid", lock):
            pid = read_pid(path)
            if belongs_to(pid, str(self.place.data)):
                wait_gone(pid, signal.SIGINT, STOP_SECONDS)
            elif command_line(pid):
                forget_pid(path)
            elif path.exists() and not pid:
                path.unlink()  # empty: the machine stopped while it was written


def judge(message: str) -> Answer:
    """Read from a failed connection whether the server lives."""
    if "authentication failed" in message:
        return Answer.REFUSED
    busy = any(word in message for word in BUSY_WORDS)
    return Answer.BUSY if busy else Answer.DEAD


def check_data(data: Path) -> None:
    """Refuse a data directory that PostgreSQL 18 cannot use. Raises StartError."""
    if not data.exists():
        return
    if not any(data.iterdir()):
        data.rmdir()
        return
    version = data / "PG_VERSION"
    if not version.is_file() or not (data / "global" / "pg_control").is_file():
        raise StartError(
            f"The database directory {data} is incomplete: restore it from a backup, "
            "or move it away to start with an empty one."
        )
    found = version.read_text().strip()
    if found != str(MAJOR):
        raise StartError(
            f"The database directory {data} is of PostgreSQL {found}, "
            f"but this version needs {MAJOR}: use pg_upgrade first."
        )


def read_pid(path: Path) -> int:
    """Return the pid in the first line of a PostgreSQL lock file, else 0."""
    try:
        return abs(int(path.read_text().split("\n", 1)[0]))
    except (OSError, ValueError):
        return 0


def forget_pid(path: Path) -> None:
    """Put a pid that no system gives out into a lock file's first line."""
    _, _, rest = path.read_text().partition("\n")
    path.write_text(f"{NO_PID}\n{rest}")


def clean_environment() -> dict[str, str]:
    """No PG* variable of the operator's shell may steer the server."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def shared_buffers() -> int:
    """An eighth of the memory, from 64 MB to 2 GB.

    What a storm touches should fit: pages that must make room for others are written
    by the ingest's own connection.
    """
    return max(64 * MIB, min(2048 * MIB, memory_limit() // 8))


def memory_limit() -> int:
    """Bytes this process may use: the machine's, or its control group's."""
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text().strip()
    except OSError:
        return machine
    return min(machine, int(limit)) if limit.isdecimal() else machine
