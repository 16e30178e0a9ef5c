"""How does a person fill in hours of the week? Days are ticked, times are clocks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.template.loader import render_to_string
from django.utils.dates import WEEKDAYS, WEEKDAYS_ABBR
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from escalation import hours
from escalation.hours import DAY_NAMES, HoursError

MOST_ROWS = 20
DAYS = [(name, WEEKDAYS[number]) for number, name in enumerate(DAY_NAMES)]


class HoursWidget(forms.Widget):
    """A row for each stretch, an empty one at the end, and a button for more."""

    class Media:
        js = ("admin/alertcenter/entries.js",)

    def render(
        self, name: str, value: Any, attrs: Any = None, renderer: Any = None
    ) -> SafeString:
        empty = {"days": list(DAY_NAMES), "begins": "", "ends": ""}
        rows = [*(value or []), *([] if value else [empty])]
        return render_to_string(
            "admin/alertcenter/hours.html",
            {
                "name": name,
                "rows": [shown(name, number, one) for number, one in enumerate(rows)],
                "blank": shown(name, "__n__", empty),
                "most": MOST_ROWS,
            },
        )

    def value_from_datadict(
        self, data: Any, files: Any, name: str
    ) -> list[dict[str, Any]]:
        many: Callable[[str], list[str]] = getattr(data, "getlist", lambda _key: [])
        rows = []
        for number in range(MOST_ROWS):
            prefix = f"{name}-{number}"
            begins, ends = (
                str(data.get(f"{prefix}-{part}", "")).strip()
                for part in ("begins", "ends")
            )
            if data.get(f"{prefix}-gone") or not (begins or ends):
                continue
            days = many(f"{prefix}-days")
            rows.append({"days": days, "begins": begins, "ends": ends})
        return rows

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        """No rows are no hours."""
        return False


def shown(name: str, number: object, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the template needs for one row."""
    chosen: Sequence[str] = row.get("days") or DAY_NAMES
    return {
        "prefix": f"{name}-{number}",
        "days": [
            (day, WEEKDAYS_ABBR[n], WEEKDAYS[n], day in chosen)
            for n, day in enumerate(DAY_NAMES)
        ],
        "begins": row.get("begins", ""),
        "ends": row.get("ends", ""),
    }


class HoursField(forms.Field):
    """Hours of the week, as `escalation.hours` reads them; none: at all hours."""

    widget = HoursWidget

    def to_python(self, value: Any) -> list[dict[str, Any]]:
        given = [
            {
                "days": row["days"] or list(DAY_NAMES),
                "begins": row["begins"] or "00:00",
                "ends": row["ends"] or "00:00",
            }
            for row in value or []
        ]
        try:
            return hours.as_json(hours.parse(given))
        except HoursError as error:
            raise ValidationError(
                _("%(text)s is no time such as 09:00."), params={"text": error.part}
            ) from error

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            before = hours.as_json(hours.parse(initial or []))
            return bool(before != self.to_python(data))
        except (ValidationError, HoursError):
            return True
