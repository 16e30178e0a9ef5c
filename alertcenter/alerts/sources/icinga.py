"""What do the notification scripts of Icinga 2 send, and Icinga Notifications?

https://icinga.com/docs/icinga-2/latest/doc/03-monitoring-basics/#notifications
The event stream of its API, and what its API tells of an object, are read too.
"""

from __future__ import annotations

from alertcenter.alerts.events import Event
from alertcenter.alerts.sources.adapter import Adapter, Incoming, as_object
from alertcenter.alerts.sources.adapter import marked as _
from alertcenter.alerts.sources.macros import from_macros, from_text, named
from alertcenter.alerts.sources.shapes import first, part

NAME = "icinga"


def read(incoming: Incoming) -> list[Event]:
    """Return the one event of a notification. Raises NotUnderstood."""
    raw = as_object(incoming)
    data = named({**incoming.query, **raw})
    if first(raw, "text") and len(raw) == 1:
        data = from_text(first(raw, "text"))
    return [from_macros(NAME, data)]


def recognise(incoming: Incoming) -> bool:
    data = incoming.data
    if type(data) is not dict:
        return False
    if "incident" in data and "object" in data:
        return bool(first(data, "object.tags.host"))
    if "tags" in data and "extra_tags" in data:
        return bool(first(part(data, "tags"), "host"))
    return (
        ("host_name" in data or "host" in data)
        and ("service_state" in data or "host_state" in data or "check_result" in data)
        and (
            "notification_type" in data
            or "check_result" in data
            or "icingaweb2_url" in data
        )
    )


ADAPTER = Adapter(
    NAME,
    "Icinga",
    read,
    recognise,
    takes_text=True,
    example={
        "notification_type": "PROBLEM",
        "host_name": "db-1",
        "host_address": "192.0.2.10",
        "service_name": "disk",
        "service_state": "CRITICAL",
        "service_output": "DISK CRITICAL - free space: / 512 MB (3 %)",
        "timestamp": "1763715600",
    },
    steps=(
        _("Define the NotificationCommand below and one like it with the host macros."),
        _("Apply a Notification with it; include the states OK and the type Recovery."),
    ),
    docs="https://icinga.com/docs/icinga-2/latest/doc/03-monitoring-basics/#notification-commands",
    snippet="""object NotificationCommand "alertcenter-service" {
  command = [ "/usr/bin/curl", "-fsS", "-m", "10", "{url}" ]
  arguments = {
    "--data-urlencode" = {
      value = [
        "notification_type=$notification.type$", "host_name=$host.name$",
        "host_address=$host.address$", "service_name=$service.name$",
        "service_state=$service.state$", "service_output=$service.output$",
        "timestamp=$icinga.timet$"
      ]
      repeat_key = true
    }
  }
}""",
)
