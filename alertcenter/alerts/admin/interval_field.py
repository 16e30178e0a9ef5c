"""How does a person fill in the entries of a time interval?

Weekdays and months are ticked; hours, days and years are written as spans. An entry
with nothing in it is left out, unless it was stored so: then it holds always.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.template.loader import render_to_string
from django.utils.dates import MONTHS, MONTHS_AP, WEEKDAYS, WEEKDAYS_ABBR
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from alertcenter.alerts import intervals
from tenants.admin_timezones import zone_names

MOST_BLOCKS = 30
# Monday first, as people read a week; Django counts Monday as 0.
WEEK = (*intervals.DAYS[1:], intervals.DAYS[0])
YEAR = intervals.MONTHS[1:]
HOURS = re.compile(r"(\d{1,2}:\d{2})\s*[-–]\s*(\d{1,2}:\d{2})")
EXAMPLES = {"days_of_month": "1:5, -1", "years": "2026, 2028:2030"}
Block = dict[str, Any]


def to_block(item: Mapping[str, Any]) -> Block:
    """Return a stored entry as the boxes of the form show it."""
    (entry,) = intervals.parse([dict(item)])
    return {
        "weekdays": [
            name for name in WEEK if within(entry.weekdays, intervals.DAYS.index(name))
        ],
        "months": [
            name for number, name in enumerate(YEAR, 1) if within(entry.months, number)
        ],
        "hours": ", ".join(
            f"{one['start_time']}-{one['end_time']}" for one in item.get("times") or []
        ),
        "days_of_month": ", ".join(map(str, item.get("days_of_month") or [])),
        "years": ", ".join(map(str, item.get("years") or [])),
        "location": item.get("location") or "",
        "always": not any(item.get(part) for part in intervals.PARTS[:-1]),
    }


def within(ranges: Sequence[tuple[int, int]], number: int) -> bool:
    return any(begin <= number <= end for begin, end in ranges)


def to_entry(block: Block) -> dict[str, Any] | None:
    """Return a filled-in entry as it is stored, None for an empty one.

    Raises ValidationError.
    """
    entry: dict[str, Any] = {
        "times": [clock_span(text) for text in pieces(block["hours"])],
        "weekdays": runs(block["weekdays"], intervals.DAYS),
        "days_of_month": pieces(block["days_of_month"]),
        "months": runs(block["months"], YEAR),
        "years": pieces(block["years"]),
    }
    entry = {part: value for part, value in entry.items() if value}
    if not entry and not block["always"]:
        return None
    for part, example in EXAMPLES.items():
        if part in entry and not readable({part: entry[part]}):
            raise ValidationError(
                _("%(text)s is not understood; write for example %(example)s."),
                params={"text": block[part], "example": example},
            )
    if block["location"]:
        entry["location"] = block["location"]
        if not readable(entry):
            raise ValidationError(
                _("%(zone)s is no time zone such as Europe/Paris."),
                params={"zone": block["location"]},
            )
    return entry


def readable(entry: dict[str, Any]) -> bool:
    try:
        intervals.parse([entry])
    except intervals.IntervalError:
        return False
    return True


def pieces(text: str) -> list[str]:
    return [piece.strip() for piece in text.split(",") if piece.strip()]


def clock_span(text: str) -> dict[str, str]:
    """Return "9:00-17:00" as it is stored. Raises ValidationError."""
    found = HOURS.fullmatch(text)
    if found:
        begin, end = (one.rjust(5, "0") for one in found.groups())
        span = {"start_time": begin, "end_time": end}
        if readable({"times": [span]}):
            return span
        if begin >= end:
            raise ValidationError(
                _(
                    "%(text)s ends before it begins: write the evening up to 24:00, "
                    "and the morning from 00:00 as another span."
                ),
                params={"text": text},
            )
    raise ValidationError(
        _("%(text)s is no span of hours such as 09:00-17:00."), params={"text": text}
    )


def runs(chosen: Sequence[str], order: Sequence[str]) -> list[str]:
    """Return names as few ranges as can be; nothing when all are chosen."""
    numbers = sorted(order.index(name) for name in set(chosen) if name in order)
    if len(numbers) == len(order):
        return []
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and number == found[-1][1] + 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return [
        order[begin] if begin == end else f"{order[begin]}:{order[end]}"
        for begin, end in found
    ]


class EntriesWidget(forms.Widget):
    """One box of fields for each entry, an empty one at the end, and a button."""

    def render(
        self, name: str, value: Any, attrs: Any = None, renderer: Any = None
    ) -> SafeString:
        blocks = [self._shown(name, number, one) for number, one in enumerate(value)]
        empty: Block = {"weekdays": [], "months": [], "always": False}
        empty |= dict.fromkeys(("hours", "days_of_month", "years", "location"), "")
        if len(blocks) < MOST_BLOCKS:
            blocks.append(self._shown(name, len(blocks), empty))
        return render_to_string(
            "admin/alertcenter/interval_entries.html",
            {
                "name": name,
                "blocks": blocks,
                "blank": self._shown(name, "__n__", empty),
                "most": MOST_BLOCKS,
                "zones": zone_names(),
            },
        )

    def _shown(self, name: str, number: object, block: Block) -> Block:
        days = [(day, WEEKDAYS_ABBR[n], WEEKDAYS[n]) for n, day in enumerate(WEEK)]
        months = [(one, MONTHS_AP[n], MONTHS[n]) for n, one in enumerate(YEAR, 1)]
        return {
            **block,
            "prefix": f"{name}-{number}",
            "days": [(*one, one[0] in block["weekdays"]) for one in days],
            "all_months": [(*one, one[0] in block["months"]) for one in months],
        }

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[Block]:
        many: Callable[[str], list[str]] = getattr(data, "getlist", lambda _key: [])
        blocks = []
        for number in range(MOST_BLOCKS):
            prefix = f"{name}-{number}"
            if f"{prefix}-hours" not in data or data.get(f"{prefix}-gone"):
                continue
            blocks.append(
                {
                    "weekdays": many(f"{prefix}-weekdays"),
                    "months": many(f"{prefix}-months"),
                    "always": bool(data.get(f"{prefix}-always")),
                }
                | {
                    part: str(data.get(f"{prefix}-{part}", "")).strip()
                    for part in ("hours", "days_of_month", "years", "location")
                }
            )
        return blocks

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return f"{name}-0-hours" not in data


class EntriesField(forms.Field):
    """The entries of a time interval, as JSON."""

    widget = EntriesWidget

    def prepare_value(self, value: Any) -> Any:
        """Stored entries become boxes; what was just sent is boxes already."""
        if value and "hours" in value[0]:
            return value
        try:
            return [to_block(item) for item in value or []]
        except intervals.IntervalError:
            return []

    def to_python(self, value: Any) -> Any:
        entries, errors = [], []
        for number, block in enumerate(value or [], start=1):
            try:
                entry = to_entry(block)
            except ValidationError as error:
                place = _("Entry %(number)s:") % {"number": number}
                errors.append(ValidationError(f"{place} {error.messages[0]}"))
                continue
            if entry is not None:
                entries.append(entry)
        if errors:
            raise ValidationError(errors)
        return entries

    def validate(self, value: Any) -> None:
        if not value:
            raise ValidationError(_("Fill in at least one entry."))

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            before = self.to_python(self.prepare_value(initial))
            return bool(before != self.to_python(data))
        except ValidationError:
            return True


def in_words(item: Mapping[str, Any]) -> str:
    """Return "Monday – Friday, 09:00-17:00 (Europe/Paris)" for a stored entry."""
    try:
        block = to_block(item)
    except intervals.IntervalError:
        return _("not readable")
    days = [spoken(run, WEEK, WEEKDAYS, 0) for run in runs(block["weekdays"], WEEK)]
    months = [spoken(run, YEAR, MONTHS, 1) for run in runs(block["months"], YEAR)]
    parts = [", ".join(days), block["hours"]]
    if block["days_of_month"]:
        parts.append(_("days %(days)s") % {"days": block["days_of_month"]})
    parts += [", ".join(months), block["years"]]
    text = ", ".join(part for part in parts if part) or _("at all times")
    return f"{text} ({block['location'] or 'UTC'})"


def spoken(run: str, order: Sequence[str], names: Mapping[int, Any], first: int) -> str:
    begin, _divider, end = run.partition(":")
    words = [str(names[order.index(one) + first]) for one in (begin, end) if one]
    return " – ".join(words)
