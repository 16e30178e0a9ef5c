"""What does Checkly send? The webhook of our set-up page, or its default.

https://www.checklyhq.com/docs/integrations/alerts/webhooks/
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
from alertcenter.alerts.sources.shapes import first, moment, parts, tags

NAME = "checkly"
OVER = ("RECOVERY", "RECOVERED")
DEGRADED = ("ALERT_DEGRADED", "ALERT_DEGRADED_REMAIN", "ALERT_FAILURE_DEGRADED")
EXPIRY = "ALERT_SSL"


def read(incoming: Incoming) -> list[Event]:
    """Return the one event of the body. Raises NotUnderstood."""
    data = as_object(incoming)
    kind = first(data, "alert_type", "ALERT_TYPE", "alertType").upper()
    name = first(data, "check_name", "CHECK_NAME", "checkName")
    if not name or not kind:
        raise NotUnderstood("check_name and alert_type are missing")
    if kind == "NO_ALERT":
        return []
    certificate = kind.startswith(EXPIRY)
    days = first(data, "ssl_days_remaining", "SSL_DAYS_REMAINING")
    at = moment(first(data, "started_at", "STARTED_AT", "startedAt"))
    number = first(data, "check_id", "CHECK_ID", "checkId") or name
    return [
        event(
            NAME,
            title=first(data, "event", "alert_title", "ALERT_TITLE") or f"{name} fails",
            key=joined(number, "ssl" if certificate else "state"),
            firing=not kind.endswith(OVER),
            severity="warning" if certificate or kind in DEGRADED else "critical",
            labels={
                "alertname": name,
                "group": first(data, "group_name", "GROUP_NAME"),
                "type": first(data, "check_type", "CHECK_TYPE"),
                "domain": first(data, "ssl_check_domain", "SSL_CHECK_DOMAIN"),
                **tags_of(data),
            },
            annotations={
                "description": first(
                    data, "check_error_message", "error_message", "CHECK_ERROR_MESSAGE"
                ),
                "location": first(data, "run_location", "RUN_LOCATION"),
                "response_ms": first(data, "response_time", "RESPONSE_TIME"),
                "status_code": first(data, "api_check_response_status_code"),
                "days_left": days,
            },
            link=first(data, "link", "RESULT_LINK", "result_link"),
            starts_at=at,
            ends_at=at,
        )
    ]


def tags_of(data: Data) -> dict[str, str]:
    """Return the tags: a list, or a text with commas or, as the default's loop, spaces."""
    listed = parts(data, "tags") or parts(data, "TAGS")
    if listed:
        return tags(listed)
    words = first(data, "tags", "TAGS")
    return tags(words) if "," in words else tags(words.split())


def recognise(incoming: Incoming) -> bool:
    data = incoming.data
    return type(data) is dict and (
        ("check_name" in data and "alert_type" in data) or "check_result_id" in data
    )


ADAPTER = Adapter(
    NAME,
    "Checkly",
    read,
    recognise,
    example={
        "event": "Checkout API has failed",
        "alert_type": "ALERT_FAILURE",
        "check_name": "Checkout API",
        "check_id": "b6d1a2c4",
        "check_type": "API",
        "check_error_message": "expected 200, got 503",
        "run_location": "Frankfurt",
        "started_at": "2026-11-20T10:00:00.000Z",
        "tags": "shop,production",
        "link": "https://app.checklyhq.com/checks/b6d1a2c4",
    },
    steps=(
        _("In Checkly, open Alert settings and add a webhook with the URL."),
        _("Paste the body below, and subscribe your checks to the channel."),
    ),
    docs="https://www.checklyhq.com/docs/integrations/alerts/webhooks/",
    snippet="""{
  "event": "{{ALERT_TITLE}}",
  "alert_type": "{{ALERT_TYPE}}",
  "check_name": "{{CHECK_NAME}}",
  "group_name": "{{GROUP_NAME}}",
  "check_id": "{{CHECK_ID}}",
  "check_type": "{{CHECK_TYPE}}",
  "check_result_id": "{{CHECK_RESULT_ID}}",
  "check_error_message": "{{CHECK_ERROR_MESSAGE}}",
  "response_time": "{{RESPONSE_TIME}}",
  "run_location": "{{RUN_LOCATION}}",
  "ssl_days_remaining": "{{SSL_DAYS_REMAINING}}",
  "started_at": "{{STARTED_AT}}",
  "tags": "{{#each TAGS}} {{this}} {{/each}}",
  "link": "{{RESULT_LINK}}"
}""",
)
