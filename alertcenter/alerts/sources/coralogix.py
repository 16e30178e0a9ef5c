"""What does Coralogix's generic webhook send?

A template of the user's; the default holds a few fields and a list of key and value.
What does not apply stays "$DURATION". The Notification Center sends the alert and its
definition as objects, and cases.
https://coralogix.com/docs/user-guides/alerting/outbound-webhooks/
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

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
from alertcenter.alerts.sources.shapes import (
    first,
    moment,
    objects,
    part,
    tags,
    text,
)

NAME = "coralogix"
OVER = frozenset({"resolve", "resolved", "closed", "close", "ok"})
NOTHING = ("$", "*insert", "{{")
HOSTS = ("computer", "host", "hostname", "instance", "ipaddress")
NESTED = (
    ("alertid", "alertDef.id"), ("name", "alertDef.name"),
    ("description", "alertDef.description"), ("priority", "alertDef.priority"),
    ("alertaction", "alert.status"), ("timestampiso", "alert.timestamp"),
    ("alertid", "case.id"), ("name", "case.title"), ("name", "case.name"),
    ("description", "case.description"), ("priority", "case.priority"),
    ("alertaction", "case.status"), ("timestampiso", "case.createdAt"),
)  # fmt: skip


def read(incoming: Incoming) -> list[Event]:
    """Return the one event of the body. Raises NotUnderstood."""
    data = as_object(incoming)
    said = values(data)
    name = one_of(said, "name", "alertname", "title")
    alert = one_of(said, "alertuniqueidentifier", "alertid")
    if not (name or alert) or not recognise_words(said):
        raise NotUnderstood("alert_action and name are missing")
    groups = groups_of(data, said)
    firing = one_of(said, "alertaction", "status", "action").lower() not in OVER
    at = moment(
        one_of(said, "timestampiso", "timestampms")
        or one_of(said, "timestamp").removesuffix(" GMT")
    )
    host = one_of(groups, *HOSTS) or one_of(said, *HOSTS)
    where = ", ".join(groups.values())
    shown = name or f"Alert {alert}"
    return [
        event(
            NAME,
            title=f"{shown}: {where}" if where and where not in shown else shown,
            key=one_of(said, "dedupkey") or joined(alert or name, where),
            firing=firing,
            severity=one_of(said, "priority", "severity", "severitylowercase")
            or one_of(said, "alertseverity", "eventseverity")
            or "error",
            labels={
                "host": "" if host == "Multiple IPs" else host,
                "application": one_of(said, "application", "applicationname"),
                "subsystem": one_of(said, "subsystem", "subsystemname"),
                "service": one_of(said, "service"),
                "team": one_of(said, "team", "teamname"),
                **tags(said.get("metalabelslist") or said.get("metalabels")),
                **groups,
                "alertname": name,
            },
            annotations={
                "description": one_of(said, "description", "alertdescription"),
                "message": one_of(said, "text", "logtext"),
                "value": one_of(said, "metricvalue", "hitcount", "value"),
                "query": one_of(said, "querytext", "query"),
                "log_url": one_of(said, "logurl"),
            },
            link=one_of(said, "alerturl", "url", "caseurl")
            or first(data, "alert.url", "_context.system.url"),
            starts_at=at if firing else None,
            ends_at=at,
        )
    ]


def values(data: Data) -> dict[str, Any]:
    """Return all values by small names, without those that were not filled in."""
    found: dict[str, Any] = {}
    for name, value in data.items():
        if type(value) is not dict and name != "fields" and is_said(value):
            found[small(name)] = value
    for one in objects(data, "fields")[:200]:
        key, value = one.get("key"), one.get("value")
        if type(key) is str and is_said(value):
            found.setdefault(small(key), value)
    if "alertDef" in data or "case" in data:
        for name, path in NESTED:
            if words := first(data, path):
                found.setdefault(name, words)
    return found


@lru_cache(maxsize=512)
def shortened(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "").replace(" ", "")


def small(name: str) -> str:
    return shortened(name[:64])


def is_said(value: Any) -> bool:
    return value is not None and not (
        type(value) is str and (value.startswith(NOTHING) or value in ("", "null"))
    )


def one_of(said: Mapping[str, Any], *names: str) -> str:
    """Return the first text under one of the small names, or ""."""
    return next((words for one in names if (words := text(said.get(one)))), "")


def groups_of(data: Data, said: dict[str, Any]) -> dict[str, str]:
    """Return the fields that the alert is grouped by, with their values."""
    found = {}
    for place in range(1, 6):
        value = one_of(said, f"groupbyvalue{place}")
        if value:
            found[one_of(said, f"groupbyfield{place}") or f"group_{place}"] = value
    for group in objects(data, "alert.groups")[:1]:
        pairs = part(group, "keyValues").items()
        found |= {name: text(value) for name, value in pairs}
    return found


def recognise_words(said: Mapping[str, Any]) -> bool:
    return any(
        one in said
        for one in ("alertaction", "alertuniqueidentifier", "dedupkey", "priority")
    )


def recognise(incoming: Incoming) -> bool:
    data = incoming.data
    if type(data) is not dict:
        return False
    return (
        ("alert_action" in data and ("fields" in data or "alert_id" in data))
        or ("alertDef" in data and "alert" in data)
        or ("uuid" in data and "alert_id" in data and "fields" in data)
        or (type(data.get("case")) is dict and "indicators" in data["case"])
    )


ADAPTER = Adapter(
    NAME,
    "Coralogix",
    read,
    recognise,
    example={
        "uuid": "5d1e7c1a-0000-4000-8000-0000000000aa",
        "alert_id": "0b8f1d7e-0000-4000-8000-0000000000bb",
        "name": "Many 500s",
        "description": "More than 50 errors in ten minutes",
        "alert_action": "trigger",
        "alert_url": "https://example.app.coralogix.com/#/insights?id=1",
        "duration": "$DURATION",
        "fields": [
            {"key": "team", "value": "shop"},
            {"key": "application", "value": "checkout"},
            {"key": "subsystem", "value": "api"},
            {"key": "severity", "value": "ERROR"},
            {"key": "priority", "value": "P2"},
            {"key": "hitCount", "value": "62"},
            {"key": "timestampISO", "value": "2026-11-21T09:00:00.000Z"},
            {"key": "alertUniqueIdentifier", "value": "0b8f1d7e"},
            {"key": "dedupKey", "value": "9f2c"},
        ],
    },
    steps=(
        _("In Coralogix, open Integrations, Outbound webhooks, Generic webhook."),
        _("Paste the URL, choose POST and keep the default body."),
        _("Add the webhook to your alerts, and tick that it notifies on resolved."),
    ),
    docs="https://coralogix.com/docs/user-guides/alerting/outbound-webhooks"
    "/generic-outbound-webhooks-alert-webhooks/",
)
