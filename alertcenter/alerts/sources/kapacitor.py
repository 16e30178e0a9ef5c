"""What does Kapacitor post for an alert?

One JSON object at each change of level, and at repeats: its id is the same at all of
them. `duration` counts the nanoseconds since it left OK.
https://docs.influxdata.com/kapacitor/v1/reference/event_handlers/post/
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from alertcenter.alerts.events import Event
from alertcenter.alerts.sources.adapter import (
    Adapter,
    Incoming,
    NotUnderstood,
    as_object,
    event,
    joined,
)
from alertcenter.alerts.sources.adapter import marked as _
from alertcenter.alerts.sources.shapes import (
    first,
    moment,
    number,
    objects,
    part,
    parts,
    plain,
    text,
)

NAME = "kapacitor"
LEVELS = frozenset({"OK", "INFO", "WARNING", "WARN", "CRITICAL", "CRIT"})
NUMBERS = {"0": "OK", "1": "INFO", "2": "WARNING", "3": "CRITICAL"}
LONGEST = 10 * 366 * 24 * 3600.0


def read(incoming: Incoming) -> list[Event]:
    """Return the one event of the body. Raises NotUnderstood."""
    data = as_object(incoming)
    level = first(data, "level", "Level", "alertLevel").upper()
    level = NUMBERS.get(level, level)
    named = first(data, "id", "ID", "alertID")
    message = first(data, "message", "Message")
    series = next(iter(objects(data, "data.series")), {})
    tags = part(series, "tags")
    if level not in LEVELS or not (named or message or series):
        raise NotUnderstood("id and level are missing")
    firing = level != "OK"
    measured = first(series, "name")
    # Kapacitor's default message only repeats the id and the level.
    plainly = message if message != f"{named} is {level}" else ""
    at = moment(first(data, "time", "Time"))
    lasted = (number(data.get("duration")) or 0.0) / 1e9
    began = at - timedelta(seconds=lasted) if at and 0 <= lasted < LONGEST else at
    return [
        event(
            NAME,
            title=plainly or named or measured,
            key=named
            or joined(measured, *(f"{one}={text(tags[one])}" for one in sorted(tags)))
            if named or series
            else message,
            firing=firing,
            severity=level if firing else first(data, "previousLevel").lower(),
            labels={
                "measurement": measured,
                "topic": first(data, "topic"),
                **tags,
                "alertname": first(data, "taskName", "task") or task(named),
            },
            annotations={
                # The default details are JSON, or HTML that is escaped once more.
                "description": plain(plain(data.get("details"))) or message,
                "value": value_of(series),
                "previous_level": first(data, "previousLevel"),
            },
            link=first(data, "url", "link"),
            starts_at=began if firing or lasted > 0 else None,
            ends_at=at,
        )
    ]


def task(named: str) -> str:
    """Return the name in an id such as "cpu:host=web-1" or "cpu/usage"."""
    return named.partition(":")[0].strip()


def value_of(series: dict[str, Any]) -> str:
    """Return the last row's values but for its time."""
    rows = parts(series, "values")
    last = rows[-1] if rows and type(rows[-1]) is list else []
    pairs = zip(parts(series, "columns"), last, strict=False)
    found = [(text(name), text(value)) for name, value in pairs if name != "time"][:20]
    found = [one for one in found if one[1]]
    if len(found) == 1:
        return found[0][1]
    return ", ".join(f"{name}={value}" for name, value in found)


def recognise(incoming: Incoming) -> bool:
    data = incoming.data
    return (
        type(data) is dict
        and type(data.get("level")) is str
        and data["level"].upper() in LEVELS
        and "id" in data
        and (
            "previousLevel" in data
            or ("duration" in data and "details" in data)
            or bool(parts(data, "data.series"))
        )
    )


ADAPTER = Adapter(
    NAME,
    "Kapacitor",
    read,
    recognise,
    example={
        "id": "cpu:host=web-1",
        "message": "CPU of web-1 is at 97 %",
        "details": "",
        "time": "2026-11-21T09:00:00Z",
        "duration": 60000000000,
        "level": "CRITICAL",
        "previousLevel": "WARNING",
        "recoverable": True,
        "data": {
            "series": [
                {
                    "name": "cpu",
                    "tags": {"host": "web-1"},
                    "columns": ["time", "usage"],
                    "values": [["2026-11-21T09:00:00Z", 97]],
                }
            ]
        },
    },
    steps=(
        _("Add .post to the alert node of your TICKscript, with the URL."),
        _("Or define a topic handler of kind post with the URL."),
        _("Use .id with the group, so that each host is an alert of its own."),
    ),
    docs="https://docs.influxdata.com/kapacitor/v1/reference/event_handlers/post/",
    snippet="""|alert()
    .id('{{ .Name }}:{{ .Group }}')
    .message('{{ .Name }} of {{ .Group }} is {{ .Level }}')
    .warn(lambda: "usage" > 80)
    .crit(lambda: "usage" > 95)
    .post('{url}')
""",
)
