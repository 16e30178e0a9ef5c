"""Which time do we tell others, who judge by it whether a signature or token is fresh?

The database's: a host whose own clock is off would not be believed. Whoever reads it
anyway notes it here; in between the monotonic clock goes on.
"""

from __future__ import annotations

import time

_ahead: float | None = None  # seconds since 1970, less those of the monotonic clock


def hear(moment: float) -> None:
    """Note what the database's clock says now (seconds since 1970)."""
    global _ahead
    _ahead = moment - time.monotonic()


def now() -> float:
    """Return seconds since 1970; by the host's clock until the database's was heard."""
    return time.time() if _ahead is None else _ahead + time.monotonic()
