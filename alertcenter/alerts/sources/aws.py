"""What else does AWS tell, by EventBridge or SNS: GuardDuty, Health, ECS, RDS, budgets?

https://docs.aws.amazon.com/eventbridge/latest/ref/events.html
"""

from __future__ import annotations

from typing import Any

from alertcenter.alerts.events import Event
from alertcenter.alerts.sources.adapter import (
    Adapter,
    Incoming,
    NotUnderstood,
    as_object,
)
from alertcenter.alerts.sources.adapter import marked as _
from alertcenter.alerts.sources.aws_alarms import from_alarm, is_alarm
from alertcenter.alerts.sources.aws_events import from_event
from alertcenter.alerts.sources.aws_messages import (
    is_test,
    log_lines,
    own_words,
    plain_text,
    record,
)
from alertcenter.alerts.sources.shapes import first, objects, part
from alertcenter.alerts.sources.sns import KIND, SUBSCRIPTIONS, opened

NAME = "aws"
# What a message without an envelope has that comes from AWS.
MARKS = frozenset({
    "configRuleName", "Event Source", "Source ID", "AutoScalingGroupName", "approval",
    "CodePipeline.job", "eventTriggerName", "anomalyDetailsLink", "DeploymentId",
    "AutoScalingGroupARN", "deploymentGroupName", "notificationType", "deliveryStreamArn",
})  # fmt: skip


def read(incoming: Incoming) -> list[Event]:
    """Return the events of the body. Raises NotUnderstood."""
    data = as_object(incoming)
    if data.get("Type") in SUBSCRIPTIONS or incoming.header(KIND) in SUBSCRIPTIONS:
        return []
    data = part(data, "form") or data
    found, subject = opened(data)
    if type(found) is str and found.strip():
        return plain_text(NAME, found, subject, first(data, "TopicArn"))
    if type(found) is not dict or not found:
        raise NotUnderstood("the message is no object")
    if is_alarm(found):
        return [from_alarm(NAME, found)]
    if first(found, "detail-type"):
        return from_event(NAME, found)
    if records := objects(found, "Records"):
        return [record(NAME, one) for one in records[:500]]
    if packed := first(found, "awslogs.data"):
        return [log_lines(NAME, packed)]
    if is_test(found):
        return []
    if subject or "TopicArn" in data or not MARKS.isdisjoint(found):
        return [own_words(NAME, found, subject)]
    raise NotUnderstood("there is no detail-type, no record and no SNS message")


def recognise(incoming: Incoming) -> bool:
    data = incoming.data
    if type(data) is not dict:
        return False
    found, _subject = opened(data)
    if is_alarm(found):
        return False
    if "TopicArn" in data and "Message" in data:
        return True
    if type(found) is not dict:
        return False
    if "awslogs" in found or "configRuleName" in found or "CodePipeline.job" in found:
        return True
    records: Any = objects(found, "Records")
    return ("detail-type" in found and "source" in found and "detail" in found) or (
        bool(records) and ("eventSource" in records[0] or "EventSource" in records[0])
    )


ADAPTER = Adapter(
    NAME,
    "AWS events",
    read,
    recognise,
    headers=(KIND,),
    example={
        "version": "0",
        "id": "c2b6",
        "detail-type": "CodePipeline Pipeline Execution State Change",
        "source": "aws.codepipeline",
        "account": "123456789012",
        "time": "2026-11-20T10:00:00Z",
        "region": "eu-central-1",
        "resources": ["arn:aws:codepipeline:eu-central-1:123456789012:shop"],
        "detail": {"pipeline": "shop", "execution-id": "e1", "state": "FAILED"},
    },
    steps=(
        _("Make an EventBridge rule for the events, with an SNS topic as its target."),
        _("Add a subscription with protocol HTTPS and the URL to the topic."),
    ),
    docs="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rules.html",
)
