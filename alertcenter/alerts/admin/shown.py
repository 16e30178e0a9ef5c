"""How do severities, states and labels look in lists?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from alertcenter.alerts.models.choices import Severity

MOST_LABELS = 12
STATE_CLASSES = {
    "firing": "bad",
    "acknowledged": "warn",
    "snoozed": "off",
    "resolved": "good",
}


def severity_pill(severity: int) -> SafeString:
    """Return the word for a severity, in its colour."""
    label = Severity(severity).label if severity in Severity.values else severity
    return format_html('<span class="sev sev-{}">{}</span>', severity, label)


def state_pill(state: str, label: Any) -> SafeString:
    """Return a state's word in its colour."""
    css = STATE_CLASSES.get(state, "")
    return format_html('<span class="pill {}">{}</span>', css, label)


def priority_words(level: int, reasons: Sequence[Mapping[str, Any]]) -> str:
    """Return the priority and why: the codes of alertcenter.alerts.priority."""
    said = [_reason(str(one.get("code")), int(one.get("value", 0))) for one in reasons]
    return f"P{level}: {', '.join(said)}" if said else f"P{level}"


def _reason(code: str, value: int) -> str:
    if code == "severity" and value in Severity.values:
        return _("severity %(severity)s") % {"severity": Severity(value).label}
    if code == "tier":
        return _("the service is vital") if value == 1 else _("the service is minor")
    if code == "dependents":
        said = ngettext(
            "%(n)s service in trouble needs it",
            "%(n)s services in trouble need it",
            value,
        )
        return said % {"n": value}
    if code == "size":
        return _("%(n)s alerts or more fire") % {"n": value}
    return _("information only") if code == "info" else code


def label_list(labels: Mapping[str, Any], most: int = MOST_LABELS) -> SafeString:
    """Return `name=value` marks, `most` of them at the most."""
    pairs = sorted(labels.items())
    items = format_html_join(
        "", "<li>{}={}</li>", ((name, value) for name, value in pairs[:most])
    )
    rest = len(pairs) - most
    more = format_html("<li>+{}</li>", rest) if rest > 0 else ""
    return format_html('<ul class="labels">{}{}</ul>', items, more)
