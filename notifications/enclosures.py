"""What is sent along when more belongs to a group than fits into its message?

This room knows no alert: rooms above append to `sources` in apps.ready(). A file is
bounded in rows and bytes, and says how many there are in all.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from notifications.channels.base import Parcel
from notifications.channels.letters_text import cut, lines, one_line

MOST_ROWS = 1_000
MOST_BYTES = 256 * 1024  # a mail with both files stays far below every server's limit
LONGEST_CELL = 2_000
CSV, JSON, BOTH, NOTHING = "csv", "json", "both", "none"
CHOICES = (CSV, JSON, BOTH, NOTHING)
COLUMNS = ("title", "severity", "state", "starts_at", "summary", "link", "labels")
# What a spreadsheet takes for a formula (https://owasp.org/www-community/attacks/
# CSV_Injection); a quote before it makes it text.
FORMULA = ("=", "+", "-", "@", "\t", "\r")

Row = Mapping[str, Any]
# Called inside the tenant's context with tenant, group and the most rows wanted; each
# row has COLUMNS, with labels as a dictionary.
Source = Callable[[UUID, UUID, int], Sequence[Row]]
sources: list[Source] = []


@dataclass(frozen=True)
class Enclosure:
    """One file: `rows` of the group's alerts, as text/csv or application/json."""

    name: str
    maintype: str
    subtype: str
    content: bytes
    rows: int


def enclosures(parcel: Parcel) -> list[Enclosure]:
    """Return the files of a mail; none when all is said in the mail itself.

    Needs the tenant's context.
    """
    wanted = str(parcel.settings.get("attach") or CSV)
    message = parcel.message
    too_many = message.alert_count > len(message.alerts) and not message.storm
    if parcel.kind != "page" or not too_many or wanted == NOTHING:
        return []
    rows = [
        row
        for source in sources
        for row in source(parcel.tenant_id, UUID(message.group_id), MOST_ROWS)
    ][:MOST_ROWS]
    makers = {CSV: [as_csv], JSON: [as_json], BOTH: [as_csv, as_json]}
    return [make(parcel, rows) for make in makers.get(wanted, [as_csv])] if rows else []


def as_csv(parcel: Parcel, rows: Sequence[Row]) -> Enclosure:
    """Return what a spreadsheet opens (RFC 4180), with the mark that Excel needs."""
    parts, size = [csv_line(COLUMNS)], 0
    for row in rows:
        line = csv_line([cell(row.get(name, "")) for name in COLUMNS])
        size += len(line.encode())
        if size > MOST_BYTES:
            break
        parts.append(line)
    content = "".join(parts).encode("utf-8-sig")
    name = f"{stem(parcel)}.csv"
    return Enclosure(name, "text", "csv", content, len(parts) - 1)


def csv_line(cells: Sequence[str]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerow(cells)
    return text.getvalue()


def cell(value: Any) -> str:
    """Return a cell that no spreadsheet calculates."""
    if isinstance(value, Mapping):
        value = "; ".join(f"{key}={said}" for key, said in sorted(value.items()))
    text = cut(lines(str(value)), LONGEST_CELL)
    return f"'{text}" if text.startswith(FORMULA) else text


def as_json(parcel: Parcel, rows: Sequence[Row]) -> Enclosure:
    """Return what a program reads."""
    held = list(within(MOST_BYTES, rows))
    whole = {
        "group": parcel.message.group_id,
        "number": parcel.message.number,
        "title": one_line(parcel.message.title, LONGEST_CELL),
        "alert_count": parcel.message.alert_count,
        "listed": len(held),
        "alerts": held,
    }
    content = json.dumps(whole, ensure_ascii=True).encode()
    return Enclosure(f"{stem(parcel)}.json", "application", "json", content, len(held))


def within(most: int, rows: Sequence[Row]) -> Iterator[Row]:
    """Yield rows while their JSON stays below `most` bytes."""
    for row in rows:
        most -= len(json.dumps(row))
        if most < 0:
            return
        yield row


def stem(parcel: Parcel) -> str:
    return f"group-{parcel.message.number}-alerts"
