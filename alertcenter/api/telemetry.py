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
    "Time from the first byte of a request to its answer (of some of the quick ones).",
    ["protocol"],
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
REFUSED = Counter(
    "alertcenter_ingest_refused_total",
    "Requests refused as too many, by the limit they met.",
    ["limit"],
)
SLACK = Counter(
    "alertcenter_slack_callbacks_total",
    "Callbacks from Slack by outcome.",
    ["outcome"],
)
TWILIO = Counter(
    "alertcenter_twilio_callbacks_total",
    "Callbacks from Twilio by what they are about and their outcome.",
    ["about", "outcome"],
)


REMEMBERED = Counter(
    "alertcenter_ingest_repeats_remembered_total",
    "Repeats answered at once, as they were committed within the last second.",
)


class Tally:
    """Counts of the event loop's answers, told to Prometheus a few times a second: its
    own counters, shared by processes, would cost more than reading the request."""

    def __init__(self) -> None:
        self.remembered = 0
        self._requests: dict[tuple[str, int], int] = {}
        self._events: dict[tuple[str, str], int] = {}
        self._turn = 0

    def request(self, protocol: str, status: int, seconds: float) -> None:
        """Count one answer."""
        place = (protocol, status)
        self._requests[place] = self._requests.get(place, 0) + 1
        self._turn += 1
        if self._turn % SAMPLED == 0:
            seconds_of(protocol).observe(seconds)

    def events(self, protocol: str, outcome: str, number: int) -> None:
        """Count events by what became of them."""
        place = (protocol, outcome)
        self._events[place] = self._events.get(place, 0) + number

    def flush(self) -> None:
        """Tell what was counted."""
        taken, self._requests = self._requests, {}
        for (protocol, status), number in taken.items():
            requests(protocol, status).inc(number)
        counted, self._events = self._events, {}
        for (protocol, outcome), number in counted.items():
            events(protocol, outcome).inc(number)
        remembered, self.remembered = self.remembered, 0
        if remembered:
            REMEMBERED.inc(remembered)


TALLY = Tally()
# Of the quick road, one request in so many has its time measured.
SAMPLED = 8

# --- the children, found once: `labels` costs more than `inc` ---


@cache
def events(protocol: str, outcome: str) -> Counter:
    return EVENTS.labels(protocol, outcome)


def count_events(protocol: str, outcome: str, number: int) -> None:
    events(protocol, outcome).inc(number)


@cache
def requests(protocol: str, status: int) -> Counter:
    return REQUESTS.labels(protocol, status)


@cache
def seconds_of(protocol: str) -> Histogram:
    return SECONDS.labels(protocol)
