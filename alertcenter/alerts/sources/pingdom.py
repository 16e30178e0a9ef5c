"""What does Pingdom send when a check changes?

https://www.pingdom.com/resources/webhooks/
"""

from __future__ import annotations

from alertcenter.alerts.events import Event
from alertcenter.alerts.sources.adapter import (
    Adapter,
    Incoming,
    NotUnderstood,
    as_object,
    event,
)
from alertcenter.alerts.sources.adapter import marked as _
from alertcenter.alerts.sources.shapes import first, moment, parts, text

NAME = "pingdom"
OVER = ("UP", "SUCCESS", "SUCCESSFUL", "OK", "PAUSED")
UNSURE = ("UNKNOWN", "UNCONFIRMED_DOWN", "UNCONFIRMED")


def read(incoming: Incoming) -> list[Event]:
    """Return the one event of the body. Raises NotUnderstood."""
    data = as_object(incoming)
    name = first(data, "check_name", "name")
    state = first(data, "current_state", "state").upper()
    if not state or not (name or first(data, "check_id")):
        raise NotUnderstood("check_name and current_state are missing")
    low = first(data, "importance_level").upper() == "LOW" or state in UNSURE
    full = first(data, "check_params.full_url", "check_params.url")
    at = moment(data.get("state_changed_timestamp")) or moment(
        first(data, "state_changed_utc_time")
    )
    return [
        event(
            NAME,
            title=f"{name} is {state.lower().replace('_', ' ')}",
            key=first(data, "check_id") or name,
            firing=state not in OVER,
            severity="warning" if low else "critical",
            labels={
                "alertname": "Down",
                "instance": first(
                    data,
                    "check_params.hostname",
                    "check_params.full_url",
                    "check_params.url",
                )
                or name,
                "check": name,
                "type": first(data, "check_type"),
                "tags": ", ".join(map(text, parts(data, "tags"))),
            },
            annotations={
                "description": first(data, "long_description", "description"),
                "message": first(data, "custom_message"),
                "probe": first(data, "first_probe.location"),
                "second_probe": first(data, "second_probe.location"),
            },
            link=full if "://" in full else "",
            starts_at=at,
            ends_at=at,
        )
    ]


def recognise(incoming: Incoming) -> bool:
    data = incoming.data
    return type(data) is dict and "check_id" in data and "current_state" in data


ADAPTER = Adapter(
    NAME,
    "Pingdom",
    read,
    recognise,
    example={
        "check_id": 12345,
        "check_name": "Shop",
        "check_type": "HTTP",
        "check_params": {
            "hostname": "shop.example",
            "full_url": "https://shop.example/",
        },
        "previous_state": "UP",
        "current_state": "DOWN",
        "importance_level": "HIGH",
        "state_changed_timestamp": 1763715600,
        "description": "HTTP Error 503",
        "tags": ["web"],
    },
    steps=(
        _("In Pingdom, open Integrations and add a webhook with the URL."),
        _("Tick the integration in each check that should alert."),
    ),
    docs="https://www.pingdom.com/resources/webhooks/",
)
