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
from alertcenter.alerts.sources.adapter import (
    Adapter,
    Incoming,
    NotUnderstood,
    as_object,
    as_objects,
    is_list,
)
from alertcenter.alerts.sources.adapter import marked as _
from alertcenter.alerts.sources.labelled import labelled_event, looks_labelled
from alertcenter.alerts.sources.reading import decode, each, each_raw
from alertcenter.alerts.sources.shapes import objects

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


# --- as an adapter, for /in/auto, url keys and replays ---


def read(incoming: Incoming) -> list[Event]:
    """Return the events of a webhook body. Raises NotUnderstood."""
    data = incoming.data
    items = (
        as_objects(data) if is_list(data) else objects(as_object(incoming), "alerts")
    )
    found = [one for one in items if looks_labelled(one)]
    if not found:
        raise NotUnderstood("there is no list `alerts` of objects with labels")
    return [labelled_event(SOURCE, one) for one in found]


def recognise(incoming: Incoming) -> bool:
    data = incoming.data
    if type(data) is not dict or "orgId" in data or "evalMatches" in data:
        return False
    found = data.get("alerts")
    if type(found) is not list:
        return False
    return "groupKey" in data or (
        bool({"receiver", "commonLabels", "groupLabels"} & data.keys())
        and bool(found)
        and looks_labelled(found[0])
        and "dashboardURL" not in found[0]
    )


ADAPTER = Adapter(
    "alertmanager",
    "Prometheus Alertmanager",
    read,
    recognise,
    example={
        "version": "4",
        "groupKey": '{}:{alertname="DiskFull"}',
        "status": "firing",
        "receiver": "alertcenter",
        "alerts": [
            {
                "status": "firing",
                "labels": {
                    "alertname": "DiskFull",
                    "instance": "db-1:9100",
                    "severity": "critical",
                },
                "annotations": {"summary": "The disk of db-1 is full"},
                "startsAt": "2026-11-20T10:00:00Z",
                "endsAt": "0001-01-01T00:00:00Z",
                "generatorURL": "http://prometheus.example/graph",
            }
        ],
    },
    steps=(
        _("Add the receiver to alertmanager.yml and name it in your route."),
        _("Leave send_resolved on: it closes what no longer fires."),
    ),
    docs="https://prometheus.io/docs/alerting/latest/configuration/#webhook_config",
    snippet="""receivers:
  - name: alertcenter
    webhook_configs:
      - url: {url}
        send_resolved: true""",
)
