"""What does Dynatrace send of a problem?

A body that the user wrote with placeholders, of which the names of the placeholders are
the usual one; what a user did not fill in stays "{PID}". Workflows send Davis events
with dotted names, and relays the problems of the API v2.
https://docs.dynatrace.com/docs/analyze-explore-automate/notifications-and-alerting
"""

from __future__ import annotations

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
from alertcenter.alerts.sources.shapes import (
    first,
    moment,
    objects,
    part,
    plain,
    tags,
    text,
)

NAME = "dynatrace"
# Merged problems are told of no more: the one that they went into stays open.
OVER = frozenset({"resolved", "closed", "merged", "recovered", "inactive"})
SEVERITIES = {
    "availability": "critical", "error": "error", "errors": "error",
    "performance": "warning", "slowdown": "warning", "resource": "warning",
    "resource_contention": "warning", "custom_alert": "warning", "custom": "warning",
    "monitoring_unavailable": "error", "info": "info", "warning": "warning",
    "vulnerability": "error",
}  # fmt: skip
INSIDE = ("data", "event", "problem", "body", "payload", "value")


def read(incoming: Incoming) -> list[Event]:
    """Return the one event of the body. Raises NotUnderstood."""
    data = filled(unwrapped(as_object(incoming)))
    more = details(data)
    number = (
        first(data, "pid", "problemid", "displayid", "event.id", "dt.davis.event.id")
        or first(more, "problemId", "displayId", "id", "ID")
        or first(data, "correlationid")
    )
    title = first(data, "problemtitle", "event.name", "title", "displayname")
    title = title or first(more, "title", "displayName")
    if not number or not (title or "state" in data or "problemid" in data):
        raise NotUnderstood("ProblemID and ProblemTitle are missing")
    names = entities(data, more)
    where = ", ".join(names[:3]) or first(data, "impactedentity")
    shown = title or f"Problem {number}"
    firing = is_firing(data, more)
    category = first(data, "problemseverity", "severitylevel", "event.category")
    category = category or first(more, "severityLevel")
    began = first(data, "starttime", "event.start") or first(more, "startTime")
    ended = first(data, "endtime", "event.end") or first(more, "endTime")
    return [
        event(
            NAME,
            title=f"{shown}: {where}" if where and where not in shown else shown,
            key=number,
            firing=firing,
            severity=SEVERITIES.get(category.lower(), category) or "error",
            labels={
                **objects_of(data, names),
                "category": category,
                "impact": first(data, "problemimpact", "impactlevel")
                or first(more, "impactLevel"),
                "problem": first(data, "displayid") or first(more, "displayId"),
                "root_cause": first(data, "rootcauseentityname")
                or first(more, "rootCauseEntity.name"),
                **tags_of(data, more),
                "alertname": title,
            },
            annotations={
                "description": first(
                    data, "problemdetailstext", "problemdetailsmarkdown"
                )
                or plain(data.get("problemdetailshtml"))
                or first(data, "event.description", "description")
                or first(data, "problemdetails")
            },
            link=first(data, "problemurl", "url", "event.url"),
            starts_at=moment(began),
            ends_at=moment(ended),
        )
    ]


def unwrapped(data: Data) -> Data:
    """Return the problem itself: CloudEvents, workflows and Kafka wrap it."""
    for one in objects(data, "records"):
        return unwrapped(part(one, "value"))
    for name in INSIDE:
        inner = part(data, name)
        if is_problem(inner):
            return inner
    return data


def filled(data: Data) -> Data:
    """Return the values by small names, without the placeholders nobody filled in."""
    return {
        name.lower().replace(" ", "").replace("_", ""): value
        for name, value in data.items()
        if not (type(value) is str and value[:1] == "{" and value[-1:] == "}")
    }


def details(data: Data) -> Data:
    """Return the details as an object, of whichever version they are."""
    for name in ("problemdetailsjsonv2", "problemdetailsjson", "problemdetails"):
        if found := part(data, name):
            return found
    return {}


def is_firing(data: Data, more: Data) -> bool:
    state = (
        first(data, "state", "event.status", "status", "problemstate")
        or first(more, "status")
    ).lower()
    if not state:
        # Seen in the wild: a resolution whose State is empty.
        told = first(data, "problemdetailstext", "problemdetails")
        return not told.startswith("RESOLVED")
    return state not in OVER


def entities(data: Data, more: Data) -> list[str]:
    """Return the names of what is impacted."""
    for holder in (data, more):
        for name in ("impactedentities", "impactedEntities", "affectedEntities"):
            if found := [first(one, "name", "entity") for one in objects(holder, name)]:
                return [one for one in found if one][:20]
    ranked = [first(one, "entityName") for one in objects(more, "rankedEvents")]
    named: Any = data.get("affectedentitynames") or data.get("impactedentitynames")
    if type(named) is list:
        ranked += [text(one) for one in named]
    return list(dict.fromkeys(filter(None, ranked)))[:20]


def objects_of(data: Data, names: list[str]) -> dict[str, Any]:
    """Return labels for the host and the service among what is impacted."""
    found: dict[str, Any] = {"entity": first(data, "impactedentity") or names}
    for one in objects(data, "impactedentities")[:20]:
        kind = first(one, "type", "entityId.type").lower()
        if kind in ("host", "service", "application", "process_group_instance"):
            found.setdefault(kind, first(one, "name"))
    return found


def tags_of(data: Data, more: Data) -> dict[str, str]:
    """Return the tags of the entities; "[AWS]env:prod" without where it comes from."""
    found = tags(data.get("tags") or data.get("entitytags"))
    for name in ("entityTags", "tagsOfAffectedEntities"):
        for one in objects(more, name)[:30]:
            found.setdefault(first(one, "key"), first(one, "value") or "true")
    return {
        name.partition("]")[2] if name.startswith("[") else name: value
        for name, value in found.items()
    }


def is_problem(data: Data) -> bool:
    return (
        ("ProblemID" in data and ("ProblemTitle" in data or "State" in data))
        or ("PID" in data and "ProblemTitle" in data)
        or ("problemId" in data and ("displayId" in data or "severityLevel" in data))
        or text(data.get("event.kind")).startswith("DAVIS")
    )


def recognise(incoming: Incoming) -> bool:
    return type(incoming.data) is dict and is_problem(unwrapped(incoming.data))


ADAPTER = Adapter(
    NAME,
    "Dynatrace",
    read,
    recognise,
    example={
        "State": "OPEN",
        "ProblemID": "P-26115",
        "PID": "-5123456789012345678_1763715600000V2",
        "ProblemTitle": "CPU saturation",
        "ProblemImpact": "INFRASTRUCTURE",
        "ProblemSeverity": "RESOURCE_CONTENTION",
        "ProblemURL": "https://abc123.live.dynatrace.com/#problems/problemdetails",
        "ProblemDetailsText": "CPU usage of 97 % on web-1.",
        "ImpactedEntity": "web-1",
        "ImpactedEntities": [{"type": "HOST", "name": "web-1", "entity": "HOST-01"}],
        "Tags": "environment:production, team:web",
    },
    steps=(
        _("In Dynatrace, open Settings, Integration, Problem notifications."),
        _("Add a custom integration and paste the URL, and the payload below."),
        _("Choose the alerting profile, and send a test notification."),
    ),
    docs="https://docs.dynatrace.com/docs/analyze-explore-automate"
    "/notifications-and-alerting/problem-notifications/webhook-integration",
    snippet="""{
  "State": "{State}",
  "ProblemID": "{ProblemID}",
  "PID": "{PID}",
  "ProblemTitle": "{ProblemTitle}",
  "ProblemImpact": "{ProblemImpact}",
  "ProblemSeverity": "{ProblemSeverity}",
  "ProblemURL": "{ProblemURL}",
  "ProblemDetailsText": "{ProblemDetailsText}",
  "ProblemDetailsJSONv2": {ProblemDetailsJSONv2},
  "ImpactedEntity": "{ImpactedEntity}",
  "ImpactedEntities": {ImpactedEntities},
  "Tags": "{Tags}"
}""",
)
