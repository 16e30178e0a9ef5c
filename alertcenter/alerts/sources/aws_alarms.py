"""What does an alarm of Amazon CloudWatch say, by SNS or by EventBridge?

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from alertcenter.alerts.events import Event
from alertcenter.alerts.sources.adapter import Data, event, joined
from alertcenter.alerts.sources.shapes import first, moment, objects, part

CHANGE = "CloudWatch Alarm State Change"
SEVERITIES = {"ALARM": "critical", "INSUFFICIENT_DATA": "warning"}


def is_alarm(found: Any) -> bool:
    """Whether this is the message of an alarm."""
    return type(found) is dict and (
        bool(found.get("AlarmName")) or found.get("detail-type") == CHANGE
    )


def from_alarm(source: str, found: Data) -> Event:
    """Return the event of an alarm, whichever way it came."""
    if found.get("detail-type") == CHANGE:
        return from_eventbridge(source, found)
    return from_sns(source, found)


def from_sns(source: str, alarm: Data) -> Event:
    trigger = part(alarm, "Trigger")
    # In metric math and anomaly detection some of the metrics are expressions.
    metrics = [part(one, "MetricStat.Metric") for one in objects(trigger, "Metrics")]
    metric = next(filter(None, metrics), {})
    found = objects(trigger, "Dimensions") or objects(metric, "Dimensions")
    account, region = first(alarm, "AWSAccountId"), first(alarm, "Region")
    return one_event(
        source,
        name=first(alarm, "AlarmName"),
        arn=first(alarm, "AlarmArn"),
        account=account,
        region=region,
        state=first(alarm, "NewStateValue"),
        word=first(alarm, "Priority"),
        metric={
            "namespace": first(trigger, "Namespace")
            or first(metric, "Namespace")
            or first(alarm, "Namespace"),
            "metric": first(trigger, "MetricName")
            or first(metric, "MetricName")
            or first(alarm, "MetricName"),
            **{
                first(one, "name", "Name"): first(one, "value", "Value")
                for one in found[:20]
            },
        },
        annotations={
            "description": first(alarm, "AlarmDescription"),
            "reason": first(alarm, "NewStateReason"),
            "threshold": first(trigger, "Threshold") or first(alarm, "Threshold"),
            "rule": first(alarm, "AlarmRule"),
            "caused_by": ", ".join(
                first(one, "Arn", "arn").rpartition(":alarm:")[2]
                for one in objects(alarm, "TriggeringChildren")[:20]
            ),
        },
        when=alarm.get("StateChangeTime") or alarm.get("Timestamp"),
    )


def from_eventbridge(source: str, change: Data) -> Event:
    detail = part(change, "detail")
    metrics = objects(detail, "configuration.metrics")
    metric = next(filter(None, (part(one, "metricStat.metric") for one in metrics)), {})
    return one_event(
        source,
        name=first(detail, "alarmName"),
        arn=first(change, "resources.0"),
        account=first(change, "account"),
        region=first(change, "region"),
        state=first(detail, "state.value"),
        word="",
        metric={
            "namespace": first(metric, "namespace"),
            "metric": first(metric, "name"),
            **part(metric, "dimensions"),
        },
        annotations={
            "description": first(detail, "configuration.description"),
            "reason": first(detail, "state.reason"),
            "rule": first(detail, "configuration.alarmRule"),
            "muted_by": first(detail, "state.actionsSuppressedReason"),
        },
        when=first(detail, "state.timestamp") or first(change, "time"),
    )


def one_event(
    source: str,
    *,
    name: str,
    arn: str,
    account: str,
    region: str,
    state: str,
    word: str,
    metric: Data,
    annotations: Data,
    when: Any,
) -> Event:
    pieces = arn.split(":")
    # The ARN has the region's code, the message its name: "EU (Frankfurt)".
    code = pieces[3] if len(pieces) > 6 else ""
    state = state.upper()
    at = moment(when)
    return event(
        source,
        title=name or "CloudWatch alarm",
        key=arn if code else joined(account, region, name),
        firing=state != "OK",
        severity=word or SEVERITIES.get(state, "critical"),
        labels={
            **metric,
            "alertname": name,
            "account": account,
            "region": code or region,
            "state": state if state == "INSUFFICIENT_DATA" else "",
        },
        annotations=annotations,
        link=page(code, name),
        starts_at=at if state != "OK" else None,
        ends_at=at,
    )


def page(region: str, name: str) -> str:
    """Return the alarm's page in the console."""
    if not region.replace("-", "").isalnum() or not region.isascii():
        return ""
    return (
        f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}"
        f"#alarmsV2:alarm/{quote(name[:255], safe='')}"
    )
