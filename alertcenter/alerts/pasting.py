"""Which alert did a person paste? JSON of some kinds, or labels, one a line."""

from __future__ import annotations

import json
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from alertcenter.alerts.events import BadBody, Event
from alertcenter.alerts.sources import alertmanager_webhook, own_json

LONGEST_TEXT = 100_000


def parse_event(text: str) -> Event:
    """Return the first event of a pasted text. Raises ValidationError."""
    if not text.lstrip().startswith(("{", "[")):
        return own_event({"labels": label_lines(text)})
    try:
        body = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValidationError(
            _("This is no JSON (line %(line)s, column %(column)s)."),
            params={"line": error.lineno, "column": error.colno},
        ) from error
    except (ValueError, RecursionError) as error:  # endless digits, or brackets
        raise ValidationError(_("There is no alert in this.")) from error
    return parsed_event(body)


def parsed_event(body: Any) -> Event:
    """Return the first event of JSON that was read. Raises ValidationError."""
    if isinstance(body, dict) and isinstance(body.get("alerts"), list):
        return first_event(alertmanager_webhook.parse, body)
    if isinstance(body, dict) and not {"labels", "title"} & set(body):
        body = {"labels": {str(k): str(v) for k, v in body.items()}}
    return own_event(body)


def own_event(body: Any) -> Event:
    return first_event(own_json.parse, body)


def first_event(parse: Any, body: Any) -> Event:
    """Return the first event that `parse` finds. Raises ValidationError."""
    try:
        parsed = parse(json.dumps(body).encode())
    except BadBody as error:
        raise ValidationError(str(error)) from error
    if not parsed.events:
        reasons = "; ".join(str(error.reason) for error in parsed.errors)
        raise ValidationError(reasons or _("There is no alert in this."))
    event: Event = parsed.events[0]
    return event


def label_lines(text: str) -> dict[str, str]:
    """Read name=value lines. Raises ValidationError."""
    labels = {}
    for line in text.splitlines():
        name, divider, value = line.partition("=")
        if not line.strip():
            continue
        if not divider:
            raise ValidationError(
                _("%(line)s: write name=value."), params={"line": line.strip()}
            )
        labels[name.strip()] = value.strip().strip('"')
    return labels
