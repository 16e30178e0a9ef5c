"""What does one alert look like on the wire? About 600 bytes, as Prometheus posts it.

Each form takes, in this order: which of NAMES alert names, the instance twice, and
when the alert ends. `%.0s` takes a value and shows nothing of it. STAMP keeps one
run's alerts apart, and is what they are grouped by beside their name.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

# A storm has some alert names and many instances.
NAMES = 20
# How many are said again and again; and how many where each comes again only after
# a second or more, so that no process may answer it from memory.
DISTINCT = 1000
FAR_DISTINCT = 50_000
# All alerts of a run began before it, at the same time however often they are said.
STARTS = datetime.now(UTC) - timedelta(minutes=1)
# Prometheus keeps labels, annotations and start, and moves the end with every send.
# So repeats come in that many generations, which differ in `endsAt` alone.
GENERATIONS = 8
# Far enough ahead that nothing expires while it is measured.
LIFETIME = timedelta(hours=6)
INTERVAL = timedelta(seconds=15)

LABELS = (
    '"labels":{"alertname":"HighLatency%s","instance":"web-%s:9100",'
    '"severity":"warning","job":"node","cluster":"STAMP","env":"prod","team":"web",'
    '"region":"eu-central-1"}'
)
ANNOTATIONS = (
    '"annotations":{"summary":"Latency is high on web-%s",'
    '"description":"The 99th percentile of request latency is over 2 s for 10 min.",'
    '"runbook_url":"https://runbooks.example.org/high-latency"}'
)
LINK = "http://prometheus.example.org/graph?g0.expr=latency"

ALERTMANAGER = (
    f'{{{LABELS},{ANNOTATIONS},"startsAt":"STARTS","endsAt":"%s",'
    f'"generatorURL":"{LINK}"}}'
)
OWN = f'{{{LABELS},{ANNOTATIONS},"starts_at":"STARTS","link":"{LINK}%.0s"}}'
# https://docs.alerta.io/api/reference.html#create-an-alert; one alert a request.
ALERTA = (
    '{"event":"HighLatency%s","resource":"STAMP-web-%s:9100","severity":"warning",'
    '"environment":"Production","service":["web"],"group":"eu-central-1",'
    '"value":"2.1 s","text":"Latency is high on web-%s%.0s","tags":["job=node",'
    '"cluster=STAMP","team=web"],"attributes":{"description":"The 99th percentile of '
    'request latency is over 2 s for 10 min.","runbook":'
    f'"https://runbooks.example.org/high-latency","graph":"{LINK}"}}}}'
)


def stamped(form: str, stamp: str) -> str:
    """Return `form` for one run: what is left to fill in changes with each alert."""
    return form.replace("STAMP", stamp).replace("STARTS", moment(STARTS))


def endings() -> list[str]:
    """Return when the alerts of each generation end."""
    first = datetime.now(UTC) + LIFETIME
    return [moment(first + turn * INTERVAL) for turn in range(GENERATIONS)]


def moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def repeated(form: str, distinct: int, size: int) -> Iterator[str]:
    """Yield lists of `size` alerts that hold, together, each repeated alert once."""
    ends = endings()[0]
    for start in range(0, distinct, size):
        some = range(start, min(start + size, distinct))
        yield f"[{','.join(form % (i % NAMES, i, i, ends) for i in some)}]"
