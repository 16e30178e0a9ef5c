"""What code hosts, chats and other paging tools say."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tests.sources.lives.life import Life, ms, s


def github(name: str, firing: bool, severity: str, at: datetime) -> Any:
    return {
        "action": "completed",
        "workflow_run": {
            "name": name,
            "head_branch": "main",
            "conclusion": "failure" if firing else "success",
            "updated_at": at.isoformat(),
        },
        "repository": {"full_name": "acme/shop"},
        "sender": {"login": "alice", "url": "https://api.github.com/users/alice"},
    }


def gitlab(name: str, firing: bool, severity: str, at: datetime) -> Any:
    return {
        "object_kind": "build",
        "build_id": s(at),
        "build_name": name,
        "ref": "main",
        "build_status": "failed" if firing else "success",
        "build_allow_failure": severity == "allowed",
        "build_finished_at": at.strftime("%Y-%m-%d %H:%M:%S UTC"),
        "project": {"path_with_namespace": "acme/shop"},
    }


def slack(name: str, firing: bool, severity: str, at: datetime) -> Any:
    return {
        "channel": "#ops",
        "attachments": [
            {
                "fallback": name,
                "title": f"[{'FIRING:1' if firing else 'RESOLVED'}] Disk of {name}",
                "color": "danger" if firing else "good",
                "fields": [{"title": "Severity", "value": severity}],
            }
        ],
    }


def discord(name: str, firing: bool, severity: str, at: datetime) -> Any:
    return {
        "username": "monit",
        "embeds": [
            {
                "title": f"[{'FIRING:1' if firing else 'RESOLVED'}] Disk of {name}",
                "fields": [{"name": "severity", "value": severity}],
                "timestamp": at.isoformat(),
            }
        ],
    }


def msteams(name: str, firing: bool, severity: str, at: datetime) -> Any:
    return {
        "@type": "MessageCard",
        "title": f"{'Alert firing' if firing else 'Resolved'}: disk of {name}",
        "themeColor": "D00000" if firing else "2DC72D",
        "sections": [{"facts": [{"name": "Severity", "value": severity}]}],
    }


def victorops(name: str, firing: bool, severity: str, at: datetime) -> Any:
    return {
        "message_type": severity if firing else "RECOVERY",
        "entity_id": f"disk/{name}",
        "entity_display_name": f"Disk of {name}",
        "state_start_time": s(at),
    }


def pagerduty_webhook(name: str, firing: bool, severity: str, at: datetime) -> Any:
    return {
        "event": {
            "event_type": f"incident.{'triggered' if firing else 'resolved'}",
            "occurred_at": at.isoformat(),
            "data": {
                "id": f"P{name}",
                "title": f"{name} is slow",
                "status": "triggered" if firing else "resolved",
                "urgency": severity,
                "created_at": "2026-11-20T10:00:00Z",
            },
        }
    }


def alerta(name: str, firing: bool, severity: str, at: datetime) -> Any:
    return {
        "resource": name,
        "event": "DiskFull",
        "environment": "Production",
        "severity": severity if firing else "normal",
        "createTime": at.isoformat(),
    }


def oncall(name: str, firing: bool, severity: str, at: datetime) -> Any:
    return {
        "alert_uid": f"uid-{name}",
        "title": f"{name} is down",
        "state": "alerting" if firing else "ok",
        "severity": severity,
    }


def opsgenie(name: str, firing: bool, severity: str, at: datetime) -> Any:
    return {
        "action": "Create" if firing else "Close",
        "alert": {
            "alertId": f"id-{name}",
            "alias": f"disk/{name}",
            "message": f"Disk of {name}",
            "priority": severity,
            "createdAt": 1763632800000,
            "updatedAt": ms(at),
        },
    }


WORDS = ("warning", "critical")
TOOLS = {
    "github": Life(github, headers={"x-github-event": "workflow_run"}),
    "gitlab": Life(gitlab, ("allowed", "strict")),
    "slack": Life(slack, WORDS),
    "discord": Life(discord, WORDS),
    "msteams": Life(msteams, WORDS),
    "victorops": Life(victorops, ("WARNING", "CRITICAL")),
    "pagerduty_webhook": Life(pagerduty_webhook, ("low", "high")),
    "alerta": Life(alerta, ("minor", "critical")),
    "oncall": Life(oncall, WORDS),
    "opsgenie": Life(opsgenie, ("P3", "P1")),
}
