"""Which figures does escalation show to Prometheus?"""

from prometheus_client import Counter, Gauge, Histogram

LATENESS = Histogram(
    "alertcenter_escalation_lateness_seconds",
    "Time from a step's due_at to its claim, by the database's clock.",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300),
)
STEPS = Counter("alertcenter_escalation_steps_total", "Steps done.", ["kind"])
OVERDUE = Gauge(
    "alertcenter_escalation_overdue",
    "Steps more than 30 seconds late now.",
    multiprocess_mode="mostrecent",  # any dispatcher measures it for all
)
ORPHANS = Gauge(
    "alertcenter_escalation_orphans",
    "Firing groups whose escalation was lost, at the auditor's last look.",
    multiprocess_mode="mostrecent",
)
OLDEST = Gauge(
    "alertcenter_escalation_oldest_seconds",
    "How long the oldest due step has waited, at the auditor's last look.",
    multiprocess_mode="mostrecent",
)
FINDINGS = Gauge(
    "alertcenter_audit_findings",
    "What the auditor found at its last look, by kind.",
    ["what"],
    multiprocess_mode="mostrecent",
)
HEALED = Counter(
    "alertcenter_escalation_healed_total", "Lost runs that the auditor began anew."
)
