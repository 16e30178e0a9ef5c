"""Which figures does retention show to Prometheus?"""

from prometheus_client import Counter, Gauge

DELETED = Counter(
    "alertcenter_retention_rows_deleted_total", "Rows that were old enough.", ["table"]
)
DROPPED = Counter(
    "alertcenter_retention_partitions_dropped_total",
    "Partitions that were old enough as a whole.",
    ["table"],
)
PUT_OFF = Counter(
    "alertcenter_retention_put_off_total",
    "Works put off to the next run, as somebody held a lock.",
)
OLDEST = Gauge(
    "alertcenter_retention_oldest_seconds",
    "Age of the oldest row, by table, as the last run left it.",
    ["table"],
    multiprocess_mode="mostrecent",  # any worker measures it for all
)
