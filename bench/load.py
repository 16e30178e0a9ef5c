"""How is load made? By wrk on one thread, quick enough not to be what is measured.

How quick it was, is told with each figure: `share` near 1.0 means that wrk was the
limit. Mixes: "new": no alert is ever sent twice. "repeats": a thousand alerts over and
over. "90 %": every tenth alert is new. "far": so many repeats that each comes again
after a second or more, when no process remembers it. Repeats are not the same bytes:
their end moves, as with Prometheus (bench/forms.py), so that nobody answers by the
body alone.
"""

from __future__ import annotations

import json
import resource
import subprocess
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from bench import forms

SCRIPT = Path(__file__).with_name("load.lua")
MIXES = {"new": 10, "repeats": 0, "90 %": 1}  # how many in ten are new
FAR = "far"
ALL_MIXES = MIXES | {FAR: 0}
PRIME = 100


@dataclass(frozen=True)
class Target:
    """Where alerts go, and what they look like there."""

    name: str
    url: str
    key: str = ""
    form: str = forms.ALERTMANAGER
    lists: bool = True
    distinct: int = forms.DISTINCT


@dataclass(frozen=True)
class Load:
    """One cell: alerts in a request, requests at a time, and how many are new."""

    batch: int
    connections: int
    mix: str

    @property
    def name(self) -> str:
        return f"{self.batch} {self.mix}"

    def distinct(self, target: Target) -> int:
        """Return how many alerts are repeated."""
        return forms.FAR_DISTINCT if self.mix == FAR else target.distinct


@dataclass(frozen=True)
class Measured:
    """What came of it; times in milliseconds. `share`: wrk's own part of a core."""

    alerts: int
    seconds: float
    p50: float
    p95: float
    p99: float
    bad: int
    share: float

    @property
    def rate(self) -> float:
        """Alerts answered well in a second."""
        return self.alerts / self.seconds


def run(target: Target, load: Load, seconds: int, stamp: str) -> Measured:
    """Load `target` for `seconds`; `stamp` keeps this run's alerts apart."""
    words = {
        "form": forms.stamped(target.form, stamp),
        "list": "yes" if target.lists else "no",
        "batch": load.batch,
        "fresh": ALL_MIXES[load.mix],
        "far": "yes" if load.mix == FAR else "no",
        "distinct": load.distinct(target),
        "names": forms.NAMES,
        "ends": ",".join(forms.endings()),
        "key": target.key,
    }
    command = ["wrk", "-t1", f"-c{load.connections}", f"-d{seconds}s"]
    command += ["--timeout=30s", f"-s{SCRIPT}", target.url, "--"]
    command += [f"{name}={value}" for name, value in words.items()]
    before = children_seconds()
    output = subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=seconds + 60
    ).stdout
    return figures(output, load, children_seconds() - before)


def prime(target: Target, load: Load, stamp: str) -> None:
    """Say each repeated alert once, so that all that follow are repeats."""
    if load.mix == "new":
        return
    headers = {"Content-Type": "application/json"}
    if target.key:
        headers["Authorization"] = f"Bearer {target.key}"
    form = forms.stamped(target.form, stamp)
    size = PRIME if target.lists else 1
    for text in forms.repeated(form, load.distinct(target), size):
        body = (text if target.lists else text[1:-1]).encode()
        request = urllib.request.Request(target.url, body, headers)
        with urllib.request.urlopen(request, timeout=30):
            pass


def children_seconds() -> float:
    """Return the processor's time that ended children of this process took."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def figures(output: str, load: Load, spent: float) -> Measured:
    """Read what `done` wrote."""
    line = next(x for x in output.splitlines() if x.startswith("FIGURES "))
    told = json.loads(line.removeprefix("FIGURES "))
    seconds = told["us"] / 1e6
    return Measured(
        (told["requests"] - told["bad"]) * load.batch,
        seconds,
        told["p50"] / 1000,
        told["p95"] / 1000,
        told["p99"] / 1000,
        told["bad"],
        spent / seconds,
    )
