"""What does the cache answer while Redis is away? A miss, and quickly.

Redis holds nothing that cannot be rebuilt, so no request may fail or wait for
it. After an error the cache stays closed for a second: a dead Redis costs each
process at most one time-out a second.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any, TypeVar

from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

Answer = TypeVar("Answer")

CLOSED_SECONDS = 1.0
FAILURES = (RedisError, OSError)


class Json:
    """What lies in Redis is read as JSON. Django's pickles would let whoever can write
    there run code here."""

    def dumps(self, value: Any) -> bytes | int:
        return value if type(value) is int else json.dumps(value).encode()

    def loads(self, stored: bytes) -> Any:
        """Return the value; None, which is a miss, for what we never wrote."""
        try:
            return json.loads(stored)
        except (ValueError, RecursionError):
            return None


class Breaker:
    """Remembers for a second that Redis failed."""

    def __init__(self) -> None:
        self._closed_until = 0.0

    def call(self, operation: Callable[[], Answer], miss: Answer) -> Answer:
        """Return what `operation` returns, or `miss` while Redis is away."""
        if time.monotonic() < self._closed_until:
            return miss
        try:
            return operation()
        except FAILURES:
            self._closed_until = time.monotonic() + CLOSED_SECONDS
            return miss


# Django makes one cache object per thread; what they know of Redis they share.
_breaker = Breaker()


class ForgivingRedisCache(RedisCache):
    """Django's Redis cache, for which a Redis error is a miss or a no-op.

    `add` then answers False, as if the key were there already. `incr` raises
    ValueError, which is Django's answer for a missing key.
    """

    def add(self, *args: Any, **kwargs: Any) -> bool:
        return _breaker.call(lambda: RedisCache.add(self, *args, **kwargs), False)

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return _breaker.call(
            lambda: RedisCache.get(self, key, default, version), default
        )

    def set(self, *args: Any, **kwargs: Any) -> None:
        _breaker.call(lambda: RedisCache.set(self, *args, **kwargs), None)

    def touch(self, *args: Any, **kwargs: Any) -> bool:
        return _breaker.call(lambda: RedisCache.touch(self, *args, **kwargs), False)

    def delete(self, *args: Any, **kwargs: Any) -> bool:
        return _breaker.call(lambda: RedisCache.delete(self, *args, **kwargs), False)

    def get_many(self, *args: Any, **kwargs: Any) -> dict[Any, Any]:
        return _breaker.call(lambda: RedisCache.get_many(self, *args, **kwargs), {})

    def set_many(self, data: dict[Any, Any], *args: Any, **kwargs: Any) -> list[Any]:
        """Return the keys that could not be stored, as Django defines it."""
        return _breaker.call(
            lambda: RedisCache.set_many(self, data, *args, **kwargs), list(data)
        )

    def delete_many(self, *args: Any, **kwargs: Any) -> None:
        _breaker.call(lambda: RedisCache.delete_many(self, *args, **kwargs), None)

    def has_key(self, *args: Any, **kwargs: Any) -> bool:
        return _breaker.call(lambda: RedisCache.has_key(self, *args, **kwargs), False)

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        value = _breaker.call(lambda: RedisCache.incr(self, key, delta, version), None)
        if value is None:
            raise ValueError(f"Key {key!r} not found.")
        return value

    def clear(self) -> None:
        _breaker.call(lambda: RedisCache.clear(self), None)
