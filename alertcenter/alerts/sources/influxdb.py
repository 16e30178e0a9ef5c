"""What does an InfluxDB 2 check send through an HTTP notification endpoint?

One row of the status: names with an underscore are InfluxDB's, texts without one are
the series' tags, and numbers its fields.
https://docs.influxdata.com/influxdb/v2/monitor-alert/notification-endpoints/
"""

from __future__ import annotations

from alertcenter.alerts.events import Event
from alertcenter.alerts.sources.adapter import (
    Adapter,
    Data,
    Incoming,
    NotUnderstood,
    as_objects,
    event,
    joined,
)
from alertcenter.alerts.sources.adapter import marked as _
from alertcenter.alerts.sources.shapes import first, moment, text

NAME = "influxdb"
LEVELS = {
    "crit": "critical", "critical": "critical", "warn": "warning", "info": "info",
    "warning": "warning", "unknown": "warning", "ok": "",
}  # fmt: skip
OWN = frozenset({"checkid", "checkname", "level", "message", "time", "dead"})
HOSTS = ("host", "hostname", "instance", "device", "server")
MOST = 500


def read(incoming: Incoming) -> list[Event]:
    """Return an event per row. Raises NotUnderstood."""
    rows = as_objects(incoming.data)[:MOST]
    found = [status(one) for one in rows if level_of(one) in LEVELS]
    if not found:
        raise NotUnderstood("_level is missing")
    return found


def status(data: Data) -> Event:
    """Return the event of one status."""
    level = level_of(data)
    firing = level != "ok"
    check = first(data, "_check_name", "checkName", "_notification_rule_name")
    measured = first(data, "_source_measurement", "_measurement")
    tags = {
        name: value
        for name, value in list(data.items())[:100]
        if type(value) is str and name[:1] != "_" and name.lower() not in OWN
    }
    numbers = {
        name: text(value)
        for name, value in list(data.items())[:100]
        if type(value) in (int, float) and name[:1] != "_"
    }
    where = first(tags, *HOSTS)
    name = check or measured or "InfluxDB check"
    at = moment(first(data, "_status_timestamp", "_source_timestamp", "_time", "time"))
    told = ", ".join(f"{one}={value}" for one, value in numbers.items())
    return event(
        NAME,
        title=f"{name}: {where}" if where and where not in name else name,
        # Texts that are no tags do not occur: fields with texts cannot be checked.
        key=joined(
            first(data, "_check_id", "checkID") or name,
            *(f"{one}={tags[one]}" for one in sorted(tags)),
        ),
        firing=firing,
        severity=LEVELS[level],
        labels={
            "measurement": first(data, "_source_measurement"),
            "check_type": first(data, "_type"),
            "rule": first(data, "_notification_rule_name"),
            **tags,
            "alertname": name,
        },
        annotations={
            "description": first(data, "_message", "message"),
            "value": next(iter(numbers.values())) if len(numbers) == 1 else told,
        },
        link=first(data, "url", "_url"),
        starts_at=at if firing else None,
        ends_at=at,
    )


def level_of(data: Data) -> str:
    return first(data, "_level", "level").lower()


def recognise(incoming: Incoming) -> bool:
    data = incoming.data
    if type(data) is list and data:
        data = data[0]
    return (
        type(data) is dict
        and "_level" in data
        and any(one in data for one in ("_check_id", "_check_name", "_message"))
    )


ADAPTER = Adapter(
    NAME,
    "InfluxDB",
    read,
    recognise,
    example={
        "_check_id": "05a5547a510fb000",
        "_check_name": "CPU is high",
        "_level": "crit",
        "_measurement": "notifications",
        "_message": "CPU of web-1 is at 97 %",
        "_notification_rule_name": "To AlertCenter",
        "_source_measurement": "cpu",
        "_status_timestamp": 1763715600000000000,
        "_time": "2025-11-21T09:00:00Z",
        "_type": "threshold",
        "_version": 1,
        "host": "web-1",
        "usage": 97.0,
    },
    steps=(
        _("In InfluxDB, open Alerts, add a notification endpoint of kind HTTP."),
        _("Paste the URL, method POST, no authentication."),
        _("Add a notification rule for each change, also from CRIT to OK."),
    ),
    docs="https://docs.influxdata.com/influxdb/v2/monitor-alert"
    "/notification-endpoints/",
)
