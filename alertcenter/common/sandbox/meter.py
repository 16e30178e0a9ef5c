"""How much may one rendering cost? Fuel, processor time, and lengths."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

LONGEST_TEXT = 64 * 1024  # of any value on the way, and of the result
FUEL = 20_000
CPU_SECONDS = 0.1  # of this thread: a busy machine does not break a template
LARGEST_NUMBER = 2**63


class Broken(Exception):
    """The template cannot be used; `reason` is a sentence for its author."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Exhausted(Exception):
    """The template asks for too much."""


class Meter:
    """What one rendering may still spend."""

    def __init__(self) -> None:
        self.fuel = FUEL
        self.deadline = time.thread_time() + CPU_SECONDS

    def spend(self, amount: int = 1) -> None:
        self.fuel -= amount
        if self.fuel < 0 or time.thread_time() > self.deadline:
            raise Exhausted


_meter: ContextVar[Meter | None] = ContextVar("meter", default=None)


@contextmanager
def metered() -> Iterator[None]:
    """Give the block a full budget of its own."""
    token = _meter.set(Meter())
    try:
        yield
    finally:
        _meter.reset(token)


def spend(amount: int = 1) -> None:
    """Pay; nothing metered runs outside a rendering, so no constant is folded."""
    meter = _meter.get()
    if meter is None:
        raise Exhausted
    meter.spend(amount)


def limited(text: str) -> str:
    """Return `text` if it is short enough, having paid for its length."""
    spend(1 + len(text) // 256)
    if len(text) > LONGEST_TEXT:
        raise Exhausted
    return text


def bounded(value: Any) -> Any:
    """Return `value` if, as a number, it is small enough."""
    if isinstance(value, int | float) and abs(value) > LARGEST_NUMBER:
        raise Exhausted
    return value
