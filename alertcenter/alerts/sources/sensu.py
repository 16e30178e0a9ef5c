"""What is an event of Sensu? Of Sensu Go, and of Sensu Core before it.

https://docs.sensu.io/sensu-go/latest/observability-pipeline/observe-events/events/
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
from alertcenter.alerts.sources.shapes import first, moment, part

NAME = "sensu"
# What the check returned; all else is unknown.
SEVERITIES = {"1": "warning", "2": "critical"}
WORDS = {"0": "ok", "1": "warning", "2": "critical"}


def read(incoming: Incoming) -> list[Event]:
    """Return the one event of the body. Raises NotUnderstood."""
    data = as_object(incoming)
    data = part(data, "spec") or part(data, "event") or data
    check = part(data, "check")
    # The host: an entity in Sensu Go, a client in Sensu Core.
    entity = part(data, "entity") or part(data, "client")
    name = first(check, "metadata.name", "name")
    host = first(entity, "metadata.name", "name") or first(
        check, "proxy_entity_name", "source"
    )
    status = first(check, "status")
    if not name or not (host or status):
        raise NotUnderstood("a check and an entity are missing")
    over = (
        status == "0"
        or first(data, "action") == "resolve"
        or (not status and first(check, "state") == "passing")
    )
    space = first(check, "metadata.namespace") or first(entity, "metadata.namespace")
    at = moment(data.get("timestamp") or check.get("executed") or check.get("issued"))
    begun = moment(check.get("last_state_change")) or at
    what = f"{name} on {host}" if host else name
    return [
        event(
            NAME,
            title=f"{what} is {'ok' if over else WORDS.get(status, 'unknown')}",
            key=joined(space, host, name),
            firing=not over,
            severity="" if over else SEVERITIES.get(status, "warning"),
            labels={
                "namespace": space,
                "entity_class": first(entity, "entity_class"),
                "address": first(entity, "address"),
                **part(entity, "metadata.labels"),
                **part(check, "metadata.labels"),
                "alertname": name,
                "host": host,
            },
            annotations={
                **part(check, "metadata.annotations"),
                "description": first(check, "output", "description"),
                "command": first(check, "command"),
                "occurrences": first(check, "occurrences")
                or first(data, "occurrences"),
                "state": first(check, "state"),
            },
            link=first(
                check,
                "metadata.annotations.sensu_event_url",
                "metadata.annotations.url",
                "url",
            ),
            starts_at=None if over else begun,
            ends_at=at,
        )
    ]


def recognise(incoming: Incoming) -> bool:
    data = incoming.data
    if type(data) is not dict:
        return False
    data = part(data, "spec") or data
    check = part(data, "check")
    return "status" in check and ("entity" in data or "client" in data)


ADAPTER = Adapter(
    NAME,
    "Sensu",
    read,
    recognise,
    example={
        "timestamp": 1763715600,
        "entity": {
            "entity_class": "agent",
            "metadata": {"name": "db-1", "namespace": "default"},
        },
        "check": {
            "metadata": {"name": "check-disk", "namespace": "default"},
            "output": "CheckDisk CRITICAL: / 97 % used",
            "status": 2,
            "state": "failing",
            "occurrences": 1,
        },
    },
    steps=(
        _("Save the handler below in Sensu; it posts each event as it is to the URL."),
        _("Name it in the handlers of your checks; events that resolve are sent too."),
    ),
    docs="https://docs.sensu.io/sensu-go/latest/observability-pipeline/observe-process/handlers/",
    snippet="""---
type: Handler
api_version: core/v2
metadata:
  name: alertcenter
spec:
  type: pipe
  command: curl -fsS -m 10 -H 'Content-Type: application/json' -d @- {url}
  filters:
    - is_incident""",
)
