"""Wazuh's body for one host's vulnerability, which is one that ends."""

from datetime import datetime
from typing import Any

SEVERITIES = ("7", "13")


def say(name: str, firing: bool, severity: str, at: datetime) -> Any:
    return {
        "timestamp": at.isoformat(),
        "rule": {
            "level": int(severity),
            "description": f"CVE-2026-1 affects openssl on {name}",
            "id": "23505" if firing else "23502",
            "groups": ["vulnerability-detector"],
        },
        "agent": {"id": f"id-{name}", "name": name},
        "manager": {"name": "wazuh-1"},
        "data": {
            "vulnerability": {
                "cve": "CVE-2026-1",
                "status": "Active" if firing else "Solved",
                "package": {"name": "openssl"},
            }
        },
    }
