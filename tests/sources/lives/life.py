"""What is a life? The bodies one object's sender sends, from firing to resolved."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

# name, firing, severity, the time of saying it
Say = Callable[[str, bool, str, datetime], Any]


@dataclass(frozen=True)
class Life:
    """`severities` are two of the sender's words, the lower first; none if it has none.

    `resolves` is False for a sender that never says that it is over. Where the severity
    is a label of a labelled alert, another severity is another alert.
    """

    say: Say
    severities: tuple[str, str] | None = None
    resolves: bool = True
    severity_is_identity: bool = False
    headers: Mapping[str, str] | None = None


def ms(at: datetime) -> int:
    """Return milliseconds since 1970."""
    return int(at.timestamp() * 1000)


def s(at: datetime) -> int:
    """Return seconds since 1970."""
    return int(at.timestamp())
