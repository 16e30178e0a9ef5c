"""HCP Terraform's body for one workspace."""

from datetime import datetime
from typing import Any

SEVERITIES = ("needs_attention", "errored")


def say(name: str, firing: bool, severity: str, at: datetime) -> Any:
    return {
        "notification_configuration_url": "https://app.terraform.io/api/v2/n/nc-1",
        "run_id": f"run-{int(at.timestamp())}",
        "workspace_name": name,
        "organization_name": "acme",
        "notifications": [
            {
                "trigger": f"run:{severity if firing else 'completed'}",
                "run_status": severity if firing else "applied",
                "run_updated_at": at.isoformat(),
            }
        ],
    }
