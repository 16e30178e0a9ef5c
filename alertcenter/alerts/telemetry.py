"""Which figures does the heart show to Prometheus?"""

from prometheus_client import Counter, Gauge, Histogram

COMMIT_SECONDS = Histogram(
    "alertcenter_ingest_commit_seconds",
    "Time of one coalesced commit of events.",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
COMMIT_ROWS = Histogram(
    "alertcenter_ingest_commit_rows",
    "Rows in one coalesced commit.",
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000),
)
FEED_OLDEST = Gauge(
    "alertcenter_feed_oldest_seconds",
    "Age of the oldest change that the flow has not yet looked at.",
    multiprocess_mode="mostrecent",  # any dispatcher measures it for all
)
FEED_WAITING = Gauge(
    "alertcenter_feed_waiting",
    "Changes by why they wait: new, grown (redrawn together), parked (failed).",
    ["why"],
    multiprocess_mode="mostrecent",
)
FEED_BATCH = Histogram(
    "alertcenter_feed_batch_rows",
    "Changes that the flow looked at together.",
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 2500),
)
FEED_SECONDS = Histogram(
    "alertcenter_feed_batch_seconds",
    "Time of one look at changes, to its commit.",
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
FEED_ROWS = Counter("alertcenter_feed_rows_total", "Changes the flow looked at.")
EXPIRED = Counter("alertcenter_alerts_expired_total", "Alerts closed by time-out.")
RAW_KEPT = Counter(
    "alertcenter_raw_copies_kept_total", "Bodies written down as they arrived."
)
RAW_DROPPED = Counter(
    "alertcenter_raw_copies_dropped_total",
    "Bodies not written down: queue full, tenant's share used, sampled, database away.",
    ["reason"],
)
