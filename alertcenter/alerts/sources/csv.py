"""What does a table of alerts say? A header line, then an alert a line.

Columns: title, severity, status, key, starts_at, ends_at, link; `labels.<name>` and
`annotations.<name>`; what else there is becomes a label.
"""

from __future__ import annotations

import csv
import io
from typing import Any

from alertcenter.alerts.events import Event
from alertcenter.alerts.sources.adapter import (
    Adapter,
    Incoming,
    NotUnderstood,
    as_object,
    event,
)
from alertcenter.alerts.sources.adapter import marked as _
from alertcenter.alerts.sources.shapes import moment

NAME = "csv"
MOST_ROWS = 10_000
MOST_COLUMNS = 100
OVER = ("resolved", "ok", "closed", "recovered", "0", "false")
OURS = ("title", "severity", "status", "key", "starts_at", "ends_at", "link")


def read(incoming: Incoming) -> list[Event]:
    """Return the events of the lines that have a title or a key.

    Raises NotUnderstood for a table without such columns, or one too long.
    """
    return [made for made in map(row_event, rows(incoming)) if made is not None]


def rows(incoming: Incoming) -> list[dict[str, str]]:
    """Return the lines by the names of their columns. Raises NotUnderstood."""
    text = as_object(incoming).get("text")
    if not isinstance(text, str):
        raise NotUnderstood("there is no table")
    text = text.removeprefix("\ufeff").replace("\0", "")
    head = text.partition("\n")[0]
    separator = max(",;\t", key=head.count)
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    except csv.Error as error:
        raise NotUnderstood(f"the table is broken: {error}") from error
    names = [name.strip() for name in lines[0]] if lines else []
    if not {"title", "key"} & {name.lower() for name in names}:
        raise NotUnderstood("the first line must name a column title or key")
    if len(lines) > MOST_ROWS or len(names) > MOST_COLUMNS:
        raise NotUnderstood(f"more than {MOST_ROWS} lines or {MOST_COLUMNS} columns")
    return [dict(zip(names, line, strict=False)) for line in lines[1:] if any(line)]


def row_event(row: dict[str, str]) -> Event | None:
    """Return what one line says, None for one without title and key."""
    said = {name.lower(): value.strip() for name, value in row.items()}
    title, key = said.get("title", ""), said.get("key", "")
    if not title and not key:
        return None
    labels: dict[str, Any] = {}
    annotations: dict[str, Any] = {}
    for name, value in row.items():
        kind, _dot, inner = name.partition(".")
        if kind.lower() == "annotations" and inner:
            annotations[inner] = value
        elif kind.lower() == "labels" and inner:
            labels[inner] = value
        elif name.lower() == "description":
            annotations["description"] = value
        elif name.lower() not in OURS:
            labels[name] = value
    return event(
        NAME,
        title=title or key,
        key=key or title,
        firing=said.get("status", "").lower() not in OVER,
        severity=said.get("severity", ""),
        labels=labels,
        annotations=annotations,
        link=said.get("link", ""),
        starts_at=moment(said.get("starts_at")),
        ends_at=moment(said.get("ends_at")),
    )


def recognise(incoming: Incoming) -> bool:
    data = incoming.data
    if type(data) is not dict or set(data) != {"text"} or type(data["text"]) is not str:
        return False
    head = data["text"].partition("\n")[0].lower()
    names = {name.strip() for name in head.replace(";", ",").split(",")}
    return "title" in names and len(names) > 1


ADAPTER = Adapter(
    NAME,
    "CSV",
    read,
    recognise,
    example="title,severity,status,key,labels.host\nDisk is full,critical,firing,disk/db-1,db-1\n",
    steps=(
        _("Post the file to the URL, or upload it under Alerts, Upload."),
        _(
            "The first line names the columns: title, severity, status, key, labels.host and so on."
        ),
    ),
    docs="",
    takes_text=True,
    snippet="curl -X POST {url} -H 'Content-Type: text/csv' --data-binary @alerts.csv",
)
