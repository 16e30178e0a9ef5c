"""Which figures do deliveries show to Prometheus?"""

from prometheus_client import Counter, Histogram

ATTEMPTS = Counter(
    "alertcenter_delivery_attempts_total",
    "Attempts to send, by outcome.",
    ["channel", "outcome"],
)
SECONDS = Histogram(
    "alertcenter_delivery_seconds", "Time of one attempt to send.", ["channel"]
)
TEMPLATE_FALLBACKS = Counter(
    "alertcenter_template_fallbacks_total",
    "Messages said plainly because their template was broken.",
    ["channel"],
)


def count(channel: str, outcome: str, milliseconds: int) -> None:
    """Count one attempt."""
    ATTEMPTS.labels(channel, outcome).inc()
    SECONDS.labels(channel).observe(milliseconds / 1000)
