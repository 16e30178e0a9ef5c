"""How much may one rendering cost? Counts fuel, processor time and lengths."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from jinja2 import Undefined

LONGEST_SOURCE = 16_384  # characters
LONGEST_TEXT = 65_536  # characters, of any value and of the whole output
# One unit is one node evaluated or 64 characters touched: some 20 ms in all.
FUEL = 200_000
SECONDS = 0.25  # of processor time, should a unit ever cost more than thought
LARGEST_NUMBER = 2**63
CHARACTERS_A_UNIT = 64
UNITS_BETWEEN_LOOKS_AT_THE_CLOCK = 2_000


class Refused(Exception):
    """A template that is wrong, or asks for too much.

    `code` names the reason, `detail` what it is about, `line` where (0: unknown).
    """

    def __init__(self, code: str, detail: str = "", line: int = 0) -> None:
        super().__init__(code, detail, line)
        self.code = code
        self.detail = detail[:200]
        self.line = line


class Meter:
    """What is left of one rendering's budget."""

    __slots__ = ("deadline", "fuel", "next_look")

    def __init__(self) -> None:
        self.fuel = FUEL
        self.next_look = FUEL
        self.deadline = time.thread_time() + SECONDS

    def spend(self, units: int) -> None:
        """Take units away. Raises Refused when none are left."""
        self.fuel -= units
        if self.fuel < 0:
            raise Refused("too_much_work")
        if self.fuel < self.next_look:
            self.next_look = self.fuel - UNITS_BETWEEN_LOOKS_AT_THE_CLOCK
            if time.thread_time() > self.deadline:
                raise Refused("too_slow")


_meter: ContextVar[Meter] = ContextVar("meter")


@contextmanager
def metered() -> Iterator[None]:
    """Give the block a full budget of its own."""
    token = _meter.set(Meter())
    try:
        yield
    finally:
        _meter.reset(token)


def spend(units: int) -> None:
    """Take units from the rendering that runs. Raises Refused."""
    _meter.get().spend(units)


def is_container(value: Any) -> bool:
    return isinstance(value, list | tuple | dict)


def items_of(value: Any) -> list[Any]:
    """Return a container's items, paid for. Raises Refused for anything else."""
    if isinstance(value, Undefined) or value is None:
        return []
    if not is_container(value):
        raise Refused("not_a_list")
    spend(1 + len(value))
    return list(value)


def text_of(value: Any) -> str:
    """Return a plain value as bounded text, paid for. Raises Refused.

    Containers are refused: a list of lists of lists doubles at each `[a, a]`.
    """
    if isinstance(value, str):
        text = str(value)
    elif value is None or isinstance(value, Undefined):
        text = ""
    elif isinstance(value, bool | int | float):
        text = str(value)
    else:
        raise Refused("not_a_text")
    spend(1 + len(text) // CHARACTERS_A_UNIT)
    return bounded(text)


def bounded(text: str) -> str:
    """Return the text. Raises Refused when it is too long."""
    check_length(len(text))
    return text


def check_length(length: int) -> None:
    """Raise Refused when a text of so many characters would be too long."""
    if length > LONGEST_TEXT:
        raise Refused("too_long")


def number_of(value: Any) -> int | float:
    """Return a bounded number. Raises Refused for anything else."""
    if not isinstance(value, int | float):
        raise Refused("not_a_number")
    if isinstance(value, int) and abs(value) > LARGEST_NUMBER:
        raise Refused("too_large")
    return value
