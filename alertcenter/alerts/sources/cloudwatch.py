"""What does an Amazon CloudWatch alarm say, by SNS or by EventBridge?

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html
"""

from __future__ import annotations

from typing import Any

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
from alertcenter.alerts.sources.sns import SUBSCRIPTIONS, opened

NAME = "cloudwatch"
CHANGE = "CloudWatch Alarm State Change"
SEVERITIES = {"ALARM": "critical", "INSUFFICIENT_DATA": "warning"}


def read(incoming: Incoming) -> list[Event]:
    """Return the one event of the alarm. Raises NotUnderstood."""
    data = as_object(incoming)
    if data.get("Type") in SUBSCRIPTIONS:
        return []
    alarm, _subject = opened(data)
    if type(alarm) is not dict:
        raise NotUnderstood("the message is no alarm")
    if alarm.get("detail-type") == CHANGE:
        return [from_eventbridge(alarm)]
    if first(alarm, "AlarmName"):
        return [from_sns(alarm)]
    raise NotUnderstood("AlarmName is missing")


def from_sns(alarm: Data) -> Event:
    state = first(alarm, "NewStateValue").upper()
    trigger = part(alarm, "Trigger")
    return event(
        NAME,
        title=first(alarm, "AlarmName"),
        key=first(alarm, "AlarmArn")
        or joined(
            first(alarm, "AWSAccountId"),
            first(alarm, "Region"),
            first(alarm, "AlarmName"),
        ),
        firing=state != "OK",
        severity=first(alarm, "Priority") or SEVERITIES.get(state, "critical"),
        labels={
            "alertname": first(alarm, "AlarmName"),
            "account": first(alarm, "AWSAccountId"),
            "region": first(alarm, "Region"),
            "namespace": first(trigger, "Namespace") or first(alarm, "Namespace"),
            "metric": first(trigger, "MetricName")
            or first(alarm, "MetricName")
            or first(trigger, "Metrics.0.MetricStat.Metric.MetricName"),
            "state": state if state == "INSUFFICIENT_DATA" else "",
            **dimensions(trigger),
        },
        annotations={
            "description": first(alarm, "AlarmDescription"),
            "reason": first(alarm, "NewStateReason"),
            "threshold": first(trigger, "Threshold") or first(alarm, "Threshold"),
        },
        link=console(first(alarm, "AlarmArn"), first(alarm, "AlarmName")),
        starts_at=moment(first(alarm, "StateChangeTime")),
        ends_at=moment(first(alarm, "StateChangeTime")),
    )


def dimensions(trigger: Data) -> dict[str, str]:
    """Return what the metric is about, such as an InstanceId."""
    found = objects(trigger, "Dimensions") or objects(
        trigger, "Metrics.0.MetricStat.Metric.Dimensions"
    )
    return {
        first(one, "name", "Name"): first(one, "value", "Value") for one in found[:10]
    }


def from_eventbridge(change: Data) -> Event:
    detail = part(change, "detail")
    state = first(detail, "state.value").upper()
    name = first(detail, "alarmName")
    metric = part(detail, "configuration.metrics.0.metricStat.metric")
    more: dict[str, Any] = part(metric, "dimensions")
    return event(
        NAME,
        title=name,
        key=first(change, "resources.0")
        or joined(first(change, "account"), first(change, "region"), name),
        firing=state != "OK",
        severity=SEVERITIES.get(state, "critical"),
        labels={
            "alertname": name,
            "account": first(change, "account"),
            "region": first(change, "region"),
            "namespace": first(metric, "namespace"),
            "metric": first(metric, "name"),
            **more,
        },
        annotations={
            "description": first(detail, "configuration.description"),
            "reason": first(detail, "state.reason"),
        },
        link=console(first(change, "resources.0"), name),
        starts_at=moment(first(detail, "state.timestamp"))
        or moment(first(change, "time")),
        ends_at=moment(first(detail, "state.timestamp"))
        or moment(first(change, "time")),
    )


def console(arn: str, name: str) -> str:
    """Return the alarm's page; its ARN names the region."""
    pieces = arn.split(":")
    if (
        len(pieces) < 6
        or not pieces[3].replace("-", "").isalnum()
        or not name.isascii()
    ):
        return ""
    region = pieces[3]
    return (
        f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}"
        f"#alarmsV2:alarm/{name.replace(' ', '%20')}"
    )


def recognise(incoming: Incoming) -> bool:
    alarm, _subject = opened(incoming.data)
    return type(alarm) is dict and (
        ("AlarmName" in alarm and "NewStateValue" in alarm)
        or alarm.get("detail-type") == CHANGE
    )


ADAPTER = Adapter(
    NAME,
    "Amazon CloudWatch",
    read,
    recognise,
    example={
        "AlarmName": "CPU of web-1 is high",
        "AlarmDescription": "Over 90 % for five minutes",
        "AWSAccountId": "123456789012",
        "NewStateValue": "ALARM",
        "OldStateValue": "OK",
        "NewStateReason": "Threshold Crossed: 1 datapoint [97.2] was above 90.0.",
        "StateChangeTime": "2026-11-20T10:00:00.000+0000",
        "Region": "EU (Frankfurt)",
        "AlarmArn": "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:cpu-web-1",
        "Trigger": {
            "MetricName": "CPUUtilization",
            "Namespace": "AWS/EC2",
            "Dimensions": [{"name": "InstanceId", "value": "i-0a1b2c3d"}],
            "Threshold": 90.0,
        },
    },
    steps=(
        _(
            "In Amazon SNS, add a subscription with protocol HTTPS and the URL to the topic."
        ),
        _(
            "AlertCenter checks Amazon's signature and confirms the subscription by itself."
        ),
        _("Choose the topic for the states ALARM and OK of your alarms."),
    ),
    docs="https://docs.aws.amazon.com/sns/latest/dg/sns-http-https-endpoint-as-subscriber.html",
)
