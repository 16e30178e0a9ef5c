"""What is our own JSON? One event or a list of them.

`{"title": ..., "severity": "critical", "status": "firing", "key": ..., "labels": {},
"annotations": {}, "starts_at": ..., "ends_at": ..., "expires_in": 600, "link": ...}`
Only a title, a label or a key is required. With a `key`, that is the identity; without
one the labels are; without labels the title becomes the label `alertname`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from alertcenter.alerts import severity
from alertcenter.alerts.events import (
    LONGEST_KEY,
    LONGEST_TITLE,
    BadBody,
    BadItem,
    Event,
    Parsed,
    check_annotations,
    check_labels,
    check_text,
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
from alertcenter.alerts.sources.reading import decode, parse_list

SOURCE = "api"
LONGEST_TTL = 30 * 24 * 3600


class OwnEvent(msgspec.Struct):
    """One event in our own words; times are RFC 3339."""

    title: str = ""
    severity: str = ""
    status: Literal["firing", "resolved"] = "firing"
    key: str = ""
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    expires_in: Annotated[int, msgspec.Meta(ge=1, le=LONGEST_TTL)] | None = None
    link: str = ""


ALL = msgspec.json.Decoder(list[OwnEvent])
ONE = msgspec.json.Decoder(OwnEvent)


def parse(body: bytes) -> Parsed:
    """Return the events of a body: one object, or a list. Raises BadBody."""
    start = body.lstrip()[:1]
    if start == b"[":
        return parse_list(body, ALL, ONE, to_event)
    if start != b"{":
        raise BadBody("the body must be a JSON object or a list of objects")
    parsed = Parsed()
    try:
        parsed.add(0, to_event(decode(ONE, body)))
    except (BadItem, msgspec.ValidationError) as error:
        parsed.refuse(0, str(error))
    return parsed


def to_event(item: OwnEvent) -> Event:
    """Return the event that `item` says. Raises BadItem."""
    labels = check_labels(item.labels)
    annotations = check_annotations(item.annotations)
    check_text(item.title, "the title")
    check_text(item.key, "the key")
    if len(item.key) > LONGEST_KEY:
        raise BadItem(f"the key is longer than {LONGEST_KEY} characters")
    if not labels and not item.title and not item.key:
        raise BadItem("an event needs a title, a label or a key")
    if not labels and not item.key:
        labels = {"alertname": item.title[:LONGEST_TITLE]}
    starts_at, ends_at = clean_time(item.starts_at), clean_time(item.ends_at)
    if starts_at and ends_at and ends_at < starts_at:
        raise BadItem("ends_at lies before starts_at")
    if item.severity and item.severity.strip().lower() not in severity.WORDS:
        raise BadItem(f"{item.severity[:40]!r} is not a severity")
    return Event(
        labels=labels,
        title=item.title[:LONGEST_TITLE]
        or (title_of(labels, annotations) if labels or annotations else item.key),
        severity=severity.parse(item.severity)
        if item.severity
        else severity_of(labels),
        source=SOURCE,
        firing=item.status == "firing",
        annotations=annotations,
        key=item.key or None,
        starts_at=starts_at,
        ends_at=ends_at,
        ttl_seconds=item.expires_in,
        link=clean_link(item.link),
    )


# --- as an adapter, for /in/auto, url keys and replays ---


def read(incoming: Incoming) -> list[Event]:
    """Return the events in our own words. Raises NotUnderstood."""
    items = as_objects(incoming.data)
    if not items:
        raise NotUnderstood("there is no event")
    try:
        return [to_event(msgspec.convert(item, OwnEvent)) for item in items]
    except (BadItem, msgspec.ValidationError) as error:
        raise NotUnderstood(str(error)) from error


def recognise(incoming: Incoming) -> bool:
    items = as_objects(incoming.data)
    return bool(items) and all(
        "title" in item and NAMES.issuperset(item) and MARKS & item.keys()
        for item in items
    )


NAMES = frozenset(OwnEvent.__struct_fields__)
# What others who say "title" do not say beside it.
MARKS = frozenset({"expires_in", "starts_at", "key"})

ADAPTER = Adapter(
    "events",
    "JSON in our own words",
    read,
    recognise,
    example={
        "title": "The nightly backup failed",
        "key": "backup/db-1",
        "severity": "error",
        "status": "firing",
        "labels": {"host": "db-1", "job": "backup"},
        "annotations": {"description": "pg_dump ended with 1."},
    },
    steps=(
        _("Send a POST for each event; the same key with status resolved closes it."),
        _("The Swagger page at /api/docs/ describes every field."),
    ),
    docs="",
    snippet="""curl -X POST {url} \\
  -H 'Content-Type: application/json' \\
  -d '{example}'""",
)
