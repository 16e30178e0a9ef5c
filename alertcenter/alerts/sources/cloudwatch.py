"""What does an Amazon CloudWatch alarm say, by SNS or by EventBridge?

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html
"""

from __future__ import annotations

from alertcenter.alerts.events import Event
from alertcenter.alerts.sources.adapter import (
    Adapter,
    Incoming,
    NotUnderstood,
    as_object,
)
from alertcenter.alerts.sources.adapter import marked as _
from alertcenter.alerts.sources.aws_alarms import CHANGE, from_alarm, is_alarm
from alertcenter.alerts.sources.aws_events import from_event
from alertcenter.alerts.sources.aws_messages import own_words, plain_text
from alertcenter.alerts.sources.shapes import first
from alertcenter.alerts.sources.sns import KIND, SUBSCRIPTIONS, opened

NAME = "cloudwatch"


def read(incoming: Incoming) -> list[Event]:
    """Return the event of the alarm. Raises NotUnderstood.

    A topic may carry more than alarms: what else AWS says is no less heard.
    """
    data = as_object(incoming)
    if data.get("Type") in SUBSCRIPTIONS or incoming.header(KIND) in SUBSCRIPTIONS:
        return []
    found, subject = opened(data)
    if is_alarm(found):
        return [from_alarm(NAME, found)]
    topic = first(data, "TopicArn")
    if type(found) is str and topic:
        return plain_text(NAME, found, subject, topic)
    if type(found) is dict and first(found, "detail-type"):
        return from_event(NAME, found)
    if type(found) is dict and topic:
        return [own_words(NAME, found, subject)]
    raise NotUnderstood("AlarmName is missing")


def recognise(incoming: Incoming) -> bool:
    found, _subject = opened(incoming.data)
    return is_alarm(found) and (
        found.get("detail-type") == CHANGE
        or not {"NewStateValue", "AlarmArn", "ComparisonOperator"}.isdisjoint(found)
    )


ADAPTER = Adapter(
    NAME,
    "Amazon CloudWatch",
    read,
    recognise,
    headers=(KIND,),
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
