"""What do status pages post to their subscribers' webhooks?

https://support.atlassian.com/statuspage/docs/enable-webhook-notifications/
Statuspage's own body; Instatus sends the same with other words, and Status.io a flat one.
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
    joined,
)
from alertcenter.alerts.sources.adapter import marked as _
from alertcenter.alerts.sources.shapes import first, moment, objects, part

NAME = "statuspage"
OVER = ("resolved", "postmortem", "completed")
IMPACTS = {
    "critical": "critical", "major": "error", "minor": "warning", "none": "info",
    "maintenance": "info", "majoroutage": "critical", "partialoutage": "error",
    "degradedperformance": "warning", "undermaintenance": "info",
    "operational": "info", "servicedisruption": "critical",
    "partialservicedisruption": "error", "securityevent": "critical",
    "plannedmaintenance": "info",
}  # fmt: skip


def read(incoming: Incoming) -> list[Event]:
    """Return the event of an incident or of a component. Raises NotUnderstood."""
    data = as_object(incoming)
    found = part(data, "incident") or part(data, "maintenance")
    if found:
        return [incident(data, found)]
    if part(data, "component") or part(data, "component_update"):
        return [component(data)]
    if first(data, "title") and first(data, "current_status", "current_state"):
        return [flat(data)]
    raise NotUnderstood("there is neither an incident nor a component")


def incident(data: Data, found: Data) -> Event:
    """Return an incident or a maintenance; its number stays the same to its end."""
    status = first(found, "status")
    word = plain(first(found, "impact_override", "impact"))
    planned = "maintenance" in data or bool(first(found, "scheduled_for"))
    updates = objects(found, "incident_updates") or objects(
        found, "maintenance_updates"
    )
    affected = objects(found, "components") or [
        one for each in updates[:1] for one in objects(each, "affected_components")
    ]
    over = plain(status) in OVER or bool(first(found, "resolved_at"))
    return event(
        NAME,
        title=first(found, "name", "title") or "Incident",
        key=joined("incident", first(found, "id") or first(found, "name")),
        firing=not over,
        severity="info" if planned else IMPACTS.get(word, word or "warning"),
        labels={
            "alertname": "Maintenance" if planned else "Incident",
            "page": page_of(data),
            "status": status,
            "impact": word,
            "components": ", ".join(
                filter(None, (first(one, "name") for one in affected[:30]))
            ),
        },
        annotations={
            "description": first(updates[0], "body") if updates else "",
            "page_status": first(data, "page.status_description"),
            "scheduled_for": first(found, "scheduled_for"),
            "scheduled_until": first(found, "scheduled_until"),
        },
        link=first(found, "shortlink", "url") or first(data, "page.url"),
        starts_at=moment(first(found, "started_at", "created_at")),
        ends_at=moment(first(found, "resolved_at", "updated_at")),
    )


def component(data: Data) -> Event:
    """Return a component, over when it is operational again."""
    found, update = part(data, "component"), part(data, "component_update")
    status = first(update, "new_status") or first(found, "status")
    name = first(found, "name") or "Component"
    at = moment(first(update, "created_at") or first(found, "updated_at"))
    before = first(update, "old_status").replace("_", " ").lower()
    return event(
        NAME,
        title=f"{name}: {status.replace('_', ' ').lower()}",
        key=joined(
            "component", first(update, "component_id") or first(found, "id") or name
        ),
        firing=plain(status) not in ("operational", "up"),
        severity=IMPACTS.get(plain(status), "warning"),
        labels={
            "alertname": "ComponentStatus",
            "component": name,
            "page": page_of(data),
            "status": status,
        },
        annotations={
            "description": first(found, "description"),
            "before": before,
            "page_status": first(data, "page.status_description"),
        },
        link=first(data, "page.url"),
        starts_at=at,
        ends_at=at,
    )


def flat(data: Data) -> Event:
    """Return what Status.io says of an incident or a maintenance."""
    state, status = first(data, "current_state"), first(data, "current_status")
    return event(
        NAME,
        title=first(data, "title"),
        key=joined("incident", first(data, "id") or first(data, "title")),
        firing=plain(state) not in OVER
        and plain(status) != "operational"
        and not first(data, "datetime_resolve"),
        severity=IMPACTS.get(plain(status), "warning"),
        labels={
            "alertname": "Maintenance" if "maintenance_url" in data else "Incident",
            "status": status,
            "components": ", ".join(
                first(one, "name") for one in objects(data, "components")[:30]
            ),
        },
        annotations={"description": first(data, "details"), "state": state},
        link=first(data, "incident_url", "maintenance_url", "status_page_url"),
        starts_at=moment(first(data, "datetime_start", "datetime")),
        ends_at=moment(first(data, "datetime_resolve", "datetime_end", "datetime")),
    )


def page_of(data: Data) -> str:
    """Return the page's name, or the host by which it is known."""
    address = first(data, "page.url", "meta.unsubscribe")
    host = address.partition("://")[2].partition("/")[0]
    return first(data, "page.name") or host or first(data, "page.id")


def plain(word: str) -> str:
    """Return a word as all its writings have it: MAJOROUTAGE, major_outage."""
    return word.lower().replace("_", "").replace(" ", "")


def recognise(incoming: Incoming) -> bool:
    data = incoming.data
    if type(data) is not dict:
        return False
    if "status_page_url" in data and "current_status" in data:
        return True
    return "status_indicator" in part(data, "page") and bool(
        {"incident", "maintenance", "component", "component_update"} & data.keys()
    )


ADAPTER = Adapter(
    NAME,
    "Statuspage",
    read,
    recognise,
    example={
        "page": {
            "id": "jb7j80",
            "status_indicator": "major",
            "status_description": "Partial System Outage",
        },
        "incident": {
            "id": "z3lct0",
            "name": "Payments are delayed",
            "status": "investigating",
            "impact": "major",
            "created_at": "2026-11-20T10:00:00Z",
            "shortlink": "https://stspg.example/z3lct0",
            "incident_updates": [{"body": "We are looking into it."}],
        },
    },
    steps=(
        _("Open the status page of your supplier, and choose Subscribe, Webhook."),
        _("Paste the URL, and your address for when it cannot be reached."),
    ),
    docs="https://support.atlassian.com/statuspage/docs/enable-webhook-notifications/",
)
