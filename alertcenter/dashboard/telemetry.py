"""Which numbers does this room publish?"""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

sockets = Gauge(
    "alertcenter_live_sockets", "Open dashboards.", multiprocess_mode="livesum"
)
closed = Counter(
    "alertcenter_live_closed_total", "Sockets that the server closed.", ["reason"]
)
lag_seconds = Histogram(
    "alertcenter_live_lag_seconds",
    "From a frame's making to the queues of the sockets.",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
poll_seconds = Histogram(
    "alertcenter_live_poll_seconds", "Reading stored frames for all tenants."
)
