"""Jira's body for one issue."""

from datetime import datetime
from typing import Any

SEVERITIES = ("Low", "Highest")


def say(name: str, firing: bool, severity: str, at: datetime) -> Any:
    category = "indeterminate" if firing else "done"
    return {
        "timestamp": int(at.timestamp() * 1000),
        "webhookEvent": "jira:issue_updated",
        "issue": {
            "id": f"1-{name}",
            "self": "https://acme.atlassian.net/rest/api/2/issue/1",
            "key": f"OPS-{name}",
            "fields": {
                "summary": f"{name} is slow",
                "priority": {"name": severity},
                "status": {"name": "State", "statusCategory": {"key": category}},
            },
        },
    }
