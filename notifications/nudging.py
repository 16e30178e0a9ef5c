"""How do workers learn at once that something waits? A nudge through Celery.

A nudge may be lost: beat and the dispatcher look for themselves. So it is given by a
thread of its own, and nobody ever waits for a broker that is away.
"""

from __future__ import annotations

import logging
import os
import queue
import threading
import time
from collections.abc import Sequence

from celery import current_app
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

log = logging.getLogger(__name__)

TASK = "notifications.deliver"
MOST_IDS = 100  # of one task; they only say that something waits
MOST_WAITING = 1_000
# After a failure the broker is left alone so long: the dispatcher sends meanwhile.
BREAKER_SECONDS = 2.0


class Nudger:
    """One thread that tells Celery; made anew in a forked process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pid = 0
        self._waiting: queue.Queue[str] = queue.Queue(MOST_WAITING)

    def nudge(self, ids: Sequence[str]) -> None:
        """Have the workers told soon; never waits, never raises."""
        self._start()
        for delivery_id in ids[:MOST_IDS]:
            try:
                self._waiting.put_nowait(delivery_id)
            except queue.Full:  # so much waits that workers will be told anyway
                return

    def _start(self) -> None:
        with self._lock:
            if self._pid == os.getpid():
                return
            self._pid = os.getpid()
            self._waiting = queue.Queue(MOST_WAITING)
            threading.Thread(target=self._run, name="nudger", daemon=True).start()

    def _run(self) -> None:
        broken_until = 0.0
        while True:
            ids = self._take()
            if time.monotonic() < broken_until:
                continue
            try:
                current_app.send_task(TASK, args=(ids,), retry=False)
            except (KombuError, RedisError, OSError) as error:
                broken_until = time.monotonic() + BREAKER_SECONDS
                log.warning("broker_away: %s", str(error)[:200])

    def _take(self) -> list[str]:
        """Wait for one and take what else waits with it."""
        ids = [self._waiting.get()]
        while len(ids) < MOST_IDS:
            try:
                ids.append(self._waiting.get_nowait())
            except queue.Empty:
                break
        return ids


_nudger = Nudger()


def nudge(ids: Sequence[str]) -> None:
    """Have the workers told that these deliveries wait."""
    _nudger.nudge(ids)
