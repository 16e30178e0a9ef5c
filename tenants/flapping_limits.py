"""When does a tenant say that an alert flaps, and when that it is calm again?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

FEWEST_TO_START = 3
# Field of `settings["flapping"]`: (least, most, what holds where nothing is said).
BOUNDS: Mapping[str, tuple[int, int, int]] = {
    "minutes": (1, 1440, 30),
    "starts": (FEWEST_TO_START, 100, 6),
    "ends": (0, 99, 2),
}


@dataclass(frozen=True)
class FlappingLimits:
    """So many changes of state in the last `minutes` start flapping; when there are
    `ends` or fewer it is over. `starts` 0: nothing flaps."""

    minutes: int = BOUNDS["minutes"][2]
    starts: int = BOUNDS["starts"][2]
    ends: int = BOUNDS["ends"][2]


def limits_of(settings: Mapping[str, Any]) -> FlappingLimits:
    """Return the limits that a tenant's settings ask for, kept within the bounds."""
    given = settings.get("flapping")
    given = given if isinstance(given, dict) else {}
    if given.get("starts") == 0:
        return FlappingLimits(starts=0)
    found = {name: _bounded(given.get(name), *BOUNDS[name]) for name in BOUNDS}
    found["ends"] = min(found["ends"], found["starts"] - 1)
    return FlappingLimits(**found)


def _bounded(value: Any, least: int, most: int, usual: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        return usual
    return max(least, min(most, value))
