"""What did a metric do in the last hour? Asked of the tenant's own Prometheus.

https://prometheus.io/docs/prometheus/latest/querying/api/#range-queries
Bounded in time, size, series and points: whoever writes the expression decides none.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from notifications.channels import http
from notifications.channels.base import DeliveryError

SECONDS = 3.0
MOST_BYTES = 1_000_000
MOST_SERIES = 20
MOST_POINTS = 200
SPAN_SECONDS = 3600
MOST_VALUE = 1e300  # beyond it differences are infinite
LAST_SECOND = 1e11  # in the year 5138; of much later ones there is no date
STEP_SECONDS = SPAN_SECONDS // (MOST_POINTS - 1) + 1
LONGEST_NAME = 80

Point = tuple[float, float]  # seconds since 1970, value


@dataclass(frozen=True)
class Series:
    """One line of a chart."""

    name: str
    points: tuple[Point, ...]


class NoChart(Exception):
    """There is nothing to be drawn; says why, for the delivery's attempt."""


def fetch(
    address: str, token: str, expression: str, *, until: float | None = None
) -> list[Series]:
    """Return the series of the hour before `until`. Raises NoChart."""
    ends = time.time() if until is None else until
    form = {
        "query": expression,
        "start": f"{ends - SPAN_SECONDS:.3f}",
        "end": f"{ends:.3f}",
        "step": str(STEP_SECONDS),
        "timeout": f"{SECONDS:g}s",
        "limit": str(MOST_SERIES),
    }
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        answer = http.call(
            f"{address.rstrip('/')}/api/v1/query_range",
            form=form,
            headers=headers,
            seconds=SECONDS,
            most=MOST_BYTES,
        )
    except DeliveryError as error:
        raise NoChart(f"Prometheus: {error.reason}") from error
    if answer.status not in http.SUCCESS:
        # Its words may hold the query's, never the token.
        raise NoChart(f"Prometheus: {answer.status} {answer.body[:200]}")
    found = read(answer.body)
    if not found:
        raise NoChart("Prometheus has no such series")
    return found


def read(body: str) -> list[Series]:
    """Return the series of an answer. Raises NoChart."""
    try:
        result = json.loads(body)["data"]["result"]
        if not isinstance(result, list):
            raise TypeError
        found = [one_of(one) for one in result[:MOST_SERIES]]
    except (
        ArithmeticError,
        LookupError,
        RecursionError,
        TypeError,
        ValueError,
    ) as error:
        raise NoChart("Prometheus's answer is too long, or none") from error
    return [one for one in found if one.points]


def one_of(told: Mapping[str, Any]) -> Series:
    """Return one series; what is no number that can be drawn (NaN, +Inf) is a gap."""
    pairs = ((float(at), float(value)) for at, value in told["values"][:MOST_POINTS])
    points = tuple((at, value) for at, value in pairs if drawable(at, value))
    return Series(name_of(dict(told.get("metric") or {})), points)


def drawable(at: float, value: float) -> bool:
    return 0 <= at < LAST_SECOND and abs(value) < MOST_VALUE


def name_of(labels: dict[str, Any]) -> str:
    """Return a series as Prometheus writes it."""
    name = str(labels.pop("__name__", ""))
    told = ", ".join(f"{key}={value}" for key, value in sorted(labels.items()))
    whole = f"{name}{{{told}}}" if told else name
    return "".join(c for c in whole if c.isprintable())[:LONGEST_NAME]


def host_of(address: str) -> tuple[str, str]:
    """Return scheme and place of an address: for which a token was given."""
    parts = urlsplit(address.strip().casefold())
    return parts.scheme, parts.netloc
