"""What does UptimeRobot send? Its web-hook sets names and values as the user likes.

https://uptimerobot.com/help/ (alert contacts, web-hook variables)
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

NAME = "uptimerobot"
OVER = ("2", "up", "resolved", "ok")
EXPIRY = "3"


def read(incoming: Incoming) -> list[Event]:
    """Return the one event of a JSON body, a form, or a query. Raises NotUnderstood."""
    data = {**incoming.query, **as_object(incoming)}
    name = first(
        data, "monitorFriendlyName", "monitor_friendly_name", "monitorName", "name"
    )
    kind = first(data, "alertType", "alert_type", "monitorAlertType")
    words = first(data, "alertTypeFriendlyName", "alert_type_friendly_name", "status")
    number = first(data, "monitorID", "monitor_id", "monitorId")
    if not (name or number) or not (kind or words):
        raise NotUnderstood("monitorFriendlyName and alertType are missing")
    at = moment(first(data, "alertDateTime", "monitorAlertDateTime"))
    over = kind in OVER or words.lower() in OVER
    return [
        event(
            NAME,
            title=f"{name or number}: certificate or domain expires"
            if kind == EXPIRY
            else f"{name or number} is {words.lower() or ('up' if over else 'down')}",
            key=joined(number or name, "expiry" if kind == EXPIRY else "state"),
            firing=not over,
            severity="warning" if kind == EXPIRY else "critical",
            labels={
                "alertname": "Expiry" if kind == EXPIRY else "Down",
                "instance": name,
                "monitor_id": number,
                "tags": first(data, "monitorTags"),
            },
            annotations={
                "description": first(data, "alertDetails", "alert_details"),
                "duration": first(data, "alertFriendlyDuration", "alertDuration"),
                "days_left": first(data, "sslExpiryDaysLeft"),
            },
            link=first(data, "monitorURL", "monitor_url"),
            starts_at=at,
            ends_at=at,
            ttl_seconds=3 * 24 * 3600 if kind == EXPIRY else None,
        )
    ]


def recognise(incoming: Incoming) -> bool:
    data = incoming.data
    return type(data) is dict and (
        "monitorFriendlyName" in data or "alertTypeFriendlyName" in data
    )


ADAPTER = Adapter(
    NAME,
    "UptimeRobot",
    read,
    recognise,
    takes_get=True,
    example={
        "monitorID": "777",
        "monitorURL": "https://shop.example",
        "monitorFriendlyName": "Shop",
        "alertType": "1",
        "alertTypeFriendlyName": "Down",
        "alertDetails": "Connection Timeout",
        "alertDateTime": "1763715600",
    },
    steps=(
        _("In UptimeRobot, open Integrations and add a webhook with the URL."),
        _("Paste the value below as JSON, and notify on up and down events."),
    ),
    docs="https://uptimerobot.com/integrations/",
    snippet="""{
  "monitorID": "*monitorID*",
  "monitorURL": "*monitorURL*",
  "monitorFriendlyName": "*monitorFriendlyName*",
  "alertType": "*alertType*",
  "alertTypeFriendlyName": "*alertTypeFriendlyName*",
  "alertDetails": "*alertDetails*",
  "alertFriendlyDuration": "*alertFriendlyDuration*",
  "alertDateTime": "*alertDateTime*",
  "sslExpiryDaysLeft": "*sslExpiryDaysLeft*"
}""",
)
