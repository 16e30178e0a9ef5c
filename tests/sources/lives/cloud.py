"""What the clouds and their observability say."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from tests.sources.lives.life import Life, ms, s


def newrelic(name: str, firing: bool, severity: str, at: datetime) -> Any:
    return {
        "id": f"issue-{name}",
        "issueUrl": f"https://radar-api.service.newrelic.com/issues/{name}",
        "title": f"CPU of {name}",
        "priority": severity,
        "state": "ACTIVATED" if firing else "CLOSED",
        "createdAt": 1763632800000,
        "closedAt": None if firing else ms(at),
        "impactedEntities": [name],
        "alertConditionNames": ["CPU"],
    }


def sentry(name: str, firing: bool, severity: str, at: datetime) -> Any:
    return {
        "action": "unresolved" if firing else "resolved",
        "data": {
            "issue": {
                "id": f"1{len(name)}{ord(name[-1])}",
                "shortId": name.upper(),
                "title": f"TypeError in {name}",
                "level": severity,
                "status": "unresolved" if firing else "resolved",
                "project": {"slug": "shop"},
                "lastSeen": at.isoformat(),
            }
        },
    }


def azure_monitor(name: str, firing: bool, severity: str, at: datetime) -> Any:
    return {
        "schemaId": "azureMonitorCommonAlertSchema",
        "data": {
            "essentials": {
                "alertId": f"/subscriptions/1/providers/alerts/{name}",
                "alertRule": "CPU",
                "severity": severity,
                "signalType": "Metric",
                "monitorCondition": "Fired" if firing else "Resolved",
                "configurationItems": [name],
                "firedDateTime": "2026-11-20T10:00:00Z",
                "resolvedDateTime": None if firing else at.isoformat(),
            },
            "alertContext": {},
        },
    }


def gcp_monitoring(name: str, firing: bool, severity: str, at: datetime) -> Any:
    return {
        "version": "1.2",
        "incident": {
            "incident_id": f"0.{name}",
            "state": "open" if firing else "closed",
            "started_at": 1763632800,
            "ended_at": None if firing else s(at),
            "severity": severity,
            "policy_name": "CPU",
            "condition_name": "over 80 %",
            "summary": f"{name} is busy",
        },
    }


def cloudwatch(name: str, firing: bool, severity: str, at: datetime) -> Any:
    alarm = {
        "AlarmName": f"CPU of {name}",
        "AlarmArn": f"arn:aws:cloudwatch:eu-central-1:1:alarm:cpu-{name}",
        "NewStateValue": severity if firing else "OK",
        "NewStateReason": "Threshold Crossed",
        "StateChangeTime": at.isoformat(),
        "Trigger": {"MetricName": "CPUUtilization"},
    }
    return {
        "Type": "Notification",
        "MessageId": str(s(at)),
        "TopicArn": "arn:aws:sns:eu-central-1:1:alarms",
        "Message": json.dumps(alarm),
    }


def aws(name: str, firing: bool, severity: str, at: datetime) -> Any:
    return {
        "version": "0",
        "id": str(s(at)),
        "detail-type": "CodePipeline Pipeline Execution State Change",
        "source": "aws.codepipeline",
        "account": "1",
        "time": at.isoformat(),
        "region": "eu-central-1",
        "detail": {"pipeline": name, "state": "FAILED" if firing else "SUCCEEDED"},
    }


CLOUD = {
    "newrelic": Life(newrelic, ("MEDIUM", "CRITICAL")),
    "sentry": Life(sentry, ("warning", "fatal")),
    "azure_monitor": Life(azure_monitor, ("Sev2", "Sev0")),
    "gcp_monitoring": Life(gcp_monitoring, ("Warning", "Critical")),
    "cloudwatch": Life(cloudwatch, ("INSUFFICIENT_DATA", "ALARM")),
    "aws": Life(aws),
}
