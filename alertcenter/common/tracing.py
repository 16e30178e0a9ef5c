"""Which request does this belong to? A correlation id from intake to delivery."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

ACCEPTED = re.compile(r"^[A-Za-z0-9._:-]{1,64}$")

_current: ContextVar[str] = ContextVar("correlation_id", default="")


def current() -> str:
    """Return the correlation id at work, or ""."""
    return _current.get()


def new_id() -> str:
    """Return a fresh id of 16 hex digits."""
    return secrets.token_hex(8)


def accepted(given: str | None) -> str:
    """Return the caller's id if it is safe to log, else a fresh one."""
    return given if given and ACCEPTED.match(given) else new_id()


@contextmanager
def bind(correlation_id: str) -> Iterator[None]:
    """Let everything inside carry `correlation_id`."""
    token = _current.set(correlation_id)
    try:
        yield
    finally:
        _current.reset(token)
