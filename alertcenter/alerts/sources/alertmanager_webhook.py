"""What does Alertmanager's webhook receiver send? (version "4", template/template.go)

Each alert carries its own status; firing ones have the zero endsAt. The labels are
the identity, so that the same alert from Prometheus directly is the same alert.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from alertcenter.alerts.events import (
    BadBody,
    BadItem,
    Event,
    Parsed,
    check_annotations,
    check_labels,
    clean_link,
    clean_time,
    severity_of,
    title_of,
)
from alertcenter.alerts.sources.reading import decode, each, each_raw

SOURCE = "alertmanager"


class WebhookAlert(msgspec.Struct):
    """One alert of a webhook body."""

    labels: dict[str, str]
    status: Literal["firing", "resolved"]
    annotations: dict[str, str] = {}
    startsAt: datetime | None = None
    endsAt: datetime | None = None
    generatorURL: str = ""


class Webhook(msgspec.Struct):
    """The body; everything but the alerts is Alertmanager's own view."""

    alerts: list[WebhookAlert]


class RawWebhook(msgspec.Struct):
    """The body with alerts undecoded."""

    alerts: list[msgspec.Raw]


ALL = msgspec.json.Decoder(Webhook)
RAW = msgspec.json.Decoder(RawWebhook)
ONE = msgspec.json.Decoder(WebhookAlert)


def parse(body: bytes) -> Parsed:
    """Return the events of a webhook body. Raises BadBody."""
    try:
        return each(decode(ALL, body).alerts, to_event)
    except msgspec.ValidationError:
        pass
    try:
        raw = decode(RAW, body)
    except msgspec.ValidationError as error:
        raise BadBody(
            "the body must be an object with a list `alerts`, as Alertmanager sends it"
        ) from error
    return each_raw(raw.alerts, ONE, to_event)


def to_event(alert: WebhookAlert) -> Event:
    """Return the event that `alert` says. Raises BadItem."""
    labels = check_labels(alert.labels)
    if not labels:
        raise BadItem("at least one label pair required")
    annotations = check_annotations(alert.annotations)
    firing = alert.status == "firing"
    return Event(
        labels=labels,
        title=title_of(labels, annotations),
        severity=severity_of(labels),
        source=SOURCE,
        firing=firing,
        annotations=annotations,
        starts_at=clean_time(alert.startsAt),
        ends_at=None if firing else clean_time(alert.endsAt),
        link=clean_link(alert.generatorURL),
    )
