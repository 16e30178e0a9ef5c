"""What does Honeycomb send for triggers and burn alerts?

A trigger, or a burn alert, is one alert; the groups that crossed its threshold are told
in the description, because what resolves it names none of them.
https://docs.honeycomb.io/notify/webhooks/
"""

from __future__ import annotations

from alertcenter.alerts.events import Event
from alertcenter.alerts.sources.adapter import (
    Adapter,
    Data,
    Incoming,
    NotUnderstood,
    as_object,
    event,
)
from alertcenter.alerts.sources.adapter import marked as _
from alertcenter.alerts.sources.shapes import at, first, moment, objects, part, text

NAME = "honeycomb"
OVER = frozenset({"ok", "resolved", "recovered", "normal"})
MOST_GROUPS = 10
STATES = ("triggered: ", "resolved: ", "ok: ")
SIGNS = ("result_groups", "result_groups_triggered", "burn_alert_id", "trigger_url")


def read(incoming: Incoming) -> list[Event]:
    """Return the one event of the body. Raises NotUnderstood."""
    data = as_object(incoming)
    name = first(data, "name", "alert.name", "slo.name", "trigger.name")
    name = name or without_state(first(data, "summary", "alert.summary", "title"))
    status = first(data, "status", "alert.status", "state").lower()
    number = first(data, "burn_alert_id", "alert.id", "id", "trigger_id", "trigger_url")
    if not name or not (status or number):
        raise NotUnderstood("a name with a status or an id is missing")
    sets = at(data, "datasets")
    when = moment(
        first(data, "timestamp", "alert.timestamp", "alert.instance.timestamp")
    )
    return [
        event(
            NAME,
            title=name,
            key=number or name,
            firing=status not in OVER,
            severity=first(data, "severity", "alert.severity", "vars.severity")
            or ("info" if at(data, "is_test") is True else "error"),
            labels={
                "alertname": name,
                "environment": first(data, "environment", "environment.name"),
                "dataset": ", ".join(map(text, sets[:5]))
                if type(sets) is list
                else first(data, "dataset", "datasets"),
                "slo": first(data, "slo.name", "slo_name"),
                **group_of(data),
            },
            annotations={
                "description": first(data, "description", "alert.description")
                or first(data, "summary", "alert.summary"),
                "groups": groups_of(data),
                "threshold": " ".join(
                    filter(None, (first(data, "operator"), first(data, "threshold")))
                ),
                "result_url": first(data, "result_url", "result.url"),
                "runbook_url": first(data, "runbook_url", "vars.runbook_url"),
            },
            link=first(data, "trigger_url", "slo_url", "slo.url", "result_url", "url"),
            starts_at=when,
            ends_at=when,
        )
    ]  # fmt: skip


def triggered(data: Data) -> list[Data]:
    """Return the groups that crossed the threshold."""
    return (
        objects(data, "result_groups_triggered")
        or objects(data, "result.groups_triggered")
    )[:MOST_GROUPS]


def group_of(data: Data) -> dict[str, str]:
    """Return the one group's fields as labels: of several, none would be right."""
    groups = triggered(data)
    if len(groups) != 1:
        return {}
    found = part(groups[0], "Group") or part(groups[0], "group")
    return {name: text(value) for name, value in list(found.items())[:MOST_GROUPS]}


def groups_of(data: Data) -> str:
    """Return each group and its value, in words."""
    lines = []
    for one in triggered(data):
        found = part(one, "Group") or part(one, "group")
        words = ", ".join(
            f"{name}={text(value)}" for name, value in list(found.items())[:MOST_GROUPS]
        )
        lines.append(f"{words or 'all'}: {first(one, 'Result', 'result')}")
    return "\n".join(lines)


def without_state(summary: str) -> str:
    """Return the summary without "Triggered: ", which its resolution does not say."""
    for state in STATES:
        if summary.lower().startswith(state):
            return summary[len(state) :].strip()
    return summary


def recognise(incoming: Incoming) -> bool:
    data = incoming.data
    return (
        type(data) is dict
        and "status" in data
        and ("shared_secret" in data or any(sign in data for sign in SIGNS))
        and ("name" in data or "summary" in data)
    )


ADAPTER = Adapter(
    NAME,
    "Honeycomb",
    read,
    recognise,
    example={
        "version": "v0.1.0",
        "id": "tr1",
        "name": "Checkout is slow",
        "trigger_url": "https://ui.honeycomb.io/acme/datasets/shop/triggers/tr1",
        "status": "TRIGGERED",
        "summary": "Triggered: Checkout is slow",
        "description": "P95 of checkout is over two seconds",
        "operator": "greater than",
        "threshold": 2,
        "result_url": "",
        "result_groups": [{"Group": {"endpoint": "/checkout"}, "Result": 3.1}],
        "result_groups_triggered": [
            {"Group": {"endpoint": "/checkout"}, "Result": 3.1}
        ],
    },
    steps=(
        _("In Honeycomb, open Team Settings, Integrations, and add a webhook."),
        _("Paste the URL, keep the payload, and add it to triggers and burn alerts."),
    ),
    docs="https://docs.honeycomb.io/notify/webhooks/",
)
