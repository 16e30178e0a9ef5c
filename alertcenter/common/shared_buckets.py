"""How much may still be taken, counted over all processes?

The bucket lies in Redis; beside it each process has its own, which counts too and rules
while Redis is away: then the limit holds for each process. For what is rare and may
wait for Redis: links that are pressed, signatures that are wrong. Events are counted
without waiting (alertcenter/api/limits.py).
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Hashable
from typing import Any

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from alertcenter.common.buckets import Buckets

REDIS_SECONDS = 0.25
CLOSED_SECONDS = 1.0
LONGEST_DEBT = 2  # bursts after which a bucket is full, whatever was taken

# By Redis's clock, as those of machines differ. Returns what is left.
SCRIPT = """
local rate, burst, taken = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local at = redis.call('TIME')
local now = tonumber(at[1]) + tonumber(at[2]) / 1000000
local held = redis.call('HMGET', KEYS[1], 'left', 'seen')
local left = (tonumber(held[1]) or burst) + (now - (tonumber(held[2]) or now)) * rate
left = math.min(left, burst)
if taken > 0 then
  left = math.max(left - taken, -burst)
  local seen = string.format('%.6f', now)
  redis.call('HSET', KEYS[1], 'left', tostring(left), 'seen', seen)
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
end
return tostring(left)
"""


class SharedBuckets:
    """As `Buckets`, for all processes. `what` tells this kind of bucket from others."""

    def __init__(self, what: str, rate: float, burst: float) -> None:
        self.what = what
        self._own = Buckets(rate, burst)

    def wait(self, name: Hashable) -> float:
        """Return for how many seconds nothing may be taken; 0.0 when it may."""
        left = self._ask(name, 0.0)
        if left is None:
            return self._own.wait(name)
        return 0.0 if left >= 1 else (1.0 - left) / self._own.rate

    def take(self, name: Hashable, tokens: float = 1.0) -> None:
        """Take, into debt if need be, one burst deep at most."""
        self._own.take(name, tokens)
        self._ask(name, tokens)

    def _ask(self, name: Hashable, tokens: float) -> float | None:
        """Return what is left after taking; None while Redis is away."""
        rate, burst = self._own.rate, self._own.burst
        lives = round(LONGEST_DEBT * burst / rate * 1000) + 1
        return _redis.run([self._key(name)], [rate, burst, tokens, lives])

    def _key(self, name: Hashable) -> str:
        """Names are tokens and addresses, which Redis need not know."""
        digest = hashlib.blake2b(repr(name).encode(), digest_size=16).hexdigest()
        return f"bucket:{self.what}:{digest}"


class _Redis:
    """The script at Redis, by one client of this process; after a failure it is left
    alone for a moment, so that a dead Redis costs one time-out a second."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._script: Any = None
        self._closed_until = 0.0

    def run(self, keys: list[str], values: list[float]) -> float | None:
        if time.monotonic() < self._closed_until:
            return None
        try:
            return float(self._found()(keys=keys, args=values))
        except (redis.RedisError, OSError):
            self._closed_until = time.monotonic() + CLOSED_SECONDS
            return None

    def _found(self) -> Any:
        with self._lock:
            if self._script is None:
                client = redis.Redis.from_url(
                    settings.REDIS_URL,
                    socket_timeout=REDIS_SECONDS,
                    socket_connect_timeout=REDIS_SECONDS,
                    retry=Retry(NoBackoff(), 0),
                )
                self._script = client.register_script(SCRIPT)
            return self._script


_redis = _Redis()
