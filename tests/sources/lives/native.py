"""Prometheus, Alertmanager, Grafana, Datadog and our own words."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from tests.sources.lives.life import Life, ms, s


def alertmanager(name: str, firing: bool, severity: str, at: datetime) -> Any:
    return {
        "version": "4",
        "groupKey": "{}:{}",
        "status": "firing" if firing else "resolved",
        "alerts": [labelled(name, firing, severity, at)],
    }


def labelled(name: str, firing: bool, severity: str, at: datetime) -> dict[str, Any]:
    return {
        "status": "firing" if firing else "resolved",
        "labels": {"alertname": "Busy", "instance": name, "severity": severity},
        "annotations": {"summary": f"{name} is busy"},
        "startsAt": "2026-11-20T10:00:00Z",
        "endsAt": "0001-01-01T00:00:00Z" if firing else at.isoformat(),
    }


def prometheus(name: str, firing: bool, severity: str, at: datetime) -> Any:
    ends = at + timedelta(minutes=4) if firing else at
    alert = {
        "labels": {"alertname": "Busy", "instance": name, "severity": severity},
        "state": "firing" if firing else "inactive",
        "activeAt": at.isoformat(),
        "endsAt": ends.isoformat(),
    }
    return {"data": {"alerts": [alert]}}


def grafana(name: str, firing: bool, severity: str, at: datetime) -> Any:
    said = labelled(name, firing, severity, at)
    return {
        "orgId": 1,
        "groupKey": "{}",
        "alerts": [said | {"dashboardURL": "", "values": {"A": 1}}],
    }


def datadog(name: str, firing: bool, severity: str, at: datetime) -> Any:
    state = "Triggered" if firing else "Recovered"
    return {
        "id": str(s(at)),
        "title": f"[{state} on {{host:{name}}}] CPU is high",
        "body": f"The CPU of {name} is busy.",
        "alert_cycle_key": f"cycle-{name}",
        "alert_transition": state,
        "alert_type": severity if firing else "success",
        "date": ms(at),
        "tags": "env:production",
    }


def events(name: str, firing: bool, severity: str, at: datetime) -> Any:
    return {
        "title": f"{name} is busy",
        "key": f"busy/{name}",
        "severity": severity,
        "status": "firing" if firing else "resolved",
        "starts_at" if firing else "ends_at": at.isoformat(),
    }


WORDS = ("warning", "critical")
NATIVE = {
    "alertmanager": Life(alertmanager, WORDS, severity_is_identity=True),
    "prometheus": Life(prometheus, WORDS, severity_is_identity=True),
    "grafana": Life(grafana, WORDS, severity_is_identity=True),
    "datadog": Life(datadog, ("warning", "error")),
    "events": Life(events, WORDS),
}
