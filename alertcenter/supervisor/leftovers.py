"""What did a supervisor that was killed leave running, and how does it end?"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from alertcenter.supervisor.children import kill_group


def command_line(pid: int) -> str:
    """Return the command line of a process, "" when there is none (or a zombie)."""
    if pid <= 0:
        return ""
    try:
        raw = Path(f"/proc/{pid}/cmdline").read_bytes()
        return raw.replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        if Path("/proc/self").exists():
            return ""
    listing = subprocess.run(  # noqa: S603 - a system without /proc (macOS)
        ["/bin/ps", "-o", "command=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
    )
    return listing.stdout.strip()


def belongs_to(pid: int, words: str) -> bool:
    """Tell whether process `pid` lives and carries `words` in its command line."""
    return words in command_line(pid)


def wait_gone(pid: int, stop_signal: int, seconds: float) -> None:
    """End a process that is no child of ours, by force after `seconds`."""
    _send(pid, stop_signal)
    deadline = time.monotonic() + seconds
    while command_line(pid):
        if time.monotonic() > deadline:
            kill_group(pid)
            _send(pid, signal.SIGKILL)
            deadline += 5
        time.sleep(0.05)


def end_leftovers(run: Path, words: Sequence[str]) -> None:
    """End the processes named by pid files in `run` that carry one of `words`."""
    for path in run.glob("*.pid"):
        text = path.read_text().strip()
        pid = int(text) if text.isdecimal() else 0
        if any(belongs_to(pid, word) for word in words):
            wait_gone(pid, signal.SIGTERM, 10.0)
            kill_group(pid)
        path.unlink(missing_ok=True)


def _send(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass
