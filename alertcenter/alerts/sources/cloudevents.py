"""What does a CloudEvent of nobody we know say?

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md
Both ways of HTTP: all in the body, or the attributes in headers (ce-type, ce-source).
"""

from __future__ import annotations

from alertcenter.alerts.events import Event
from alertcenter.alerts.sources.adapter import (
    Adapter,
    Data,
    Incoming,
    NotUnderstood,
    as_object,
    event,
    joined,
)
from alertcenter.alerts.sources.adapter import marked as _
from alertcenter.alerts.sources.shapes import first, moment, part, without

NAME = "cloudevents"
HEADERS = ("ce-type", "ce-source", "ce-subject", "ce-time", "ce-id")
OVER = frozenset({
    "resolved", "recovered", "closed", "cleared", "ok", "normal", "succeeded", "healthy",
    "completed", "inactive", "success", "up", "fixed", "recovery",
})  # fmt: skip
BEGUN = frozenset({
    "firing", "triggered", "opened", "created", "failed", "raised", "alerting", "down",
    "failing", "started", "active", "activated", "updated", "degraded", "error",
})  # fmt: skip
KNOWN = ("specversion", "id", "source", "type", "subject", "time", "data",
         "datacontenttype", "dataschema", "data_base64", "traceparent")  # fmt: skip
DAY = 24 * 3600


def read(incoming: Incoming) -> list[Event]:
    """Return the one event of the body. Raises NotUnderstood."""
    whole = as_object(incoming)
    kind = first(whole, "type") if "specversion" in whole else ""
    binary = not kind and bool(incoming.header("ce-type"))
    kind = kind or incoming.header("ce-type")
    if not kind:
        raise NotUnderstood("specversion and type, or the header ce-type, are missing")
    found = whole if binary else part(whole, "data")

    def said(name: str) -> str:
        return incoming.header(f"ce-{name}") if binary else first(whole, name)

    source, subject = said("source"), said("subject")
    stem, _dot, last = kind.rpartition(".")
    state = first(found, "status", "state", "alert.status", "phase").lower()
    if state not in OVER | BEGUN:
        state = last.lower()
    name = stem if last.lower() in OVER | BEGUN and stem else kind
    title = first(
        found, "title", "summary", "message", "name", "alertname", "description", "text"
    )
    about = subject or first(found, "key", "alert_id", "id", "resource", "name")
    at = moment(said("time"))
    labels = part(found, "labels") or part(found, "tags")
    return [
        event(
            NAME,
            title=title or (f"{name}: {about}" if about else name),
            key=joined(source, name, about or title),
            firing=state not in OVER,
            severity=first(found, "severity", "level", "priority", "labels.severity")
            or ("error" if state in ("failed", "error", "down") else "warning"),
            labels={
                "alertname": name,
                "source": source,
                "subject": subject,
                **labels,
                **(extensions(whole) if not binary else {}),
            },
            annotations={
                "description": first(found, "description", "message", "text"),
                "value": first(found, "value"),
                "data": "" if found else first(whole, "data")[:2000],
            },
            link=first(found, "url", "link", "html_url"),
            starts_at=at,
            ends_at=at,
            ttl_seconds=DAY,
        )
    ]


def extensions(whole: Data) -> Data:
    """Return the attributes that are not in the specification, as environment."""
    return {
        name: value
        for name, value in list(without(whole, *KNOWN).items())[:20]
        if type(value) is str and len(value) < 200
    }


def recognise(incoming: Incoming) -> bool:
    data = incoming.data
    if type(data) is not dict:
        return False
    if incoming.header("ce-type") and incoming.header("ce-source"):
        return True
    return {"specversion", "type", "source", "id"} <= data.keys()


ADAPTER = Adapter(
    NAME,
    "CloudEvents",
    read,
    recognise,
    example={
        "specversion": "1.0",
        "id": "a-1",
        "source": "/backups/eu",
        "type": "example.backup.failed",
        "subject": "db-1",
        "time": "2026-11-20T10:00:00Z",
        "datacontenttype": "application/json",
        "data": {"message": "Backup of db-1 failed", "severity": "error"},
    },
    headers=HEADERS,
    steps=(
        _("Make the URL the sink of your events, in structured or binary mode."),
        _("A type that ends in resolved or succeeded closes what has its subject."),
    ),
    docs="https://cloudevents.io/",
)
