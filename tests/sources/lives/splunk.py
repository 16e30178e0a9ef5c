"""Splunk ITSI's body for one episode: the only rows of a search that say it is over."""

from datetime import datetime
from typing import Any

SEVERITIES = ("medium", "critical")


def say(name: str, firing: bool, severity: str, at: datetime) -> Any:
    return {
        "sid": f"scheduler__admin__itsi__RMD5abc_at_{int(at.timestamp())}_1",
        "search_name": "Episode action",
        "app": "itsi",
        "owner": "admin",
        "results_link": "https://splunk.example.com/app/itsi/@go",
        "result": {
            "itsi_group_id": f"episode-{name}",
            "itsi_group_title": f"{name} is busy",
            "host": name,
            "severity_label": severity,
            "status": "1" if firing else "4",
        },
    }
