"""What do alerts in Prometheus' manner say, however they are wrapped?

Their labels are their identity, so that the same alert by two roads is one alert.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alertcenter.alerts.events import (
    LONGEST_TITLE,
    LONGEST_VALUE,
    MOST_ANNOTATIONS,
    MOST_LABELS,
    Event,
    title_of,
)
from alertcenter.alerts.sources.adapter import clean, event
from alertcenter.alerts.sources.shapes import first, moment, part

RESOLVE_TIMEOUT_SECONDS = 300
OVER = ("resolved", "inactive", "normal", "ok")


def looks_labelled(item: Any) -> bool:
    """Whether this is one alert with labels of its own."""
    return (
        type(item) is dict and type(item.get("labels")) is dict and bool(item["labels"])
    )


def labelled_event(source: str, item: Mapping[str, Any], **more: Any) -> Event:
    """Return the event of one alert object; `more` goes to `event` and goes before."""
    labels = clean(part(item, "labels"), MOST_LABELS, LONGEST_VALUE)
    annotations = part(item, "annotations")
    status = first(item, "status", "state", "status.state").lower()
    values: dict[str, Any] = {
        "title": title_of(labels, clean(annotations, MOST_ANNOTATIONS, LONGEST_TITLE)),
        "key": "",
        "labels": labels,
        "annotations": annotations,
        "severity": first(labels, "severity", "priority"),
        "firing": status not in OVER,
        "link": first(item, "generatorURL", "generatorUrl"),
        "starts_at": moment(item.get("startsAt") or item.get("activeAt")),
        "ends_at": moment(item.get("endsAt")),
    }
    return event(source, **(values | more))
