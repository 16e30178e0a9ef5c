"""What does Prometheus post to an Alertmanager? (api/v2/openapi.yaml)

Rules of POST /alerts, reference/wire-protocols.md 3.1: labels with an empty value
are dropped; at least one label; endsAt not before startsAt; without endsAt an
alert ends five minutes (resolve_timeout) after it was last seen.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from alertcenter.alerts.events import (
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
    as_objects,
)
from alertcenter.alerts.sources.adapter import marked as _
from alertcenter.alerts.sources.labelled import labelled_event, looks_labelled
from alertcenter.alerts.sources.reading import parse_list
from alertcenter.alerts.sources.shapes import at, moment, objects

RESOLVE_TIMEOUT_SECONDS = 300
SOURCE = "prometheus"


class PostableAlert(msgspec.Struct):
    """One alert as Prometheus sends it."""

    labels: dict[str, str]
    annotations: dict[str, str] = {}
    startsAt: datetime | None = None
    endsAt: datetime | None = None
    generatorURL: str = ""


class UndecodedAlert(msgspec.Struct):
    """The same, its parts as they stand in the body."""

    labels: msgspec.Raw
    annotations: msgspec.Raw = msgspec.Raw(b"{}")
    startsAt: msgspec.Raw = msgspec.Raw(b"null")
    endsAt: msgspec.Raw = msgspec.Raw(b"null")
    generatorURL: msgspec.Raw = msgspec.Raw(b'""')


ALL = msgspec.json.Decoder(list[PostableAlert])
ONE = msgspec.json.Decoder(PostableAlert)
UNDECODED = msgspec.json.Decoder(list[UndecodedAlert])
TEXTS = msgspec.json.Decoder(dict[str, str])
MOMENT = msgspec.json.Decoder(datetime | None)
TEXT = msgspec.json.Decoder(str)


def parse(body: bytes) -> Parsed:
    """Return the events of a POST /api/v2/alerts body. Raises BadBody."""
    return parse_list(body, ALL, ONE, to_event)


def to_event(alert: PostableAlert) -> Event:
    """Return the event that `alert` says. Raises BadItem."""
    labels = check_labels(alert.labels)
    if not labels:
        raise BadItem("at least one label pair required")
    annotations = check_annotations(alert.annotations)
    starts_at = clean_time(alert.startsAt)
    ends_at = clean_time(alert.endsAt)
    if starts_at and ends_at and ends_at < starts_at:
        raise BadItem("start time must be before end time")
    return Event(
        labels=labels,
        title=title_of(labels, annotations),
        severity=severity_of(labels),
        source=SOURCE,
        annotations=annotations,
        starts_at=starts_at or ends_at,
        ends_at=ends_at,
        ttl_seconds=RESOLVE_TIMEOUT_SECONDS,
        link=clean_link(alert.generatorURL),
    )


def decoded(alert: UndecodedAlert, ends_at: datetime | None) -> Event:
    """Return the event that `alert` says, whose end is read already.

    Raises BadItem, and msgspec's errors for parts of a wrong type.
    """
    return to_event(
        PostableAlert(
            TEXTS.decode(alert.labels),
            TEXTS.decode(alert.annotations),
            MOMENT.decode(alert.startsAt),
            ends_at,
            TEXT.decode(alert.generatorURL),
        )
    )


# --- as an adapter, for /in/auto, url keys and replays ---


def read(incoming: Incoming) -> list[Event]:
    """Return the events of a list of alerts, as Prometheus posts it or as its
    /api/v1/alerts answers. Raises NotUnderstood."""
    items = as_objects(incoming.data)
    if len(items) == 1 and not looks_labelled(items[0]):
        items = objects(items[0], "data.alerts") or objects(items[0], "alerts")
    items = [one for one in items if looks_labelled(one)]
    if not items:
        raise NotUnderstood("there is no alert with labels")
    return [one_event(one) for one in items]


def one_event(item: dict[str, Any]) -> Event:
    if "status" in item or "state" in item:
        return labelled_event(SOURCE, item, ttl_seconds=RESOLVE_TIMEOUT_SECONDS)
    # Whether its end has passed is for the database's clock to say.
    made = labelled_event(SOURCE, item)
    return replace(
        made,
        firing=None,
        ends_at=clean_time(moment(item.get("endsAt"))),
        ttl_seconds=RESOLVE_TIMEOUT_SECONDS,
    )


def recognise(incoming: Incoming) -> bool:
    data = incoming.data
    if at(data, "data.alerts.0.labels") is not None:
        return True
    one = data[0] if type(data) is list and data else data
    return (
        looks_labelled(one)
        and KNOWN.issuperset(one)
        and bool({"annotations", "startsAt", "activeAt"} & one.keys())
    )


# What an alert of Prometheus may hold; our own JSON has a title or a key beside it.
KNOWN = frozenset(
    {
        "labels",
        "annotations",
        "startsAt",
        "endsAt",
        "generatorURL",
        "activeAt",
        "state",
        "status",
        "value",
        "fingerprint",
        "receivers",
        "updatedAt",
    }
)

ADAPTER = Adapter(
    "prometheus",
    "Prometheus",
    read,
    recognise,
    example=[
        {
            "labels": {
                "alertname": "HighLatency",
                "instance": "web-1:9090",
                "severity": "warning",
            },
            "annotations": {"summary": "web-1 answers slowly"},
            "startsAt": "2026-11-20T10:00:00Z",
            "generatorURL": "http://prometheus.example/graph",
        }
    ],
    steps=(
        _("Add the lines to prometheus.yml; AlertCenter is one more Alertmanager."),
        _("Reload Prometheus. Watch for the first alert, or send the example."),
    ),
    docs="https://prometheus.io/docs/prometheus/latest/configuration/configuration/#alertmanager_config",
    snippet="""alerting:
  alertmanagers:
    - scheme: {scheme}
      path_prefix: /t/{slug}
      authorization:
        credentials: {key}
      static_configs:
        - targets: ["{host}"]""",
)
