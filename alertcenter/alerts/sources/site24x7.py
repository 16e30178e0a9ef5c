"""What does Site24x7 send?

https://www.site24x7.com/help/admin/third-party-integration/webhooks.html
"""

from __future__ import annotations

from alertcenter.alerts.events import Event
from alertcenter.alerts.sources.adapter import (
    Adapter,
    Incoming,
    NotUnderstood,
    as_object,
    event,
    joined,
)
from alertcenter.alerts.sources.adapter import marked as _
from alertcenter.alerts.sources.shapes import first, moment

NAME = "site24x7"
OVER = ("UP", "CLEAR", "OK", "RESOLVED")
WORDS = {"TROUBLE": "in trouble"}
SEVERITIES = {"DOWN": "critical", "CRITICAL": "error", "TROUBLE": "warning"}


def read(incoming: Incoming) -> list[Event]:
    """Return the one event of the body. Raises NotUnderstood."""
    data = {**incoming.query, **as_object(incoming)}
    low = {str(name).upper(): value for name, value in list(data.items())[:200]}
    name, state = first(low, "MONITORNAME"), first(low, "STATUS").upper()
    if not name or not state:
        raise NotUnderstood("MONITORNAME and STATUS are missing")
    at = moment(first(low, "INCIDENT_TIME_ISO")) or moment(
        first(low, "OUTAGE_TIME_UNIX_FORMAT")
    )
    dashboard = first(low, "MONITOR_DASHBOARD_LINK")
    return [
        event(
            NAME,
            title=f"{name} is {WORDS.get(state, state.lower())}",
            key=first(low, "MONITOR_ID", "MONITORID")
            or monitor_of(dashboard)
            or joined(name, first(low, "MONITORURL")),
            firing=state not in OVER,
            severity=SEVERITIES.get(state, "warning"),
            labels={
                "alertname": state.capitalize() if state not in OVER else "",
                "instance": name,
                "type": first(low, "MONITORTYPE"),
                "group": first(low, "MONITOR_GROUPNAME"),
                "tags": first(low, "TAGS"),
            },
            annotations={
                "description": first(low, "INCIDENT_REASON", "REASON"),
                "locations": first(low, "FAILED_LOCATIONS"),
                "url": first(low, "MONITORURL"),
                "rca_url": first(low, "RCA_LINK"),
            },
            link=dashboard or first(low, "RCA_LINK"),
            # The time of recovery is not told; that of the outage is no end.
            starts_at=at if state not in OVER else None,
        )
    ]


def monitor_of(dashboard: str) -> str:
    """Return the id in ".../home/monitors/<id>/Summary", or ""."""
    found = dashboard.partition("/monitors/")[2].partition("/")[0]
    return found if found.isdecimal() else ""


def recognise(incoming: Incoming) -> bool:
    data = incoming.data
    return type(data) is dict and (
        ("MONITORNAME" in data and "STATUS" in data)
        or ("monitorname" in data and "status" in data)
    )


ADAPTER = Adapter(
    NAME,
    "Site24x7",
    read,
    recognise,
    takes_get=True,
    example={
        "MONITORNAME": "Shop",
        "MONITORTYPE": "URL",
        "STATUS": "DOWN",
        "INCIDENT_REASON": "Connection refused",
        "INCIDENT_TIME_ISO": "2026-11-20T10:00:00+0000",
        "MONITORURL": "https://shop.example",
        "FAILED_LOCATIONS": "Frankfurt",
        "MONITOR_DASHBOARD_LINK": "https://www.site24x7.com/app/client#/home/monitors/1",
    },
    steps=(
        _("In Site24x7, open Admin, Third-Party Integrations, and add a webhook."),
        _(
            "Paste the URL, method POST, send incident parameters as JSON; alert for Down, Trouble, Critical and Up."
        ),
    ),
    docs="https://www.site24x7.com/help/admin/third-party-integration/webhooks.html",
)
