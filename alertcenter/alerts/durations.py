"""How do Prometheus and Alertmanager write a length of time?

Source: prometheus/common model/time.go, ParseDuration and Duration.String.
"""

from __future__ import annotations

import re

# The largest first, each at most once; `ms` before `m` would match, hence the anchor.
UNITS = {
    "y": 365 * 24 * 3600_000,
    "w": 7 * 24 * 3600_000,
    "d": 24 * 3600_000,
    "h": 3600_000,
    "m": 60_000,
    "s": 1000,
    "ms": 1,
}
NOTATION = re.compile("".join(f"(?:([0-9]{{1,12}}){unit})?" for unit in UNITS))


class DurationError(ValueError):
    """Not a length of time such as 5m or 1h30m."""


def milliseconds(text: str) -> int:
    """Return what `text` (such as 1h30m) writes. Raises DurationError."""
    if text == "0":
        return 0
    found = NOTATION.fullmatch(text)
    if not text or not found:
        raise DurationError(f"{text!r} is not a length of time such as 5m or 1h30m.")
    parts = zip(found.groups(), UNITS.values(), strict=True)
    return sum(int(number) * unit for number, unit in parts if number)


def written(seconds: int) -> str:
    """Return the shortest notation without years and weeks, such as 1h30m."""
    if not seconds:
        return "0s"
    text = ""
    for unit in ("d", "h", "m", "s"):
        number, seconds = divmod(seconds, UNITS[unit] // 1000)
        text += f"{number}{unit}" if number else ""
    return text
