"""Which figures does the API show to Prometheus?

`alertcenter_ingest_commit_seconds` is measured where it happens, in the writer.
"""

from __future__ import annotations

from functools import cache

from prometheus_client import Counter, Histogram

EVENTS = Counter(
    "alertcenter_ingest_events_total",
    "Events by protocol and what became of them.",
    ["protocol", "outcome"],
)
REQUESTS = Counter(
    "alertcenter_ingest_requests_total",
    "Requests that brought events, by protocol and status.",
    ["protocol", "status"],
)
SECONDS = Histogram(
    "alertcenter_ingest_request_seconds",
    "Time from the first byte of a request to its answer.",
    ["protocol"],
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
SLACK = Counter(
    "alertcenter_slack_callbacks_total",
    "Callbacks from Slack by outcome.",
    ["outcome"],
)


REMEMBERED = Counter(
    "alertcenter_ingest_repeats_remembered_total",
    "Repeats answered at once, as they were committed within the last second.",
)


class Tally:
    """Counts of the quickest answers, told to Prometheus a few times a second: its own
    counters would be a tenth of their cost."""

    def __init__(self) -> None:
        self.remembered = 0
        self.requests = 0

    def flush(self) -> None:
        if self.remembered:
            REMEMBERED.inc(self.remembered)
        if self.requests:
            requests("alertmanager_v2", 200).inc(self.requests)
        self.remembered = self.requests = 0


TALLY = Tally()

# --- the children, found once: `labels` costs more than `inc` ---


@cache
def events(protocol: str, outcome: str) -> Counter:
    return EVENTS.labels(protocol, outcome)


@cache
def requests(protocol: str, status: int) -> Counter:
    return REQUESTS.labels(protocol, status)


@cache
def seconds(protocol: str) -> Histogram:
    return SECONDS.labels(protocol)
