"""How much of the processor did each process take? The honest figure where minutes
differ: seconds of work do not depend on who else is at work, rates do.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from tests.stack import Stack, descendants

TICKS = os.sysconf("SC_CLK_TCK")
PROCESSES = ("web", "postgres", "dispatcher", "worker", "redis")


def of_stack(stack: Stack) -> dict[str, float]:
    """Return seconds by process, children included (of postgres: all backends)."""
    return {name: seconds(stack.pid_of(name)) for name in PROCESSES}


def seconds(pid: int) -> float:
    """Return the seconds that a process and all below it took so far."""
    return sum(_own(one) for one in [pid, *descendants(pid)])


def _own(pid: int) -> float:
    """Return what one took, and those of its children that have ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0.0
    fields = stat.rpartition(") ")[2].split()
    return sum(map(int, fields[11:15])) / TICKS


def memory_mb(pid: int) -> float:
    """Return the resident memory of a process and all below it, in MB."""
    return sum(_resident(one) for one in [pid, *descendants(pid)]) / 1024


def _resident(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


def each(
    before: Mapping[str, float], after: Mapping[str, float], alerts: int
) -> dict[str, float]:
    """Return microseconds an alert, which are also milliseconds a thousand."""
    return {name: (after[name] - before[name]) / max(1, alerts) * 1e6 for name in after}
