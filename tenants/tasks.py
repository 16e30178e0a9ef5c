"""What does Celery do for this room? It nudges; rows hold the truth."""

from __future__ import annotations

from celery import shared_task

from tenants import retention

# A worker's hand is needed for pages too: it works in slices, and asks for the next.
SLICE_SECONDS = 15.0


@shared_task(name="tenants.retention", soft_time_limit=50, time_limit=58)
def let_old_rows_go() -> bool:
    """Go on with the day's run (beat, hourly; does nothing once the day's is done)."""
    done = retention.work(SLICE_SECONDS)
    if not done:
        let_old_rows_go.delay()
    return done
