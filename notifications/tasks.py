"""What do Celery's workers do? They call plain functions; rows hold the truth."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

from celery import shared_task
from django.db import connection
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from notifications import delivery

log = logging.getLogger(__name__)

# After a failure the broker is left alone so long: the dispatcher sends meanwhile.
BREAKER_SECONDS = 2.0
_broken_until = 0.0


@shared_task(name="notifications.deliver")
def deliver(ids: Sequence[str]) -> int:
    """Send what is due; `ids` only say that something is."""
    done = 0
    while taken := delivery.deliver_due(20):
        done += taken
    return done


@shared_task(name="notifications.sweep")
def sweep_deliveries() -> int:
    """Send what a lost nudge left lying (beat, every few seconds)."""
    return delivery.deliver_due(100)


@shared_task(name="notifications.ensure_partitions")
def ensure_partitions() -> None:
    """Make next months' partitions in time (beat, daily)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT ac_ensure_partitions()")


def tell_workers(ids: Sequence[str]) -> None:
    """Queue `deliver`; a broker that is away costs a fraction of a second, once."""
    global _broken_until
    if time.monotonic() < _broken_until:
        return
    try:
        deliver.apply_async(args=(list(ids),), retry=False, ignore_result=True)
    except (KombuError, RedisError, OSError) as error:
        _broken_until = time.monotonic() + BREAKER_SECONDS
        log.warning("broker_away", extra={"error": str(error)[:200]})
