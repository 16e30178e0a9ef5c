"""What do the services of AWS tell by EventBridge: GuardDuty, Health, ECS, RDS, builds?

https://docs.aws.amazon.com/eventbridge/latest/ref/events.html
What has states is over with one that is good again; what only happened stays for a day.
"""

from __future__ import annotations

from alertcenter.alerts.events import Event
from alertcenter.alerts.sources.adapter import Data, event, joined
from alertcenter.alerts.sources.shapes import at, first, moment, number, objects, part
from alertcenter.alerts.sources.shapes import text as words_of

DAY = 24 * 3600
GOOD = frozenset({
    "succeeded", "success", "successful", "completed", "complete", "resolved", "closed",
    "running", "compliant", "ok", "healthy", "available", "archived", "in_service",
    "active_healthy", "passed", "suppressed", "service_steady_state", "issued",
    "service_deployment_completed", "recovery", "no_threats_found", "issue_resolved",
    "pass", "service_task_start_recovered", "capacity_provider_steady_state",
})  # fmt: skip
BAD = frozenset({
    "failed", "failure", "error", "timed_out", "timeout", "aborted", "fault", "alarm",
    "non_compliant", "unhealthy", "expired", "threats_found", "unsuccessful", "impaired",
    "terminated_with_errors", "service_deployment_failed", "service_task_placement_failure",
    "service_task_start_impaired", "low storage", "fail", "partial", "deployment_failed",
})  # fmt: skip
GONE = frozenset({
    "stopped", "stopping", "terminated", "shutting-down", "deleted", "warn", "warning",
    "availability", "failover", "inactive", "draining", "cancelled", "canceled",
})  # fmt: skip
STATES = (
    "newEvaluationResult.complianceType", "state", "status", "build-status",
    "completed-phase-status", "test-run-status", "lastStatus", "statusCode", "result",
    "scanResultDetails.scanResultStatus", "State", "Status", "jobStatus", "taskStatus",
    "deploymentStatus", "instance-status", "eventName",
)  # fmt: skip
FINDINGS = ("eventArn", "findingArn", "insightId", "id", "finding-id", "anomalyId")
OBJECTS = (
    "instance-id", "pipeline", "project-name", "stateMachineArn", "SourceIdentifier",
    "AutoScalingGroupName", "jobName", "crawlerName", "check-name", "configRuleName", "canary-name",
    "deploymentGroup", "bucket.name", "repository-name", "repositoryName", "resourceArn",
    "containerInstanceArn", "clusterId", "CommonName", "jobId", "service",
    "resource.instanceDetails.instanceId", "resource.eksClusterDetails.name",
    "resource.s3BucketDetails.0.name", "resource.accessKeyDetails.userName",
    "resource.resourceType", "resourcesAffected.s3Bucket.name", "resources.0.id",
    "resource",
)  # fmt: skip
PARTS = (
    "stage", "application", "action", "resourceId", "resource_id", "object.key", "image-tags.0",
    "image-digest", "referenceName",
)  # fmt: skip
ENDINGS = (
    " Successful", " Unsuccessful", " Succeeded", " Success", " Failed", " Failure",
)  # fmt: skip
DESCRIPTIONS = (
    "description", "Description", "insightDescription", "eventDescription.0.latestDescription", "stoppedReason",
    "reason", "Cause", "cause", "Message", "message", "StatusMessage", "errorMessage",
    "detailMessage", "state-reason", "stateReason", "statusReason", "statusMessage",
    "failureReason",
)  # fmt: skip


def from_event(source: str, found: Data) -> list[Event]:
    """Return the events of what EventBridge passes on."""
    detail = part(found, "detail")
    findings = objects(detail, "findings")
    if findings:
        return [security_hub(source, found, one) for one in findings[:100]]
    return [one_event(source, found, detail)]


def one_event(source: str, found: Data, detail: Data) -> Event:
    kind, state = first(found, "detail-type"), state_of(found, detail)
    finding = finding_of(kind, detail)
    said = first(detail, *DESCRIPTIONS)
    about, name = thing(kind, found, detail)
    over = kind.endswith(("Closed", "Resolved")) or (
        # A call that went well is not the end of one that did not.
        state in GOOD and "CloudTrail" not in kind
    )
    firing = not over
    family = kind
    for ending in ENDINGS:
        family = family.removesuffix(ending)
    place = (first(found, "account"), first(found, "region"))
    title = first(detail, "title", "Title") or summary(kind, detail)
    time = moment(found.get("time"))
    begun = moment(detail.get("startTime")) or time
    categories = first(detail, "EventCategories")
    return event(
        source,
        title=title
        or ": ".join(filter(None, (kind, shown(kind, name, detail, state) or said))),
        key=joined("finding", finding)
        if finding
        # What a database reports in passing must not end what is wrong with it.
        else joined(*place, family, about, first(detail, "EventID"))
        if categories and state not in BAD | GOOD | GONE
        else joined(*place, family, about or first(found, "id")),
        firing=firing,
        severity=severity_of(kind, detail, state),
        labels={
            "alertname": first(detail, "check-name") or kind,
            "service": first(detail, "service")
            if kind.startswith("AWS Health")
            else first(found, "source").removeprefix("aws."),
            "account": place[0],
            "region": place[1],
            "resource": name,
            "instance": first(detail, "instance-id", "EC2InstanceId"),
            "state": state,
        },
        annotations={
            "description": said,
            "type": first(detail, "type", "eventTypeCategory"),
            "user": first(detail, "userIdentity.arn", "userIdentity.principalId"),
            "affected": ", ".join(
                first(one, "entityValue")
                for one in objects(detail, "affectedEntities")[:20]
            ),
            "detail": "" if said else words_of(detail)[:4000],
        },
        link=first(
            detail, "additional-information.logs.deep-link", "insightUrl", "url",
            "consoleLink",
        ),
        starts_at=begun if firing else None,
        ends_at=moment(detail.get("endTime")) or time if over else None,
        ttl_seconds=None if over or finding or state in BAD | GONE else DAY,
    )  # fmt: skip


def state_of(found: Data, detail: Data) -> str:
    """Return the state in small letters; "" where nothing has a state."""
    kind = first(found, "detail-type")
    if at(detail, "service.archived") is True or detail.get("archived") is True:
        return "archived"
    if kind.endswith(" Unsuccessful"):
        return "unsuccessful"
    if kind.endswith(" Successful"):
        return "successful"
    for category in ("low storage", "failure", "recovery", "availability", "failover"):
        if category in (at(detail, "EventCategories") or ()):
            return category
    if kind == "ECS Task State Change" and stopped_well(detail):
        return "completed"
    if "CloudTrail" in kind:
        return first(detail, "responseElements.ConsoleLogin").lower()[:7]
    state = first(detail, *STATES).lower()
    return "" if len(state) > 60 else state


def stopped_well(detail: Data) -> bool:
    """Whether a task ended as it should: all its containers returned 0."""
    codes = [one.get("exitCode") for one in objects(detail, "containers")]
    return bool(codes) and all(code == 0 for code in codes)


def finding_of(kind: str, detail: Data) -> str:
    """Return the id of what is opened and closed under it."""
    if "Finding" in kind or "Health" in kind or "Insight" in kind or "Anomaly" in kind:
        return first(detail, *FINDINGS)
    return ""


def thing(kind: str, found: Data, detail: Data) -> tuple[str, str]:
    """Return what it is about, and its name for people."""
    whole = first(detail, *OBJECTS) or first(found, "resources.0")
    if kind == "ECS Task State Change":
        # The next task of the service ends what this one began.
        whole = first(detail, "group", "taskDefinitionArn", "taskArn")
        return joined(first(detail, "clusterArn"), whole), whole
    if "CloudTrail" in kind:
        whole = first(detail, "userIdentity.arn", "userIdentity.principalId")
        inner = first(detail, "eventName")
        return joined(whole, inner, first(detail, "errorCode")), last_of(whole)
    inner = "" if finding_of(kind, detail) else first(detail, *PARTS)
    name = last_of(whole) if "arn:" in whole else whole
    if inner and inner != whole:
        return joined(whole, inner), f"{name} {inner.rpartition('/')[2]}"
    return whole, name


def last_of(arn: str) -> str:
    """Return the name at the end of an ARN."""
    return arn.rpartition(":")[2].rpartition("/")[2]


def shown(kind: str, name: str, detail: Data, state: str) -> str:
    """Return the name and the state for a title, unless the kind says the state."""
    told = "" if kind.lower().endswith(state) else first(detail, *STATES) or state
    return f"{name} {told}".strip()


def summary(kind: str, detail: Data) -> str:
    """Return a title for the kinds whose own is in no field, or ""."""
    if kind.startswith("AWS Health"):
        code = first(detail, "eventTypeCode").replace("_", " ")
        return f"AWS Health: {code} {first(detail, 'eventScopeCode')}".strip()
    if "CloudTrail" in kind:
        who = last_of(first(detail, "userIdentity.arn", "userIdentity.type"))
        error = first(detail, "errorCode", "responseElements.ConsoleLogin")
        return f"{first(detail, 'eventName')} by {who} {error}".strip()
    if first(detail, "EventCategories") and first(detail, "Message"):
        return f"{first(detail, 'SourceIdentifier')}: {first(detail, 'Message')}"
    if "Finding" in kind:
        return first(detail, "description", "type")
    return ""


def severity_of(kind: str, detail: Data, state: str) -> str:
    """Return how bad it is: findings have numbers or words, states have words."""
    score = number(detail.get("severity"))
    if score is not None:
        return by_score(score)
    word = first(
        detail, "severity.description", "severity", "insightSeverity", "Severity",
        "severityLevel",
    )  # fmt: skip
    if word and len(word) < 20:
        return word
    counts = part(detail, "finding-severity-counts")
    if counts:
        return (
            "critical"
            if counts.get("CRITICAL")
            else "error"
            if counts.get("HIGH")
            else "info"
        )
    if kind.startswith("AWS Health"):
        serious = first(detail, "eventTypeCategory") in ("issue", "investigation")
        return "error" if serious else "info"
    kind_of = first(detail, "eventType").lower()
    if "CloudTrail" in kind:
        return "warning" if state == "failure" or first(detail, "errorCode") else "info"
    if state in BAD or kind_of == "error":
        return "error"
    if state in GONE or kind_of == "warn" or "Interruption" in kind:
        return "warning"
    if "Expiration" in kind or "Expired" in kind:
        return "warning"
    return "warning" if "Finding" in kind or "Anomaly" in kind else "info"


def by_score(score: float) -> str:
    """Return the word for GuardDuty's scale of ten."""
    if score >= 9:
        return "critical"
    if score >= 7:
        return "error"
    return "warning" if score >= 4 else "info"


def security_hub(source: str, found: Data, one: Data) -> Event:
    """Return the event of a finding in AWS' Security Finding Format."""
    status = first(one, "Workflow.Status", "WorkflowState")
    over = (
        status in ("RESOLVED", "SUPPRESSED")
        or first(one, "RecordState") == "ARCHIVED"
        or first(one, "Compliance.Status") == "PASSED"
    )
    return event(
        source,
        title=first(one, "Title") or first(one, "GeneratorId") or "Finding",
        key=joined("finding", first(one, "Id") or first(one, "Title")),
        firing=not over,
        severity=first(one, "Severity.Label")
        or by_score((number(at(one, "Severity.Normalized")) or 40) / 10),
        labels={
            "alertname": first(found, "detail-type"),
            "service": first(one, "ProductName") or "securityhub",
            "account": first(one, "AwsAccountId") or first(found, "account"),
            "region": first(one, "Region") or first(found, "region"),
            "resource": first(one, "Resources.0.Id"),
            "state": status.lower(),
        },
        annotations={
            "description": first(one, "Description"),
            "remediation": first(one, "Remediation.Recommendation.Text"),
            "runbook_url": first(one, "Remediation.Recommendation.Url"),
        },
        link=first(one, "SourceUrl"),
        starts_at=None
        if over
        else moment(first(one, "FirstObservedAt", "CreatedAt", "UpdatedAt")),
        ends_at=moment(first(one, "UpdatedAt", "LastObservedAt")),
    )
