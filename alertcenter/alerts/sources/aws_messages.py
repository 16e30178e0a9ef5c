"""What does AWS tell in words of its own: records, log lines, SNS messages, plain text?

https://docs.aws.amazon.com/sns/latest/dg/sns-event-sources.html
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib

from alertcenter.alerts.events import Event
from alertcenter.alerts.sources.adapter import Data, event, joined
from alertcenter.alerts.sources.aws_events import BAD, DAY, GOOD
from alertcenter.alerts.sources.shapes import first, moment, objects, part, text

LARGEST = 256 * 1024
TESTS = ("s3:TestEvent", "autoscaling:TEST_NOTIFICATION")
# In a title; "unsuccessful" too, but nothing that only begins so.
WRONG = (
    "fail", "error", "unable", "exceed", "low on storage", "exhausted", "crash", "severe",
    "rollback", "degraded", "threshold", "alarm", "unsuccessful", "reject", "denied",
)  # fmt: skip
NOTABLE = ("bounce", "complaint", "anomaly", "approval needed", "warning")
OVER = ("[RESOLVED", "RESOLVED", "OK:", "[OK", "RECOVERED")
LISTS = {"Alerts Firing:": True, "Alerts Resolved:": False}


def is_test(found: Data) -> bool:
    """Whether AWS only tries the way."""
    return first(found, "Event") in TESTS


def record(source: str, one: Data) -> Event:
    """Return the event of one record of S3, SES, CodeCommit, SQS or a stream."""
    service = first(one, "eventSource", "EventSource", "source").removeprefix("aws:")
    mail = part(one, "ses.mail")
    what = first(one, "eventName", "eventTriggerName") or ("mail" if mail else "record")
    where = first(one, "s3.bucket.name", "ses.receipt.recipients.0") or (
        first(one, "eventSourceARN").rpartition(":")[2].removeprefix("table/")
    )
    about = first(
        one, "s3.object.key", "ses.mail.messageId", "codecommit.references.0.ref",
        "messageId", "eventID", "eventId", "Sns.MessageId", "kinesis.sequenceNumber",
    )  # fmt: skip
    shown = (
        first(mail, "commonHeaders.subject")
        or first(one, "s3.object.key", "codecommit.references.0.ref", "Sns.Subject")
        or first(one, "body", "Sns.Message")[:200]
    )
    return event(
        source,
        title=f"{service or 'AWS'} {what}: {' '.join(filter(None, (where, shown or about)))}",
        key=joined(service, what, where, about or text(one)[:300]),
        severity="info",
        labels={
            "alertname": f"{service} {what}",
            "service": service,
            "region": first(one, "awsRegion"),
            "resource": where,
        },
        annotations={
            "description": first(one, "body", "Sns.Message")
            or first(one, "userIdentityARN", "userIdentity.principalId"),
            "from": first(mail, "source"),
        },
        starts_at=moment(first(one, "eventTime", "ses.mail.timestamp")),
        ttl_seconds=DAY,
    )  # fmt: skip


def log_lines(source: str, packed: str) -> Event:
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
        source,
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


def own_words(source: str, found: Data, subject: str) -> Event:
    """Return a JSON message of a service that has its own words."""
    about = first(
        found, "Source ID", "AutoScalingGroupARN", "AutoScalingGroupName", "configRuleName",
        "mail.messageId", "approval.pipelineName", "deploymentGroupName", "applicationName",
        "anomalyId", "resourceId", "jobName", "DeploymentId", "deploymentId",
        "CodePipeline.job.id", "deliveryStreamArn",
    )  # fmt: skip
    kind = first(
        found, "Event Source", "notificationType", "eventType", "Event", "messageType",
        "monitorName", "eventTriggerName", "source",
    )  # fmt: skip
    name = about.rpartition("/")[2] or about
    if len(found) <= 2 and not about:  # {"ElastiCache:FailoverComplete": "orders"}
        kind, name = next(iter(found)), first(found, next(iter(found)))
        about = name
    said = first(
        found, "Event Message", "content.title", "title", "message", "msg", "Description",
        "description", "summary",
    )  # fmt: skip
    state = first(
        found, "newEvaluationResult.complianceType", "status", "state", "severity"
    )
    if first(found, "anomalyId"):
        causes = ", ".join(
            first(one, "service") for one in objects(found, "rootCauses")
        )
        said, name = (
            f"Cost anomaly of {first(found, 'impact.totalImpact')}: {causes}",
            "",
        )
    mail = ", ".join(
        first(one, "emailAddress")
        for one in objects(found, "bounce.bouncedRecipients")
        or objects(found, "complaint.complainedRecipients")
    )
    if mail:
        said = f"{kind}: {mail}"
    lower = state.lower()
    title = said if said and "." not in said[:2] else ""
    title = f"{name}: {title}" if title and name and not mail else title or subject
    return event(
        source,
        title=title or " ".join(filter(None, (kind, name, state))) or "AWS message",
        key=joined(
            kind.replace("_ERROR", "") if lower or "autoscaling" in kind else kind,
            about or title or text(found)[:300],
            first(found, "Event ID"),
        ),
        firing=lower not in GOOD,
        severity=first(found, "severity")
        or ("error" if lower in BAD else word_for(f"{kind} {said} {subject}")),
        labels={
            "alertname": kind or subject or name,
            "resource": name,
            "account": first(found, "accountId", "AccountId", "mail.sendingAccountId"),
            "region": first(found, "region"),
            "state": state,
        },
        annotations={
            "description": first(
                found, "Event Message", "content.description", "StatusMessage", "Cause",
                "bounce.bouncedRecipients.0.diagnosticCode", "approval.customData",
            ),
            "impact": first(found, "impact.totalImpact"),
            "detail": text(found)[:4000],
        },
        link=first(
            found, "Identifier Link", "consoleLink", "approval.approvalReviewLink",
            "anomalyDetailsLink", "link", "url",
        ),
        starts_at=moment(
            first(found, "Event Time", "Time", "timestamp", "mail.timestamp")
        )
        if lower not in GOOD
        else None,
        ttl_seconds=DAY,
    )  # fmt: skip


def word_for(words: str) -> str:
    """Return how bad words sound that have no severity."""
    lower = words.lower().replace("failover", "")
    if any(word in lower for word in WRONG):
        return "error"
    return "warning" if any(word in lower for word in NOTABLE) else "info"


def plain_text(source: str, words: str, subject: str, topic: str) -> list[Event]:
    """Return an SNS message that is only words, as AWS Budgets sends it."""
    if "\nLabels:\n" in words and ("Alerts Firing:" in words or "Resolved:" in words):
        found = alertmanagers(source, words)
        if found:
            return found
    if subject == "Notification from AWS Backup":
        return [backup(source, words, topic)]
    told = fields(words)
    about = first(
        told, "Environment", "StackName", "Budget Name", "BackupJob ID", "Resource ARN"
    )
    state = first(told, "ResourceStatus")
    title = subject or words.strip().split("\n", 1)[0]
    if first(told, "Environment") and first(told, "Message"):
        title = f"{about}: {first(told, 'Message')}"
    elif state:
        title = f"{about} {first(told, 'LogicalResourceId')}: {state}"
    health = title.partition(" transitioned from ")[2].partition(" to ")[2]
    upper = title.upper()
    over = (
        upper.startswith(OVER)
        or upper.endswith("_COMPLETE")
        or health[:3] in ("Ok.", "Ok")
    )
    bare = title.partition("]")[2].strip() or title if title[:1] == "[" else title
    for word in ("ALARM: ", "OK: ", "RESOLVED: ", "FIRING: ", "RECOVERED: "):
        bare = bare.removeprefix(word)
    return [
        event(
            source,
            title=bare,
            # Subjects of SNS are short and general: what it is about tells them apart.
            key=joined(topic, about or bare),
            firing=not over,
            severity=""
            if "budget" in title.lower() or not (state or about)
            else "info"
            if over
            else word_for(health or title),
            labels={
                "alertname": subject or bare,
                "topic": topic.rpartition(":")[2],
                "resource": about,
                "account": first(told, "AWS Account"),
            },
            annotations={"description": words},
            starts_at=None if over else moment(first(told, "Timestamp")),
            ttl_seconds=DAY,
        )
    ]


def backup(source: str, words: str, topic: str) -> Event:
    """Return what AWS Backup writes: "An AWS Backup job failed. Resource ARN : ..."."""
    said, _dot, rest = words.strip().partition(". ")
    arn = rest.partition("Resource ARN : ")[2].partition(" ")[0].rstrip(".")
    over = "success" in said or "completed" in said
    return event(
        source,
        title=f"{said}: {arn.rpartition(':')[2]}" if arn else said,
        key=joined(topic, "backup", arn),
        firing=not over,
        severity="" if over else word_for(said),
        labels={"alertname": "AWS Backup", "service": "backup", "resource": arn},
        annotations={"description": words},
        ttl_seconds=DAY,
    )


def fields(words: str) -> dict[str, str]:
    """Return the "Name: value" and "Name='value'" lines of a text."""
    found: dict[str, str] = {}
    for line in words[:20_000].splitlines()[:100]:
        mark = "='" if "='" in line else ":"
        name, sign, value = line.partition(mark)
        if sign and 0 < len(name) < 40:
            found.setdefault(name.strip(), value.strip().strip("'"))
    return found


def alertmanagers(source: str, words: str) -> list[Event]:
    """Return the alerts in the text that Alertmanager's SNS receiver writes."""
    found: list[Event] = []
    firing, place = True, ""
    labels: dict[str, str] = {}
    told: dict[str, str] = {}
    for line in words[:LARGEST].splitlines():
        if line in LISTS:
            firing = LISTS[line]
        elif line in ("Labels:", "Annotations:"):
            place = line
        elif line.startswith(" - "):
            name, _sign, value = line[3:].partition(" = ")
            (labels if place == "Labels:" else told)[name] = value
        elif line.startswith("Source: ") and labels:
            found.append(
                event(
                    source,
                    title=told.get("summary") or labels.get("alertname", "Alert"),
                    key=joined(*(text for pair in sorted(labels.items()) for text in pair)),
                    firing=firing,
                    labels=labels,
                    annotations={"generator_url": line[8:], **told},
                    link=line[8:],
                )
            )  # fmt: skip
            labels, told = {}, {}
    return found
