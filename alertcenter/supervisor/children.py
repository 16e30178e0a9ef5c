"""How is one child process started, watched, restarted and stopped?"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from alertcenter.supervisor.account import Account

BACKOFF_FIRST = 0.5
BACKOFF_LONGEST = 10.0
STEADY_AFTER = 30.0  # a child that lived this long starts from the first back-off
PR_SET_PDEATHSIG = 1  # <linux/prctl.h>

# Looked up before any fork: the child of a fork must not load libraries.
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass
class Backoff:
    """The pause before the next start: 0.5 s, doubled each time, at most 10 s."""

    pause: float = BACKOFF_FIRST

    def next(self, lived: float) -> float:
        if lived >= STEADY_AFTER:
            self.pause = BACKOFF_FIRST
        pause, self.pause = self.pause, min(self.pause * 2, BACKOFF_LONGEST)
        return pause


@dataclass(frozen=True)
class Spec:
    """What to run. `stop_signal` asks it to end; after `grace` seconds it is killed."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    directory: Path
    pid_file: Path | None = None
    account: Account | None = None
    stop_signal: int = signal.SIGTERM
    grace: float = 10.0


def spawn(spec: Spec, output: IO[bytes] | int) -> subprocess.Popen[bytes]:
    """Start `spec` in a session of its own; it ends when this process dies."""
    arguments = spec.account.popen_arguments() if spec.account else {}
    return subprocess.Popen(  # noqa: S603 - commands are ours
        spec.command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        env=dict(spec.environment),
        cwd=spec.directory,
        start_new_session=True,
        # The supervisor has one thread, so running Python after fork is safe.
        # It runs after the change of user, which would reset the signal.
        preexec_fn=_die_with_parent(spec.stop_signal),
        **arguments,
    )


def _die_with_parent(stop_signal: int) -> Callable[[], None] | None:
    libc, parent = _LIBC, os.getpid()
    if libc is None:
        return None

    def ask_kernel() -> None:
        libc.prctl(PR_SET_PDEATHSIG, stop_signal)
        if os.getppid() != parent:
            os._exit(1)

    return ask_kernel


@dataclass
class Child:
    """One process that should always run."""

    spec: Spec
    backoff: Backoff = field(default_factory=Backoff)
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    start_at: float = 0.0
    restarts: int = 0

    @property
    def name(self) -> str:
        return self.spec.name

    def start(self) -> None:
        self.spec.log.touch(mode=0o600)
        with self.spec.log.open("ab") as log:
            self.process = spawn(self.spec, log)
        self.started = time.monotonic()
        if self.spec.pid_file:
            self.spec.pid_file.write_text(f"{self.process.pid}\n")

    def running(self) -> bool:
        """Tell whether the process lives; reaps it when it has ended."""
        return self.process is not None and self.process.poll() is None

    def tick(self, now: float) -> str | None:
        """Restart when it has ended and its pause is over.

        Returns a sentence when it was just found dead.
        """
        if self.running():
            return None
        if self.process is not None:
            return self._found_dead(now)
        if now >= self.start_at:
            self.restarts += 1
            self.start()
        return None

    def _found_dead(self, now: float) -> str:
        assert self.process is not None
        code = self.process.returncode
        kill_group(self.process.pid)  # what it left behind, such as pool workers
        self.process = None
        pause = self.backoff.next(now - self.started)
        self.start_at = now + pause
        return f"{self.name} ended ({describe(code)}); it starts again in {pause:g} s."

    def kill(self) -> None:
        """End it at once; the next tick restarts it."""
        if self.process is not None:
            kill_group(self.process.pid)
            self.process.wait()

    def ask_to_stop(self) -> None:
        if self.running():
            assert self.process is not None
            self.process.send_signal(self.spec.stop_signal)

    def wait_stopped(self, deadline: float) -> None:
        """Wait until `deadline` (monotonic), then kill; nothing of it is left."""
        if self.process is None:
            return
        try:
            self.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            pass
        kill_group(self.process.pid)
        self.process.wait()
        self.process = None
        if self.spec.pid_file:
            self.spec.pid_file.unlink(missing_ok=True)


def stop_all(children: Sequence[Child]) -> None:
    """Ask all to stop at once, then wait for each within its grace."""
    begun = time.monotonic()
    for child in children:
        child.ask_to_stop()
    for child in children:
        child.wait_stopped(begun + child.spec.grace)


def kill_group(pid: int) -> None:
    """Kill what is left of the process group that `pid` leads."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass  # PermissionError: macOS says so of a group of zombies


def describe(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    return f"killed by {signal.Signals(-code).name}"
