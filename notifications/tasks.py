"""What do Celery's workers do? They call plain functions; rows hold the truth."""

from __future__ import annotations

from collections.abc import Sequence

from celery import shared_task

from notifications import delivery
from tenants import partitions


@shared_task(name="notifications.deliver")
def deliver(ids: Sequence[str]) -> int:
    """Send what is due; `ids` only say that something is."""
    return delivery.deliver_due()


@shared_task(name="notifications.sweep")
def sweep_deliveries() -> int:
    """Send what a lost nudge left lying (beat, every few seconds)."""
    return delivery.deliver_due()


@shared_task(name="notifications.ensure_partitions")
def ensure_partitions() -> None:
    """Make the partitions of the time to come (beat, hourly)."""
    partitions.ensure()
