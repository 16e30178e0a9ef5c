"""What do New Relic's webhooks send? Workflows' issues, and the older incidents.

The oldest of all are a form whose field `alert`, or `deployment`, is JSON.
https://docs.newrelic.com/docs/alerts/get-notified/notification-integrations/#webhook
"""

from __future__ import annotations

import json
from typing import Any

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
from alertcenter.alerts.sources.shapes import at, first, flat, moment, part, parts, text

NAME = "newrelic"
ENDED = ("closed", "ended", "cleared")
LARGEST = 64 * 1024
OVER = frozenset({"closed", "resolved", "recovered", "close", "deactivated"})
IDS = ("issueId", "issue_id", "incidentId", "incident_id", "id")


def read(incoming: Incoming) -> list[Event]:
    """Return the one event of the body. Raises NotUnderstood."""
    data = unfolded(as_object(incoming))
    ids = [first(data, name) for name in IDS if first(data, name)]
    title = first(
        data, "title", "issueTitle.0", "issueTitle", "name", "annotations.title.0",
        "condition_name", "conditionName.0", "conditionName", "message",
        "short_description", "details", "policy_name",
    )  # fmt: skip
    if not title and "deployment" in data:
        return []
    state = first(data, "current_state", "state", "status", "issueState").lower()
    if not state:  # INCIDENT_CLOSED, VIOLATION_CLOSE
        state = first(data, "event_type").lower().rpartition("_")[2]
    link = first(
        data, "issueUrl", "incident_url", "issuePageUrl", "issueLink", "alert_url",
        "violation_callback_url",
    )  # fmt: skip
    if not title or not (ids or state or "alert_url" in data):
        raise NotUnderstood("a title with an issue or incident id is missing")
    over = state in OVER or (first(data, "short_description").lower().endswith(ENDED))
    started = moment(first(data, "createdAt", "activatedAt", "created_at"))
    if started is None and not over:  # of what is over, it is the end
        started = moment(first(data, "timestamp"))
    ended = moment(first(data, "closedAt", "timestamp", "updatedAt", "created_at"))
    return [
        event(
            NAME,
            title=first(data, "condition_name") + target(data)
            if first(data, "condition_name")
            else title,
            key=ids[0] if ids else first(data, "alert_url") or title,
            firing=not over,
            severity=first(data, "priority", "severity"),
            labels={
                "alertname": plain_list(data, "conditionName", "alertConditionNames")
                or first(data, "condition_name")
                or title,
                "policy": plain_list(data, "policyName", "alertPolicyNames")
                or first(data, "policy_name", "alert_policy_name"),
                "entity": plain_list(data, "entityNames", "impactedEntities", "entity")
                or first(
                    data, "targets.0.name", "entity.name", "application_name",
                    "server_name",
                ),
                "account": first(data, "account_name", "accountName", "account_id"),
                **labels_of(data),
            },
            annotations={
                "description": first(
                    data, "details", "description", "condition_description",
                    "annotations.description.0",
                    "long_description", "message",
                ),
                "owner": first(data, "owner"),
                "runbook_url": first(data, "runbook_url", "runbookUrl"),
                "acknowledge_url": first(
                    data, "incident_acknowledge_url", "issueAckUrl"
                ),
            },
            link=link,
            image=first(data, "violation_chart_url", "violationChartUrl"),
            starts_at=started,
            ends_at=ended,
        )
    ]  # fmt: skip


def unfolded(data: Data) -> Data:
    """Return what the oldest form's field holds, or `data` itself."""
    packed = data.get("alert")
    if type(packed) is not str or packed[:1] != "{" or len(packed) > LARGEST:
        return data
    try:
        inner: Any = json.loads(packed)
    except (ValueError, RecursionError):
        return data
    return inner if type(inner) is dict else data


def target(data: Data) -> str:
    """Return " on <name>" for what an older incident is about."""
    name = first(data, "targets.0.name")
    return f" on {name}" if name else ""


def plain_list(data: Data, *names: str) -> str:
    """Return the first of these that is there; lists joined by commas."""
    for name in names:
        found = at(data, name)
        if type(found) is list and found:
            return ", ".join(filter(None, map(text, found[:10])))
        if type(found) is str and found:
            return found
    return ""


def labels_of(data: Data) -> dict[str, str]:
    """Return tags, which come as an object of texts or of lists, or per target."""
    tags = part(data, "tags") or part(data, "accumulations.tag")
    named = tags or part(data, "targets.0.labels")
    return dict(list(flat(named, "", 30))[:30]) if named else {}


def recognise(incoming: Incoming) -> bool:
    data = incoming.data
    return type(data) is dict and (
        ("issueUrl" in data and ("state" in data or "priority" in data))
        or ("issuePageUrl" in data)
        or (
            "condition_name" in data and ("account_id" in data or "incident_id" in data)
        )
        or bool(parts(data, "alertConditionNames"))
        or (type(data.get("alert")) is str and '"alert_url"' in data["alert"][:LARGEST])
    )


ADAPTER = Adapter(
    NAME,
    "New Relic",
    read,
    recognise,
    example={
        "id": "4ce52f14-7e5b-4d5c-a9b2-1f3a39b4ad77",
        "issueUrl": "https://radar-api.service.newrelic.com/accounts/1/issues/4ce5",
        "title": "Apdex of shop is below 0.7",
        "priority": "CRITICAL",
        "state": "ACTIVATED",
        "createdAt": 1763715600000,
        "impactedEntities": ["shop"],
        "alertPolicyNames": ["Web"],
        "alertConditionNames": ["Apdex"],
    },
    steps=(
        _("In New Relic, open Alerts, Destinations, and add a webhook with the URL."),
        _("Add a workflow that notifies this destination; keep the default template."),
    ),
    docs="https://docs.newrelic.com/docs/alerts/get-notified/notification-integrations/",
)
