"""What do Opsgenie's requests and answers look like?

https://docs.opsgenie.com/docs/alert-api (reference/wire-protocols.md 3.8)
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from alertcenter.alerts import severity as severities
from alertcenter.alerts.events import Event
from alertcenter.alerts.models import Alert, Episode, GroupAlert, Transition
from alertcenter.alerts.sources.adapter import event, storable
from alertcenter.alerts.sources.shapes import first, parts, text
from alertcenter.api.models import AskedAct
from alertcenter.common.errors import Refused
from notifications.models import Delivery

__all__ = ["storable"]

NAME = "opsgenie"
PRIORITIES = {
    "P1": severities.CRITICAL,
    "P2": severities.ERROR,
    "P3": severities.WARNING,
    "P4": severities.INFO,
    "P5": severities.DEBUG,
}
BY_SEVERITY = {level: word for word, level in PRIORITIES.items()}
# The limits of the vendor's page; what is longer is cut there, and here.
LONGEST = {"message": 130, "description": 15_000, "entity": 512, "source": 100}
LONGEST_ALIAS = 512
LONGEST_NOTE = 25_000
MOST_TAGS = 20
# Details that are ours beside the sender's own.
OURS = ("tags", "entity", "team", "source")


# --- refusals ---


def unauthorized() -> Refused:
    return Refused(401, "unauthorized", "Could not authenticate")


def forbidden() -> Refused:
    return Refused(403, "forbidden", "You are not authorized for this operation")


def not_found(words: str) -> Refused:
    return Refused(404, "not_found", words)


def unprocessable(words: str) -> Refused:
    return Refused(422, "unprocessable", words)


def not_allowed(allowed: Sequence[str]) -> Refused:
    headers = {"Allow": ", ".join(allowed)}
    return Refused(405, "not_allowed", "Method Not Allowed", headers)


def told(refused: Refused) -> dict[str, Any]:
    """Return the body of a refusal; 422 names the field if it is about one."""
    message = str(refused.message)
    if refused.status != 422:
        return {"message": message}
    field, _colon, reason = message.partition(": ")
    if not reason:
        return {"message": message, "errors": {"body": message}}
    return {
        "message": f"Request body is not processable. {field}: {reason}",
        "errors": {field: reason},
    }


# --- what is sent ---


def check_create(data: Mapping[str, Any]) -> None:
    """Raise Refused for what Opsgenie refuses too."""
    if not first(data, "message"):
        raise unprocessable("message: Message can not be empty.")
    priority = data.get("priority")
    if priority and str(priority).upper() not in PRIORITIES:
        raise unprocessable("priority: should be one of [ P1, P2, P3, P4, P5 ]")
    for name, kind in (("tags", list), ("responders", list), ("details", dict)):
        if data.get(name) is not None and not isinstance(data[name], kind):
            raise unprocessable(f"{name}: has a wrong type")
    if len(str(data.get("alias") or "")) > LONGEST_ALIAS:
        raise unprocessable(f"alias: longer than {LONGEST_ALIAS} characters")


def alias_of(data: Mapping[str, Any]) -> str:
    return storable(text(data.get("alias")))


def event_of(data: Mapping[str, Any], alias: str) -> Event:
    """Return the event of a create; it has no time, so that it opens what is closed."""
    details = data.get("details")
    tags = [text(tag) for tag in parts(data, "tags")[:MOST_TAGS]]
    return event(
        NAME,
        title=first(data, "message")[: LONGEST["message"]],
        key=alias,
        severity=PRIORITIES.get(first(data, "priority").upper(), severities.WARNING),
        labels={
            **(details if isinstance(details, dict) else {}),
            "tags": ", ".join(filter(None, tags)),
            "entity": first(data, "entity")[: LONGEST["entity"]],
            "source": first(data, "source")[: LONGEST["source"]],
            "team": team_in(data),
        },
        annotations={
            "description": first(data, "description")[: LONGEST["description"]],
            "alias": alias,
            "details": json.dumps(list(details)) if isinstance(details, dict) else "",
            "responders": json.dumps(parts(data, "responders")[:50])
            if parts(data, "responders")
            else "",
            "actions": ", ".join(text(one) for one in parts(data, "actions")[:10]),
        },
    )


def team_in(data: Mapping[str, Any]) -> str:
    """Return the first team among those who should respond."""
    for one in parts(data, "responders") + parts(data, "teams"):
        if isinstance(one, dict) and one.get("type", "team") == "team":
            return first(one, "name", "id")
    return ""


def required(name: str) -> Any:
    """Return a shape that takes one field, which must be there."""

    def shape(data: Mapping[str, Any]) -> dict[str, Any]:
        if not data.get(name):
            raise unprocessable(f"{name}: can not be empty.")
        return {name: data[name]}

    return shape


def described(data: Mapping[str, Any]) -> dict[str, Any]:
    """An empty description takes the old one away."""
    if "description" not in data:
        raise unprocessable("description: can not be empty.")
    return {"description": text(data["description"])}


def prioritized(data: Mapping[str, Any]) -> dict[str, Any]:
    word = text(data.get("priority")).upper()
    if word not in PRIORITIES:
        raise unprocessable("priority: should be one of [ P1, P2, P3, P4, P5 ]")
    return {"severity": PRIORITIES[word]}


def tags_in(data: Mapping[str, Any]) -> list[str]:
    """Return tags, which come as a list or, in a query, by commas."""
    given = data.get("tags")
    found = given if isinstance(given, list) else text(given).split(",")
    names = [storable(text(tag)) for tag in found[:MOST_TAGS]]
    if not any(names):
        raise unprocessable("tags: can not be empty.")
    return [name for name in names if name]


def adding_tags(data: Mapping[str, Any]) -> dict[str, Any]:
    return {"add_tags": tags_in(data), "status": "Added tags"}


def removing_tags(data: Mapping[str, Any]) -> dict[str, Any]:
    return {"remove_tags": tags_in(data), "status": "Removed tags"}


def adding_details(data: Mapping[str, Any]) -> dict[str, Any]:
    details = data.get("details")
    if not isinstance(details, dict) or not details:
        raise unprocessable("details: can not be empty.")
    named = {storable(str(key))[:200]: text(value) for key, value in details.items()}
    kept = {key: storable(value)[:4_000] for key, value in named.items() if key}
    return {"set": kept, "status": "Added details"}


def removing_details(data: Mapping[str, Any]) -> dict[str, Any]:
    names = data.get("keys")
    found = names if isinstance(names, list) else text(names).split(",")
    if not any(found):
        raise unprocessable("keys: can not be empty.")
    return {"remove": [text(name) for name in found], "status": "Removed details"}


def responding(field: str) -> Any:
    """Return a shape for who else should respond; it is noted beside the alert."""

    def shape(data: Mapping[str, Any]) -> dict[str, Any]:
        given = data.get(field)
        if not isinstance(given, dict):
            raise unprocessable(f"{field}: can not be empty.")
        name = first(given, "name", "username", "id")
        words = f"{first(given, 'type') or field}: {name}"
        return {
            "set": {field: json.dumps(given)[:4_000]},
            "status": f"Added {field}",
            "note": words,
        }

    return shape


# --- what is answered ---


def as_time(moment: datetime | None) -> str | None:
    """Return RFC 3339 with milliseconds and Z."""
    if moment is None:
        return None
    utc = moment.astimezone(UTC)
    return utc.strftime("%Y-%m-%dT%H:%M:%S.") + f"{utc.microsecond // 1000:03d}Z"


def as_request(row: AskedAct) -> dict[str, Any]:
    done = row.state == "done"
    alias = str(row.params.get("alias") or row.dedup_key.split("/", 2)[-1])
    return {
        "success": done,
        "isSuccess": done,
        "action": row.act.capitalize(),
        "processedAt": as_time(row.done_at),
        "integrationId": str(row.integration_id or ""),
        "status": row.status,
        "alertId": str(row.episode_id or "") if done else "",
        "alias": alias if done else "",
    }


def as_alerts(
    tenant_id: UUID, alerts: Sequence[Alert], *, whole: bool = False
) -> list[dict[str, Any]]:
    """Return alerts in Opsgenie's shape; `whole` with description and details."""
    episodes = Episode.objects.filter(
        tenant_id=tenant_id, pk__in=[one.episode_id for one in alerts]
    )
    numbers = {one.pk: one for one in episodes}
    latest: dict[UUID, GroupAlert] = {}
    members = GroupAlert.objects.filter(
        tenant_id=tenant_id, alert_id__in=[one.pk for one in alerts]
    )
    for member in members.select_related("group__assignee").order_by("joined_at"):
        latest[member.alert_id] = member
    return [
        as_alert(one, numbers.get(one.episode_id or one.pk), latest.get(one.pk), whole)
        for one in alerts
    ]


def as_alert(
    alert: Alert, episode: Episode | None, member: GroupAlert | None, whole: bool
) -> dict[str, Any]:
    group = member.group if member else None
    is_open = alert.state == "firing"
    acked = bool(
        is_open
        and group
        and (group.state == "acknowledged" or (member and member.acked_at))
    )
    snoozed = bool(is_open and group and group.state == "snoozed")
    owner = group.assignee.name if group and group.assignee else ""
    shown: dict[str, Any] = {
        "id": str(alert.episode_id or ""),
        "tinyId": str(episode.number) if episode else "",
        "alias": alert.annotations.get("alias") or alert.dedup_key.split("/", 2)[-1],
        "message": alert.title,
        "status": "open" if is_open else "closed",
        "acknowledged": acked,
        "isSeen": acked,
        "tags": [tag for tag in alert.labels.get("tags", "").split(", ") if tag],
        "snoozed": snoozed,
        "count": alert.count,
        "lastOccurredAt": as_time(alert.last_at),
        "createdAt": as_time(episode.starts_at if episode else alert.starts_at),
        "updatedAt": as_time(group.changed_at if group else alert.last_at),
        "source": alert.labels.get("source", ""),
        "owner": owner,
        "priority": BY_SEVERITY.get(alert.severity, "P3"),
        "responders": responders_of(alert),
        "integration": {"id": "", "name": alert.source, "type": "API"},
        "report": report_of(alert, episode, member),
    }
    if snoozed and group and group.snooze_until:
        shown["snoozedUntil"] = as_time(group.snooze_until)
    if whole:
        shown |= {
            "actions": [
                one for one in alert.annotations.get("actions", "").split(", ") if one
            ],
            "entity": alert.labels.get("entity", ""),
            "description": alert.annotations.get("description", ""),
            "details": {
                name: value for name, value in alert.labels.items() if name not in OURS
            },
        }
    return shown


def responders_of(alert: Alert) -> list[Any]:
    """Return who should respond, as the sender said."""
    try:
        found = json.loads(alert.annotations.get("responders", "[]"))
    except ValueError:
        return []
    return found if isinstance(found, list) else []


def report_of(
    alert: Alert, episode: Episode | None, member: GroupAlert | None
) -> dict[str, Any]:
    """Return how long it took, in milliseconds, and who did it."""
    began = episode.starts_at if episode else alert.starts_at
    group = member.group if member else None
    report: dict[str, Any] = {}
    acked_at = (member.acked_at if member else None) or (
        group.acked_at if group else None
    )
    if acked_at:
        report["ackTime"] = int((acked_at - began).total_seconds() * 1000)
        report["acknowledgedBy"] = group.acked_by if group else ""
    if alert.ends_at and alert.state != "firing":
        report["closeTime"] = int((alert.ends_at - began).total_seconds() * 1000)
        report["closedBy"] = alert.closed_by
    return report


# --- one alert's story ---


def story(alert: Alert) -> QuerySet[Transition]:
    rows = Transition.objects.filter(tenant_id=alert.tenant_id, alert_id=alert.pk)
    return rows.order_by("-id")


def notes_of(alert: Alert) -> list[dict[str, Any]]:
    return [
        {
            "note": row.data["text"],
            "owner": row.actor_label,
            "createdAt": as_time(row.at),
            "offset": str(row.pk),
        }
        for row in story(alert).filter(kind="noted", data__has_key="text")[:100]
    ]


def logs_of(alert: Alert) -> list[dict[str, Any]]:
    return [
        {
            "log": f"{row.kind} {row.reason}".strip(),
            "type": "system"
            if row.actor_kind in ("source", "engine")
            else "alertRecipient",
            "owner": row.actor_label,
            "createdAt": as_time(row.at),
            "offset": str(row.pk),
        }
        for row in story(alert)[:100]
    ]


def recipients_of(alert: Alert) -> list[dict[str, Any]]:
    """Return who was told, by any channel."""
    groups = GroupAlert.objects.filter(
        tenant_id=alert.tenant_id, alert_id=alert.pk
    ).values("group_id")
    rows = Delivery.objects.filter(
        tenant_id=alert.tenant_id, group_id__in=groups, member__isnull=False
    ).select_related("member")
    return [
        {
            "user": {"id": str(row.member_id), "username": row.member.name},
            "state": "notactive" if row.state == "sent" else row.state,
            "method": row.channel_kind,
            "createdAt": as_time(row.created_at),
            "updatedAt": as_time(row.created_at),
        }
        for row in rows[:100]
        if row.member
    ]
