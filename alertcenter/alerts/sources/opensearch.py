"""What does a monitor of OpenSearch Alerting send to a custom webhook?

What the user's template says: often the default sentence, alone or inside `text`; or
JSON of the variables in `ctx`. Bucket monitors list new, deduped and completed alerts.
https://docs.opensearch.org/latest/observing-your-data/alerting/actions/
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
from alertcenter.alerts.sources.shapes import first, moment, objects, part

NAME = "opensearch"
# 1 is the highest of OpenSearch's five.
SEVERITIES = {
    "1": "critical", "2": "error", "3": "warning", "4": "info", "5": "debug",
}  # fmt: skip
OVER = frozenset({"completed", "resolved", "ok", "deleted", "recovered"})
LISTS = (("newAlerts", True), ("dedupedAlerts", True), ("completedAlerts", False))
ENTERED = " just entered alert status"
MOST = 500


def read(incoming: Incoming) -> list[Event]:
    """Return an event per bucket, or the one of the monitor. Raises NotUnderstood."""
    data = as_object(incoming)
    ctx = part(data, "ctx") or data
    if ENTERED in first(ctx, "text", "message", "content"):
        ctx = {**ctx, **spoken(first(ctx, "text", "message", "content"))}
    if not monitor_of(ctx):
        raise NotUnderstood("the monitor's name is missing")
    found = [
        alert(ctx, one, firing)
        for name, firing in LISTS
        for one in (objects(ctx, name) or objects(ctx, f"alerts.{name}"))[:MOST]
    ]
    return found or [alert(ctx, part(ctx, "alert"), None)]


def alert(ctx: Data, one: Data, firing: bool | None) -> Event:
    """Return the event of one alert of the monitor; of the monitor, if `one` is empty.

    `firing` None leaves it to the state that is told.
    """
    monitor = monitor_of(ctx)
    trigger = first(ctx, "trigger.name", "trigger_name", "triggerName", "trigger")
    bucket = first(one, "bucket_keys", "agg_alert_content.bucket_keys")
    state = first(one, "state") or first(ctx, "state", "status", "alert_state")
    if firing is None:
        firing = state.lower() not in OVER
    level = first(one, "severity") or first(
        ctx, "trigger.severity", "severity", "trigger_severity"
    )
    name = f"{monitor}: {trigger}" if trigger and trigger not in monitor else monitor
    began = first(one, "start_time", "last_notification_time")
    return event(
        NAME,
        title=f"{name}: {bucket}" if bucket else name,
        key=joined(
            first(ctx, "monitor._id", "monitor.id", "monitor_id") or monitor,
            first(ctx, "trigger.id", "trigger_id") or trigger,
            bucket,
        ),
        firing=firing,
        severity=SEVERITIES.get(level, level) or "error",
        labels={
            "host": first(ctx, "host", "hostname"),
            "bucket": bucket,
            "trigger": trigger,
            "alertname": monitor,
        },
        annotations={
            "description": first(ctx, "text", "message", "description"),
            "value": first(ctx, "results.0.hits.total.value", "value"),
            "error": first(ctx, "error"),
        },
        link=first(ctx, "url", "link", "dashboard_url"),
        starts_at=moment(began or first(ctx, "periodStart", "period_start"))
        if firing
        else None,
        ends_at=moment(first(one, "end_time") or first(ctx, "periodEnd", "period_end")),
    )


def monitor_of(ctx: Data) -> str:
    found = first(ctx, "monitor.name", "monitor_name", "monitorName")
    if found or type(ctx.get("monitor")) is not str:
        return found
    return first(ctx, "monitor")


def spoken(words: str) -> dict[str, str]:
    """Return what OpenSearch's default message says in its lines."""
    found = {"monitor_name": words.partition(ENTERED)[0].removeprefix("Monitor ")}
    for line in words[:4000].replace(" - ", "\n- ").splitlines():
        name, colon, value = line.strip(" -").partition(":")
        if colon:
            found[name.strip().lower().replace(" ", "_")] = value.strip()
    return found


def recognise(incoming: Incoming) -> bool:
    data = incoming.data
    if type(data) is not dict:
        return False
    ctx = part(data, "ctx") or data
    return ENTERED in first(ctx, "text", "message", "content") or (
        "name" in part(ctx, "monitor")
        and ("name" in part(ctx, "trigger") or "periodStart" in ctx)
    )


ADAPTER = Adapter(
    NAME,
    "OpenSearch",
    read,
    recognise,
    example={
        "monitor": {"name": "Errors in the log", "_id": "m1"},
        "trigger": {"name": "More than 100", "severity": "1", "id": "t1"},
        "periodStart": "2026-11-21T08:59:00Z",
        "periodEnd": "2026-11-21T09:00:00Z",
        "state": "ACTIVE",
        "message": "120 errors in one minute",
    },
    steps=(
        _("In OpenSearch, open Notifications and add a custom webhook with the URL."),
        _("Add the channel to the actions of your monitors, with the message below."),
    ),
    docs="https://docs.opensearch.org/latest/observing-your-data/alerting/actions/",
    snippet="""{
  "monitor": {"name": "{{ctx.monitor.name}}", "_id": "{{ctx.monitor._id}}"},
  "trigger": {"name": "{{ctx.trigger.name}}",
    "severity": "{{ctx.trigger.severity}}", "id": "{{ctx.trigger.id}}"},
  "periodStart": "{{ctx.periodStart}}",
  "periodEnd": "{{ctx.periodEnd}}"
}""",
    takes_text=True,
)
