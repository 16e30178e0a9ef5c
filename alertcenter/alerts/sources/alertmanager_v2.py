"""What does Prometheus post to an Alertmanager? (api/v2/openapi.yaml)

Rules of POST /alerts, reference/wire-protocols.md 3.1: labels with an empty value
are dropped; at least one label; endsAt not before startsAt; without endsAt an
alert ends five minutes (resolve_timeout) after it was last seen.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

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
from alertcenter.alerts.sources.reading import parse_list

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
