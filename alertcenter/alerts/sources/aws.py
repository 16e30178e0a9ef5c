"""What else does AWS tell, by EventBridge or SNS: GuardDuty, Health, ECS, RDS, budgets?

https://docs.aws.amazon.com/eventbridge/latest/ref/events.html
What has states is closed by the state that is good again; all else stays until somebody
closes it, or a day has passed.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
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
from alertcenter.alerts.sources.shapes import (
    at,
    first,
    moment,
    number,
    objects,
    part,
    parts,
    text,
)
from alertcenter.alerts.sources.sns import SUBSCRIPTIONS, opened

NAME = "aws"
DAY = 24 * 3600
LARGEST = 256 * 1024
GOOD = frozenset({
    "succeeded", "success", "completed", "resolved", "closed", "running", "compliant",
    "ok", "healthy", "available", "archived", "in_service",
})  # fmt: skip
BAD = frozenset({
    "failed", "failure", "error", "timed_out", "aborted", "stopped", "expired",
    "non_compliant", "unhealthy", "alarm", "stopping", "terminated",
})  # fmt: skip
STATES = (
    "state", "status", "statusCode", "State", "build-status", "lastStatus",
    "currentPhase", "newEvaluationResult.complianceType", "eventName",
)  # fmt: skip
OBJECTS = (
    "instance-id", "pipeline", "project-name", "stateMachineArn", "taskArn",
    "containerInstanceArn", "SourceIdentifier", "AutoScalingGroupName", "jobName",
    "resourceId", "bucket.name", "service", "executionArn", "jobId", "configRuleName",
)  # fmt: skip


def read(incoming: Incoming) -> list[Event]:
    """Return the events of the body. Raises NotUnderstood."""
    data = as_object(incoming)
    if data.get("Type") in SUBSCRIPTIONS:
        return []
    found, subject = opened(data)
    if type(found) is str:
        return [plain_text(found, subject, first(data, "TopicArn"))]
    if type(found) is not dict:
        raise NotUnderstood("the message is no object")
    if "detail-type" in found:
        return [from_eventbridge(found)]
    records = parts(found, "Records")
    if records:
        return [record(one) for one in records[:500] if type(one) is dict]
    packed = first(found, "awslogs.data")
    if packed:
        return [log_lines(packed)]
    if first(found, "configRuleName", "Event Source", "AlarmName", "Source ID"):
        return [other(found, subject)]
    if subject or "TopicArn" in data:
        return [other(found, subject)]
    raise NotUnderstood("there is no detail-type, no record and no SNS message")


def from_eventbridge(found: Data) -> Event:
    """Return the event of one of AWS' services."""
    detail = part(found, "detail")
    kind = first(found, "detail-type")
    state = first(detail, *STATES)
    about = first(detail, *OBJECTS) or first(found, "resources.0")
    name = about.rpartition("/")[2] or about.rpartition(":")[2]
    finding = first(detail, "id", "findings.0.Id", "eventArn")
    good = state.lower() in GOOD and not finding_open(kind, detail)
    return event(
        NAME,
        title=first(detail, "title", "findings.0.Title", "description")
        or (first(detail, "eventTypeCode") and f"AWS Health: {first(detail, 'eventTypeCode')}")
        or " ".join(filter(None, (kind, name, state))),
        key=joined(kind, finding or about or first(found, "id")),
        firing=not good,
        severity=severity_of(kind, detail, state),
        labels={
            "alertname": kind,
            "service": first(found, "source").removeprefix("aws."),
            "account": first(found, "account"),
            "region": first(found, "region"),
            "resource": name,
            "state": state,
        },
        annotations={
            "description": first(
                detail, "description", "findings.0.Description",
                "eventDescription.0.latestDescription", "cause", "Message",
                "stoppedReason", "StatusMessage",
            ),
            "detail": text(detail)[:4000],
        },
        link=first(detail, "findings.0.SourceUrl", "additional-information.logs.deep-link"),
        starts_at=moment(first(found, "time")),
        ends_at=moment(first(found, "time")),
        ttl_seconds=None if state.lower() in GOOD | BAD or finding else DAY,
    )  # fmt: skip


def finding_open(kind: str, detail: Data) -> bool:
    """Whether a Security Hub or GuardDuty finding, whose states differ, is open."""
    workflow = first(detail, "findings.0.Workflow.Status")
    return "Finding" in kind and workflow not in ("RESOLVED", "SUPPRESSED")


def severity_of(kind: str, detail: Data, state: str) -> str:
    """Return how bad it is: findings have numbers, states have words."""
    label = first(detail, "findings.0.Severity.Label")
    if label:
        return label
    score = number(at(detail, "severity"))
    if score is not None:
        return "critical" if score >= 7 else "warning" if score >= 4 else "info"
    if kind == "AWS Health Event":
        return "error" if first(detail, "eventTypeCategory") == "issue" else "info"
    lower = state.lower()
    if lower in ("failed", "failure", "timed_out", "error", "aborted", "alarm"):
        return "error"
    return "warning" if lower in BAD else "info"


def record(one: Data) -> Event:
    """Return the event of one record of S3, SES, SQS or a stream."""
    source = first(one, "eventSource", "EventSource", "source")
    name = first(one, "eventName") or "record"
    about = first(
        one,
        "s3.object.key",
        "ses.mail.messageId",
        "messageId",
        "eventID",
        "Sns.MessageId",
    )
    where = first(one, "s3.bucket.name", "eventSourceARN")
    return event(
        NAME,
        title=" ".join(filter(None, (source.removeprefix("aws:"), name, where, about)))
        or "AWS record",
        key=joined(source, name, where, about or text(one)[:300]),
        severity="info",
        labels={
            "alertname": name,
            "service": source.removeprefix("aws:"),
            "region": first(one, "awsRegion"),
            "resource": where,
        },
        annotations={"detail": text(one)[:4000]},
        starts_at=moment(first(one, "eventTime")),
        ttl_seconds=DAY,
    )


def log_lines(packed: str) -> Event:
    """Return what a subscription of CloudWatch Logs passes on, packed."""
    try:
        # Bounded: a few kilobytes can unpack to gigabytes.
        body = zlib.decompressobj(31).decompress(base64.b64decode(packed), LARGEST)
        found = json.loads(body)
    except (binascii.Error, zlib.error, ValueError, RecursionError):
        found = {}
    group = first(found, "logGroup")
    lines = [first(one, "message") for one in objects(found, "logEvents")[:20]]
    return event(
        NAME,
        title=f"Log lines of {group}: {lines[0] if lines else ''}"
        if group
        else "Log lines",
        key=joined("logs", group, first(found, "subscriptionFilters.0")),
        labels={
            "alertname": "LogLines",
            "log_group": group,
            "log_stream": first(found, "logStream"),
            "account": first(found, "owner"),
        },
        annotations={"description": "\n".join(lines)[:8000]},
        ttl_seconds=DAY,
    )


def plain_text(words: str, subject: str, topic: str) -> Event:
    """Return an SNS message that is only words, as AWS Budgets sends it.

    Alertmanager's titles begin with their state; with that taken off, what is
    resolved is what fired.
    """
    title = subject or words.strip().split("\n", 1)[0]
    over = title.upper().startswith(("[RESOLVED", "RESOLVED", "OK:"))
    if title.startswith("["):
        title = title.partition("]")[2].strip() or title
    return event(
        NAME,
        title=title,
        key=joined(topic, title),
        firing=not over,
        labels={"alertname": title, "topic": topic.rpartition(":")[2]},
        annotations={"description": words},
        ttl_seconds=DAY,
    )


def other(found: Data, subject: str) -> Event:
    """Return a JSON message of a service that has its own words."""
    about = first(found, "Source ID", "configRuleName", "resourceId", "jobName")
    title = (
        subject or first(found, "Event Message", "title", "message", "Cause") or about
    )
    state = first(found, "status", "state", "Event").lower()
    return event(
        NAME,
        title=title or "AWS message",
        key=joined(first(found, "Event Source", "source"), about or title),
        firing=state not in GOOD,
        severity="error" if state in BAD else "",
        labels={
            "alertname": first(found, "Event Source", "configRuleName", "source"),
            "resource": about,
            "account": first(found, "accountId", "AccountId"),
        },
        annotations={"detail": text(found)[:4000]},
        link=first(found, "Identifier Link", "link"),
        ttl_seconds=DAY,
    )


def recognise(incoming: Incoming) -> bool:
    data = incoming.data
    if type(data) is not dict:
        return False
    found, _subject = opened(data)
    if type(found) is dict and (
        ("AlarmName" in found and "NewStateValue" in found)
        or found.get("detail-type") == "CloudWatch Alarm State Change"
    ):
        return False
    if "TopicArn" in data and "Message" in data:
        return True
    if type(found) is not dict:
        return False
    first_record: Any = at(found, "Records.0")
    if "awslogs" in found:
        return True
    return ("detail-type" in found and "source" in found and "account" in found) or (
        type(first_record) is dict
        and ("eventSource" in first_record or "EventSource" in first_record)
    )


ADAPTER = Adapter(
    NAME,
    "AWS events",
    read,
    recognise,
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
