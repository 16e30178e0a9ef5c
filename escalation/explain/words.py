"""How does a line of an explanation read, in the reader's language and time zone?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from alertcenter.alerts.models.alert import ClosedBy
from alertcenter.alerts.models.choices import Severity
from alertcenter.alerts.models.group import GroupState
from escalation.explain import sentences
from escalation.explain.trace import Line
from notifications.channels.registry import choices
from notifications.localize import duration
from notifications.models.delivery import OUTCOMES

TITLES: Mapping[str, Any] = {
    "dedup": _("Recognised as"),
    "rule": _("Rules"),
    "route": _("Route and group"),
    "priority": _("Service and priority"),
    "silence": _("Silences and maintenance"),
    "inhibition": _("Inhibition"),
    "crowd": _("Flapping and storms"),
    "interval": _("Time intervals"),
    "policy": _("Policy and people"),
    "notice": _("The route's channels"),
    "delivery": _("Messages and answers"),
}
CHANNELS = dict(choices())
# What codes in a line's data are called, by the name under which they stand there.
CALLED: Mapping[str, Mapping[str, Any]] = {
    "by_kind": CHANNELS,
    "kinds": CHANNELS,
    "state": dict(GroupState.choices),
    "closed_by": {str(value): label for value, label in ClosedBy.choices},
    "outcome": OUTCOMES,
    "severity": {str(value): label for value, label in Severity.choices},
    "reason": sentences.REASONS,
    "because": sentences.BECAUSE,
}
MOST_NAMED = 8


def title_of(step: str) -> str:
    """Return the heading of a step."""
    return str(TITLES.get(step, step))


def say(line: Line, zone: ZoneInfo) -> str:
    """Return the line as one sentence."""
    sentence = sentences.SENTENCES.get(line.code)
    if sentence is None:
        return line.code
    values = {name: _value(name, value, zone) for name, value in line.data.items()}
    if line.at is not None:
        values["at"] = moment(line.at, zone)
    return str(sentence) % Absent(values)


class Absent(dict[str, str]):
    """Values of a sentence; what is missing is nothing."""

    def __missing__(self, _key: str) -> str:
        return ""


def _value(name: str, value: Any, zone: ZoneInfo) -> str:
    if isinstance(value, list | tuple):
        return named([_value(name, one, zone) for one in value])
    if name in CALLED:
        return str(CALLED[name].get(str(value), value))
    if isinstance(value, datetime):
        return moment(value, zone)
    if name.endswith("seconds") and isinstance(value, int | float):
        return duration(value, get_language() or "en")
    return "" if value is None else str(value)


def named(names: list[str]) -> str:
    """Return names in a row, the first few of many."""
    shown = ", ".join(names[:MOST_NAMED]) or "–"
    return f"{shown} …" if len(names) > MOST_NAMED else shown


def moment(value: datetime, zone: ZoneInfo) -> str:
    """Return the clock time; of another day, with the date."""
    local = value.astimezone(zone)
    clock = f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"
    if local.date() == timezone.now().astimezone(zone).date():
        return clock
    return f"{date_format(local, 'SHORT_DATE_FORMAT')} {clock}"
