"""What does Grafana's webhook contact point send, now and before version 9?

Unified alerting wraps Alertmanager's body: labels are the identity. Legacy alerting
names a rule and its state; one rule is one alert.
https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/
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
    joined,
)
from alertcenter.alerts.sources.adapter import marked as _
from alertcenter.alerts.sources.labelled import labelled_event, looks_labelled
from alertcenter.alerts.sources.shapes import at, first, objects, part, text

NAME = "grafana"
NO_ANSWER = {"DatasourceNoData": "no data", "DatasourceError": "query failed"}
OVER = ("ok", "paused", "resolved", "normal")
LEGACY = {"alerting": "critical", "no_data": "warning", "unknown": "warning"}
LINKS = {
    "dashboardURL": "dashboard_url",
    "panelURL": "panel_url",
    "silenceURL": "silence_url",
}


def read(incoming: Incoming) -> list[Event]:
    """Return the events of the body. Raises NotUnderstood."""
    data = as_object(incoming)
    alerts = objects(data, "alerts")
    ours = "orgId" in data or any(
        looks_labelled(one) or "fingerprint" in one for one in alerts
    )
    if alerts and ours:
        return [unified(one, data) for one in alerts]
    if not alerts and part(data, "commonLabels"):
        return [unified(data | {"labels": part(data, "commonLabels")}, data)]
    if first(data, "ruleName", "ruleId") and first(data, "state"):
        return [legacy(data)]
    if first(data, "title") and ("ruleGroup" in data or "folderUID" in data):
        return [rule(data)]
    raise NotUnderstood("there is neither a list `alerts` nor a ruleName with a state")


def unified(alert: Data, data: Data) -> Event:
    """Return one alert of unified alerting; what it lacks, its group `data` says."""
    labels = part(alert, "labels")
    told = part(alert, "annotations") or part(alert, "commonAnnotations")
    values = part(alert, "values")
    notes: dict[str, Any] = {
        **told,
        "value": first(alert, "valueString")
        or ", ".join(
            f"{name}={text(value)}" for name, value in list(values.items())[:20]
        ),
        **{ours: first(alert, theirs) for theirs, ours in LINKS.items()},
    }
    more: dict[str, Any] = {}
    if not labels:
        # A rule may drop every label; then only the fingerprint tells who it is.
        more = {
            "title": first(told, "summary") or first(data, "title", "message"),
            "key": first(alert, "fingerprint") or first(data, "groupKey"),
        }
    elif first(labels, "rulename") and first(labels, "alertname") in NO_ANSWER:
        # The title would else be Grafana's word for the failure, not the rule's name.
        words = NO_ANSWER[first(labels, "alertname")]
        more = {"title": f"{first(labels, 'rulename')}: {words}"}
    if "status" not in alert:
        more["firing"] = first(data, "status").lower() not in OVER
    return labelled_event(
        NAME,
        alert,
        **more,
        annotations=notes,
        link=first(alert, "generatorURL", "panelURL", "dashboardURL")
        or first(data, "externalURL"),
        image=first(alert, "imageURL") or first(told, "__alertImageToken__"),
    )


def legacy(data: Data) -> Event:
    """Return the one alert of a rule of legacy alerting."""
    state = first(data, "state").lower()
    matches = objects(data, "evalMatches")
    tags = part(data, "tags")
    return event(
        NAME,
        title=first(data, "ruleName", "title"),
        key=joined(
            first(data, "orgId"), first(data, "ruleId") or first(data, "ruleName")
        ),
        firing=state not in OVER,
        severity=first(tags, "severity") or LEGACY.get(state, "warning"),
        labels={
            "alertname": first(data, "ruleName"),
            "state": state if state == "no_data" else "",
            **(part(matches[0], "tags") if len(matches) == 1 else {}),
            **tags,
        },
        annotations={
            "description": first(data, "message"),
            "value": ", ".join(
                f"{first(one, 'metric')}={first(one, 'value')}" for one in matches[:20]
            ),
        },
        link=first(data, "ruleUrl"),
        image=first(data, "imageUrl"),
    )


def rule(data: Data) -> Event:
    """Return an alert named after an alert rule, as some relays send it."""
    return event(
        NAME,
        title=first(data, "title"),
        key=joined(
            first(data, "orgID"), first(data, "folderUID"), first(data, "title")
        ),
        severity=first(data, "labels.severity"),
        labels={"alertname": first(data, "title"), **part(data, "labels")},
        annotations=part(data, "annotations"),
    )


def recognise(incoming: Incoming) -> bool:
    data = incoming.data
    if type(data) is not dict:
        return False
    if "evalMatches" in data or (
        "ruleName" in data
        and "state" in data
        and ("ruleUrl" in data or "ruleId" in data)
    ):
        return True
    if "folderUID" in data and "ruleGroup" in data:
        return True
    return type(data.get("alerts")) is list and (
        "orgId" in data or at(data, "alerts.0.dashboardURL") is not None
    )


ADAPTER = Adapter(
    NAME,
    "Grafana",
    read,
    recognise,
    example={
        "receiver": "alertcenter",
        "status": "firing",
        "orgId": 1,
        "title": "[FIRING:1] HighMemory (web-1)",
        "state": "alerting",
        "groupKey": "{}:{}",
        "alerts": [
            {
                "status": "firing",
                "labels": {
                    "alertname": "HighMemory",
                    "grafana_folder": "Servers",
                    "instance": "web-1",
                    "severity": "warning",
                },
                "annotations": {"summary": "web-1 uses 93 % of its memory"},
                "startsAt": "2026-11-20T10:00:00Z",
                "endsAt": "0001-01-01T00:00:00Z",
                "generatorURL": "https://grafana.example/alerting/grafana/a1/view",
                "dashboardURL": "https://grafana.example/d/d1",
                "fingerprint": "c6eadffa33fcdf37",
                "values": {"B": 93.1},
            }
        ],
    },
    steps=(
        _("In Grafana, open Alerting, Contact points, and add one of type Webhook."),
        _("Paste the URL; under optional settings, the key goes into Credentials."),
        _("Choose the contact point in a notification policy, then press Test."),
    ),
    docs="https://grafana.com/docs/grafana/latest/alerting/",
)
