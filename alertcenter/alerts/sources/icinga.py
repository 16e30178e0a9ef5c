"""What do the notification scripts of Icinga 2 send?

https://icinga.com/docs/icinga-2/latest/doc/03-monitoring-basics/#notifications
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
from alertcenter.alerts.sources.shapes import at, first, moment, part

NAME = "icinga"
OVER = ("OK", "UP", "RECOVERY", "0")
SEVERITIES = {
    "CRITICAL": "critical", "WARNING": "warning", "UNKNOWN": "warning",
    "DOWN": "critical", "1": "warning", "2": "critical", "3": "warning", "CRIT": "critical",
    "ERR": "error", "EMERG": "critical", "ALERT": "critical",
}  # fmt: skip


def read(incoming: Incoming) -> list[Event]:
    """Return the one event of a notification. Raises NotUnderstood."""
    data = as_object(incoming)
    # Icinga's event stream and its API nest; scripts send flat names.
    result = part(data, "check_result") or part(data, "attrs.last_check_result")
    host = first(
        data, "host_name", "host.name", "host.display_name", "attrs.host_name", "hostname",
        "host_display_name", "host", "object.tags.host",
    )  # fmt: skip
    service = first(
        data, "service_name", "service.name", "service.display_name", "attrs.name",
        "service_display_name", "service", "object.tags.service", "servicename",
    )  # fmt: skip
    kind = first(data, "notification_type", "notification.type", "type").upper()
    state = first(
        data, "service_state", "host_state", "state", "service.state", "host.state",
        "check_state", "severity", "attrs.state", "check_result.state",
    ).upper()  # fmt: skip
    if type(at(data, "service")) is dict:
        service = first(data, "service.name", "service.display_name")
    if not host or not (state or kind):
        raise NotUnderstood("a host name and a state are missing")
    at_time = moment(
        first(
            data,
            "timestamp",
            "long_date_time",
            "last_state_change",
            "check_result.execution_end",
        )
    )
    what = f"{service} on {host}" if service else host
    return [
        event(
            NAME,
            title=f"{what} is {(state or kind).lower()}",
            key=joined(host, service),
            firing=state not in OVER and kind != "RECOVERY",
            severity=SEVERITIES.get(state, "warning"),
            labels={
                "alertname": service or "HostDown",
                "host": host,
                "service": service,
                "address": first(data, "host_address", "address", "host.address"),
            },
            annotations={
                "description": first(
                    data, "service_output", "host_output", "check_output", "output",
                    "plugin_output", "service.output", "message",
                )
                or first(result, "output"),
                "notification": kind,
                "comment": first(data, "notification_comment", "comment"),
                "author": first(data, "notification_author", "author"),
                "runbook_url": first(data, "notes_url"),
            },
            link=first(data, "icingaweb2_url", "url", "action_url", "link"),
            starts_at=at_time,
            ends_at=at_time,
        )
    ]  # fmt: skip


def recognise(incoming: Incoming) -> bool:
    data = incoming.data
    return (
        type(data) is dict
        and ("host_name" in data or "host" in data)
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
