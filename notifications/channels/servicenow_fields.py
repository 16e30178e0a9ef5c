"""What stands in a ServiceNow record? Our facts, and what the tenant's templates say.

The lengths are those of the incident table as it is shipped: short_description 160,
correlation_id 100, description and journal fields 4,000 and more.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alertcenter.common.sandbox import Broken, Compiled, compile_source
from notifications import rendering
from notifications.channels import tooling
from notifications.channels.base import DeliveryError, Parcel
from notifications.samples import sample

TABLE = "incident"
LONGEST_TITLE = 160
LONGEST_TEXT = 4_000
LONGEST_VALUE = 1_000
MOST_FIELDS = 50
NAME = re.compile(r"[a-z][a-z0-9_]{0,79}")
OURS = frozenset(("sys_id", "number", "correlation_id"))
# Impact and urgency, 1 to 3, from which ServiceNow's priority lookup makes 1 to 5.
LEVELS = {1: (1, 1), 2: (1, 2), 3: (2, 2), 4: (2, 3), 5: (3, 3)}
PRIORITIES = {5: 1, 4: 2, 3: 3, 2: 4, 1: 5}  # by severity
# Of incidents; other tables may have others.
STATES = (
    ("state_new", gettext_lazy("State of what is new"), "1"),
    ("state_taken", gettext_lazy("State of what is taken"), "2"),
    ("state_resolved", gettext_lazy("State of what is resolved"), "6"),
)
CLOSED = ("7", "8")  # closed, cancelled
CLOSE_CODE = "Solution provided"
CLOSE_NOTES = "{{ note or state.label }} · {{ title }}"


def opened(parcel: Parcel) -> dict[str, Any]:
    """Return the fields of a new record. Raises DeliveryError."""
    message = parcel.message
    impact, urgency = levels(parcel)
    fields = {
        "short_description": tooling.title_of(parcel, LONGEST_TITLE),
        "description": description(parcel),
        "impact": str(impact),
        "urgency": str(urgency),
        "correlation_display": "AlertCenter",
    }
    given = read(parcel.settings.get("fields") or "")
    facts = context_of(parcel) if given else {}
    for name, source in given.items():
        if value := rendered(source, facts):
            fields[name] = value
    if message.state == "resolved":  # cannot be: nothing is opened that is over
        fields["state"] = state_of(parcel, "state_resolved")
    return fields | {"correlation_id": tooling.name_of(parcel)}


def resolved(parcel: Parcel) -> dict[str, Any]:
    """Return the fields that resolve a record. Raises DeliveryError."""
    source = str(parcel.settings.get("close_notes") or CLOSE_NOTES)
    notes = rendered(source, context_of(parcel))
    return {
        "state": state_of(parcel, "state_resolved"),
        "close_code": str(parcel.settings.get("close_code") or CLOSE_CODE),
        "close_notes": tooling.fitted(notes, LONGEST_TEXT) or parcel.title,
    }


def state_of(parcel: Parcel, name: str) -> str:
    usual = next(default for known, _label, default in STATES if known == name)
    return str(parcel.settings.get(name) or usual)


def levels(parcel: Parcel) -> tuple[int, int]:
    """Return impact and urgency."""
    message = parcel.message
    priority = message.priority or PRIORITIES.get(message.severity, 3)
    return LEVELS.get(priority, LEVELS[3])


def description(parcel: Parcel) -> str:
    """Return the words; the link stays, however long they are."""
    message = parcel.message
    links = [tooling.web(message.url), tooling.web(message.runbook)]
    tail = "\n".join(link for link in links if link)
    room = LONGEST_TEXT - len(tail) - 2
    return f"{tooling.fitted(parcel.body, room)}\n\n{tail}".strip()


def words(parcel: Parcel) -> str:
    """Return what is noted in a record of what is told once more."""
    text = f"{parcel.title}\n{parcel.body}".strip()
    return tooling.fitted(text, LONGEST_TEXT)


# --- templates ---


def context_of(parcel: Parcel) -> dict[str, Any]:
    return rendering.context(parcel.message, parcel.language, parcel.time_zone) | {
        "text": parcel.body
    }


@lru_cache(maxsize=512)
def compiled(source: str) -> Compiled:
    return compile_source(source)


def rendered(source: str, facts: Mapping[str, Any]) -> str:
    """Return a field's text. Raises DeliveryError, permanent."""
    try:
        return tooling.fitted(compiled(source).render(facts).strip(), LONGEST_TEXT)
    except Broken as broken:
        raise DeliveryError(broken.reason, permanent=True) from broken


@lru_cache(maxsize=256)
def read(text: str) -> Mapping[str, str]:
    """Return the templates by field, of the JSON that `fields_setting` took."""
    found = json.loads(text) if text.strip() else {}
    return {str(k): str(v) for k, v in found.items()} if found else {}


# --- what its page accepts ---


def fields_setting(text: str) -> str:
    """Return JSON that names a template for each field. Raises ValidationError."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValidationError(
            _("This is not JSON: %(error)s") % {"error": error}
        ) from error
    if not isinstance(found, dict) or len(found) > MOST_FIELDS:
        raise ValidationError(_("Give an object with at most fifty fields."))
    for name, value in found.items():
        if not NAME.fullmatch(name) or name in OURS:
            words = {"name": name}
            raise ValidationError(_("The field %(name)s cannot be set.") % words)
        if not isinstance(value, str | int | float):
            words = {"name": name}
            raise ValidationError(_("The field %(name)s needs a text.") % words)
        a_template(str(value))
    return text.strip()


def a_template(source: str) -> str:
    """Return a template that works on examples. Raises ValidationError."""
    try:
        template = compile_source(source)
        for kind in ("firing", "resolved", "storm"):
            facts = rendering.context(sample(kind), "en", "UTC")
            template.render(facts | {"text": ""})
    except Broken as broken:
        raise ValidationError(broken.reason) from broken
    return source


def a_table(name: str) -> str:
    """Return the name of a table. Raises ValidationError."""
    if not NAME.fullmatch(name):
        raise ValidationError(_("A table's name is such as incident or u_alert."))
    return name


def a_value(value: str) -> str:
    """Return the value of a choice. Raises ValidationError."""
    if not re.fullmatch(r"[\w -]{1,40}", value):
        raise ValidationError(_("Give the value of a choice, such as 2."))
    return value
