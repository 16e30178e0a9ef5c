"""How does a person write hours of the week? One line each: `mon-fri 09:00-17:00`."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from escalation import hours
from escalation.hours import DAY_NAMES, HoursError
from tenants.admin_forms import LinesField


class HoursField(LinesField):
    """The JSON of `escalation.hours`, as lines that a person reads."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault(
            "help_text",
            gettext_lazy("One line each, such as “mon-fri 09:00-17:00”."),
        )
        super().__init__(**kwargs)

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, list) and all(isinstance(one, dict) for one in value):
            return "\n".join(map(line_of, value))
        return super().prepare_value(value)

    def to_python(self, value: Any) -> Any:
        if isinstance(value, list):
            return value
        return [hours_of(line) for line in super().to_python(value)]

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool((initial or []) != self.to_python(data))
        except ValidationError:
            return True


def line_of(one: dict[str, Any]) -> str:
    """Return `mon-fri 09:00-17:00`."""
    found = [day for day in DAY_NAMES if day in one.get("days", DAY_NAMES)]
    first, last = DAY_NAMES.index(found[0]), DAY_NAMES.index(found[-1])
    if len(found) > 2 and last - first == len(found) - 1:
        days = f"{found[0]}-{found[-1]}"
    else:
        days = ",".join(found)
    return f"{days} {one.get('begins', '00:00')}-{one.get('ends', '00:00')}"


def hours_of(line: str) -> dict[str, Any]:
    """Read such a line. Raises ValidationError."""
    days, _blank, clock = line.strip().lower().partition(" ")
    begins, divider, ends = clock.replace(" ", "").partition("-")
    try:
        if not divider:
            raise HoursError("line")
        made = {"days": days_of(days), "begins": begins, "ends": ends}
        (read,) = hours.as_json(hours.parse([made]))
    except HoursError as error:
        raise ValidationError(
            _("%(line)s: write for example “mon-fri 09:00-17:00” (%(what)s)."),
            params={"line": line, "what": error.part or error.code},
        ) from error
    return read


def days_of(text: str) -> list[str]:
    """Read `mon-wed,fri`; `sat-mon` goes over the week's end. Raises HoursError."""
    found: list[str] = []
    for part in text.split(","):
        first, divider, last = part.partition("-")
        for name in (first, last if divider else first):
            if name not in DAY_NAMES:
                raise HoursError("day", name[:20])
        at = DAY_NAMES.index(first)
        found.append(first)
        while divider and DAY_NAMES[at] != last:
            at = (at + 1) % len(DAY_NAMES)
            found.append(DAY_NAMES[at])
    return [day for day in DAY_NAMES if day in found]
