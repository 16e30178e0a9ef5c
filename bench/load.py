"""How is load made? By wrk, which is quick enough not to be what is measured.

Bodies are in the form Prometheus posts: 8 labels, 3 annotations, about 500 bytes an
alert. "new": no alert is ever sent twice. "repeats": a thousand alerts over and over.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

DISTINCT = 1000
THREADS = 1

SCRIPT = r"""
local batch, distinct, fresh, stamp = %(batch)d, %(distinct)d, %(fresh)s, "%(stamp)s"
local form = '{"labels":{"alertname":"HighLatency","instance":"web-%%s:9100",' ..
  '"severity":"warning","job":"node","cluster":"eu1","env":"prod","team":"web",' ..
  '"run":"%%s"},"annotations":{"summary":"Latency is high on web-%%s",' ..
  '"description":"The 99th percentile of request latency is over 2 s for 10 min.",' ..
  '"runbook_url":"https://runbooks.example.org/high-latency"},' ..
  '"startsAt":"2026-01-01T00:00:00Z","endsAt":"2099-01-01T00:00:00Z",' ..
  '"generatorURL":"http://prometheus.example.org/graph?g0.expr=latency"}'
local n, ready, turn, refused = 0, {}, 0, 0
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
%(header)s

local function alert(i) return string.format(form, i, stamp, i) end
local function body()
  local items = {}
  for i = 1, batch do n = n + 1; items[i] = alert(fresh and n or (n %% distinct)) end
  return "[" .. table.concat(items, ",") .. "]"
end
function init(_)
  if fresh then return end
  local bodies = math.max(1, math.floor(distinct / batch))
  for i = 1, bodies do ready[i] = wrk.format(nil, nil, nil, body()) end
end
function request()
  if fresh then return wrk.format(nil, nil, nil, body()) end
  turn = turn %% #ready + 1
  return ready[turn]
end
function done(summary, latency, _)
  io.write(string.format(
    '\nFIGURES {"requests":%%d,"us":%%d,"bad":%%d,"p50":%%d,"p95":%%d,"p99":%%d}\n',
    summary.requests, summary.duration,
    summary.errors.status + summary.errors.connect + summary.errors.read +
    summary.errors.write + summary.errors.timeout,
    latency:percentile(50), latency:percentile(95), latency:percentile(99)))
end
"""


@dataclass(frozen=True)
class Target:
    """Where alerts go."""

    name: str
    url: str
    key: str = ""


@dataclass(frozen=True)
class Load:
    """One cell: alerts in a request, requests at a time, new or repeated."""

    batch: int
    connections: int
    fresh: bool


@dataclass(frozen=True)
class Measured:
    """What came of it; times in milliseconds."""

    alerts_per_second: float
    p50: float
    p95: float
    p99: float
    bad: int


def run(target: Target, load: Load, seconds: float, stamp: str) -> Measured:
    """Load `target` for `seconds`; `stamp` keeps this run's alerts apart."""
    header = f'wrk.headers["Authorization"] = "Bearer {target.key}"'
    script = SCRIPT % {
        "batch": load.batch,
        "distinct": DISTINCT,
        "fresh": "true" if load.fresh else "false",
        "stamp": stamp,
        "header": header if target.key else "",
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "load.lua"
        path.write_text(script)
        command = [
            "wrk",
            f"-t{THREADS}",
            f"-c{load.connections}",
            f"-d{seconds:g}s",
            "--timeout=30s",
            f"-s{path}",
            target.url,
        ]
        output = subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=seconds + 60
        ).stdout
    return figures(output, load)


def figures(output: str, load: Load) -> Measured:
    """Read what `done` wrote."""
    line = next(x for x in output.splitlines() if x.startswith("FIGURES "))
    told = json.loads(line.removeprefix("FIGURES "))
    good = told["requests"] - told["bad"]
    return Measured(
        good * load.batch / (told["us"] / 1e6),
        told["p50"] / 1000,
        told["p95"] / 1000,
        told["p99"] / 1000,
        told["bad"],
    )
