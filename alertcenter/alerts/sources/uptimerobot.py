"""What does UptimeRobot send? Its web-hook sets names and values as the user likes.

https://uptimerobot.com/help/ (alert contacts, web-hook variables)
"""

from __future__ import annotations

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
from alertcenter.alerts.sources.shapes import first, moment

NAME = "uptimerobot"
OVER = ("2", "up", "resolved", "ok")
EXPIRY = "3"
SIGNS = (
    "monitorFriendlyName", "alertTypeFriendlyName", "monitor_friendly_name",
    "alert_type_friendly_name",
)  # fmt: skip


def read(incoming: Incoming) -> list[Event]:
    """Return the one event of a JSON body, a form, or a query. Raises NotUnderstood."""
    data = filled({**incoming.query, **as_object(incoming)})
    name = first(
        data, "monitorFriendlyName", "monitor_friendly_name", "monitorName", "name"
    )
    kind = first(data, "alertType", "alert_type", "monitorAlertType")
    words = first(data, "alertTypeFriendlyName", "alert_type_friendly_name", "status")
    number = first(data, "monitorID", "monitor_id", "monitorId")
    address = first(data, "monitorURL", "monitor_url", "monitorUrl")
    name = name or address
    if not (name or number) or not (kind or words):
        raise NotUnderstood("monitorFriendlyName and alertType are missing")
    at = moment(first(data, "alertDateTime", "monitorAlertDateTime"))
    over = kind in OVER or (not kind and words.lower() in OVER)
    expiry = kind == EXPIRY or "expir" in words.lower()
    details = first(data, "alertDetails", "alert_details")
    return [
        event(
            NAME,
            title=f"{name or number}: certificate or domain expires"
            if expiry
            else f"{name or number} is {words.lower() or ('up' if over else 'down')}",
            key=joined(number or name, "expiry" if expiry else "state"),
            firing=not over,
            severity="warning" if expiry else "critical",
            labels={
                "alertname": "Expiry" if expiry else "Down",
                "instance": name,
                "monitor_id": number,
                "tags": first(data, "monitorTags", "monitor_tags"),
            },
            annotations={
                "description": details,
                "duration": first(
                    data, "alertFriendlyDuration", "alert_friendly_duration",
                    "alertDuration",
                ),
                "days_left": first(data, "sslExpiryDaysLeft"),
                "expires": first(data, "sslExpiryDate"),
            },
            link=address if "://" in address else address and f"https://{address}",
            starts_at=at,
            ends_at=at,
            ttl_seconds=3 * 24 * 3600 if expiry else None,
        )
    ]  # fmt: skip


def filled(data: Data) -> Data:
    """Return `data` without what still reads "*alertDuration*": it had no value."""
    return {
        name: value
        for name, value in list(data.items())[:200]
        if type(value) is not str or not (value[:1] == "*" == value[-1:])
    }


def recognise(incoming: Incoming) -> bool:
    data = incoming.data
    return type(data) is dict and any(sign in data for sign in SIGNS)


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
