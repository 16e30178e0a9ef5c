"""What do GitHub's webhooks send that somebody on call should know?

https://docs.github.com/webhooks/webhook-events-and-payloads
A failed run, check or deployment is an alert until one of the same name and branch
succeeds; security alerts until they are fixed or dismissed; the rest is information.
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
from alertcenter.alerts.sources.shapes import first, moment, part

NAME = "github"
EVENT = "x-github-event"
BAD = (
    "failure",
    "timed_out",
    "startup_failure",
    "error",
    "action_required",
    "stale",
    "errored",
)
GOOD = ("success", "neutral", "skipped", "built", "cancelled", "inactive")
CLOSED = (
    "fixed", "dismissed", "closed_by_user", "resolved", "closed", "auto_dismissed",
    "appeared_in_branch_fixed", "dismiss", "resolve", "withdrawn", "merged", "deleted",
)  # fmt: skip
# What tells an event from others when the header is missing; the first found holds.
SHAPES = (
    ("workflow_job", "workflow_job"), ("check_run", "check_run"),
    ("check_suite", "check_suite"), ("deployment_status", "deployment_status"),
    ("workflow_run", "workflow_run"), ("deployment", "deployment"),
    ("security_advisory", "security_advisory"), ("alert", "alert"),
    ("pull_request", "pull_request"), ("issue", "issues"), ("release", "release"),
    ("build", "page_build"), ("zen", "ping"), ("commits", "push"), ("context", "status"),
)  # fmt: skip
DAY = 24 * 3600


def read(incoming: Incoming) -> list[Event]:
    """Return the event of a delivery, none for a ping. Raises NotUnderstood."""
    data = as_object(incoming)
    kind = incoming.header(EVENT) or next(
        (name for field, name in SHAPES if field in data), ""
    )
    repository = first(
        data, "repository.full_name", "organization.login", "sender.login"
    )
    if not kind and not (repository and "action" in data):
        raise NotUnderstood("the header X-GitHub-Event and a repository are missing")
    if kind == "ping":
        return []
    if kind in RUNS:
        return run(data, kind, part(data, kind), repository)
    if kind == "deployment_status":
        return deployment(data, repository)
    if kind == "status":
        return status(data, repository)
    if kind == "page_build":
        return pages(data, repository)
    if "alert" in kind and part(data, "alert"):
        return [security(data, kind, part(data, "alert"), repository)]
    if kind == "security_advisory":
        return [advisory(data, part(data, "security_advisory"))]
    return [information(data, kind, repository)]


RUNS = ("workflow_run", "workflow_job", "check_run", "check_suite")


def run(data: Data, kind: str, found: Data, repository: str) -> list[Event]:
    """Return the event of something that ran; what still runs has no result yet."""
    result = (first(found, "conclusion") or first(found, "status")).lower()
    branch = first(found, "head_branch", "check_suite.head_branch") or "?"
    name = first(found, "name", "workflow_name", "app.name") or kind
    at = moment(first(found, "completed_at", "updated_at", "run_started_at"))
    return outcome(
        title=f"{name} {result} on {repository}@{branch}",
        key=joined(kind, repository, name, branch),
        result=result,
        labels={
            "alertname": name,
            "repository": repository,
            "branch": branch,
            "event": kind,
            "environment": first(found, "environment"),
        },
        annotations={
            "description": first(
                found, "output.title", "display_title", "head_commit.message"
            ),
            "commit": first(found, "head_sha"),
            "author": first(found, "actor.login") or first(data, "sender.login"),
        },
        link=first(found, "html_url", "details_url", "url"),
        at=at,
    )


def outcome(
    *,
    title: str,
    key: str,
    result: str,
    labels: Data,
    annotations: Data,
    link: str,
    at: object,
) -> list[Event]:
    """Return a firing event for what failed, a resolved one for what succeeded.

    What has only begun is said at the lowest severity, under a key of its own: it must
    not close what failed before.
    """
    pending = result not in BAD and result not in GOOD
    when = moment(at)
    return [
        event(
            NAME,
            title=title,
            key=joined(key, "begun") if pending else key,
            firing=result in BAD or pending,
            severity="debug" if pending else "error",
            labels=labels,
            annotations=annotations,
            link=link,
            starts_at=when,
            ends_at=when,
            ttl_seconds=3600 if pending else None,
        )
    ]


def deployment(data: Data, repository: str) -> list[Event]:
    found = part(data, "deployment_status")
    state = first(found, "state").lower()
    where = first(found, "environment") or first(data, "deployment.environment")
    return outcome(
        title=f"Deployment of {repository} to {where}: {state}",
        key=joined("deployment", repository, where),
        result=state,
        labels={
            "alertname": "Deployment",
            "repository": repository,
            "environment": where,
            "branch": first(data, "deployment.ref"),
        },
        annotations={
            "description": first(found, "description"),
            "commit": first(data, "deployment.sha"),
            "author": first(data, "sender.login"),
        },
        link=first(found, "log_url", "target_url", "environment_url"),
        at=first(found, "updated_at", "created_at"),
    )


def status(data: Data, repository: str) -> list[Event]:
    context, state = first(data, "context"), first(data, "state").lower()
    branch = first(data, "branches.0.name") or first(data, "sha")
    return outcome(
        title=f"{context} {state} on {repository}@{branch}",
        key=joined("status", repository, context, branch),
        result=state,
        labels={"alertname": context, "repository": repository, "branch": branch},
        annotations={
            "description": first(data, "description", "commit.commit.message"),
            "commit": first(data, "sha"),
        },
        link=first(data, "target_url", "commit.html_url"),
        at=first(data, "updated_at"),
    )


def pages(data: Data, repository: str) -> list[Event]:
    state = first(data, "build.status").lower()
    return outcome(
        title=f"Pages of {repository}: {state}",
        key=joined("pages", repository),
        result=state,
        labels={"alertname": "Pages", "repository": repository},
        annotations={"description": first(data, "build.error.message")},
        link=first(data, "repository.html_url"),
        at=first(data, "build.updated_at"),
    )


def security(data: Data, kind: str, alert: Data, repository: str) -> Event:
    """Return a Dependabot, code-scanning or secret-scanning alert."""
    action = first(data, "action").lower()
    state = first(alert, "state", "most_recent_instance.state").lower()
    package = first(
        alert,
        "dependency.package.name",
        "security_vulnerability.package.name",
        "affected_package_name",
    )
    what = first(
        alert, "security_advisory.summary", "rule.description", "secret_type_display_name",
        "secret_type", "rule.name", "rule.id", "external_identifier",
    )  # fmt: skip
    number = first(alert, "number", "id", "ghsa_id")
    # Without the header, these tell the kinds of alerts apart.
    if kind == "alert":
        kind = (
            "code_scanning_alert"
            if "rule" in alert
            else "dependabot_alert"
            if package
            else "secret_scanning_alert"
        )
    word = first(
        alert, "security_advisory.severity", "security_vulnerability.severity",
        "rule.security_severity_level", "severity", "rule.severity",
    )  # fmt: skip
    default = "critical" if kind.startswith("secret") else "warning"
    return event(
        NAME,
        title=f"{what or kind.replace('_', ' ')} in {repository}"
        + (f" ({package})" if package else ""),
        key=joined(kind, repository, number),
        firing=action not in CLOSED
        and state not in ("fixed", "dismissed", "closed", "resolved"),
        severity=word if word not in ("", "none", "note") else default,
        labels={
            "alertname": kind,
            "repository": repository,
            "package": package,
            "rule": first(alert, "rule.id"),
            "tool": first(alert, "tool.name"),
        },
        annotations={
            "description": first(
                alert,
                "security_advisory.description",
                "rule.full_description",
                "rule.description",
            )[:4000],
            "cve": first(alert, "security_advisory.cve_id"),
            "fixed_in": first(
                alert,
                "security_vulnerability.first_patched_version.identifier",
                "fixed_in",
            ),
            "author": first(data, "sender.login"),
        },
        link=first(alert, "html_url", "external_reference"),
        starts_at=moment(first(alert, "created_at")),
        ends_at=moment(
            first(alert, "fixed_at", "dismissed_at", "resolved_at", "updated_at")
        ),
    )


def advisory(data: Data, found: Data) -> Event:
    action = first(data, "action")
    return event(
        NAME,
        title=first(found, "summary") or "Security advisory",
        key=joined("advisory", first(found, "ghsa_id")),
        firing=action != "withdrawn",
        severity=first(found, "severity"),
        labels={"alertname": "SecurityAdvisory", "ghsa": first(found, "ghsa_id")},
        annotations={"description": first(found, "description")[:4000]},
        link=first(found, "references.0.url"),
        starts_at=moment(first(found, "published_at")),
        ends_at=moment(first(found, "withdrawn_at")),
        ttl_seconds=7 * DAY,
    )


def information(data: Data, kind: str, repository: str) -> Event:
    """Return everything else, readable and quiet."""
    action = first(data, "action")
    thing = next(
        (
            part(data, name)
            for name in ("pull_request", "issue", "release", "discussion", "milestone")
            if name in data
        ),
        {},
    )
    ref = first(data, "ref").removeprefix("refs/heads/").removeprefix("refs/tags/")
    name = (
        first(thing, "title", "name", "tag_name")
        or first(data, "head_commit.message").partition("\n")[0]
        or ref
    )
    number = first(thing, "number", "id") or first(data, "after", "commit_oid") or ref
    labels = (
        {first(one, "name").lower() for one in thing.get("labels", ())}
        if type(thing.get("labels")) is list
        else set()
    )
    urgent = labels & {"incident", "outage", "sev1", "critical", "p0", "p1"}
    return event(
        NAME,
        title=" ".join(
            filter(
                None,
                (
                    repository,
                    kind.replace("_", " "),
                    f"#{number}" if number.isdigit() and len(number) < 9 else "",
                    action,
                ),
            )
        )
        + (f": {name}" if name else ""),
        key=joined(kind, repository, number),
        firing=action not in CLOSED,
        severity="critical" if urgent else "info",
        labels={"alertname": kind, "repository": repository, "branch": ref},
        annotations={
            "description": (first(thing, "body") or first(data, "comment.body"))[:2000],
            "author": first(data, "sender.login", "pusher.name"),
        },
        link=first(data, "comment.html_url")
        or first(thing, "html_url")
        or first(data, "compare"),
        starts_at=moment(first(thing, "created_at")),
        ends_at=moment(first(thing, "closed_at", "updated_at")),
        ttl_seconds=None if urgent else DAY,
    )


def recognise(incoming: Incoming) -> bool:
    if incoming.header(EVENT):
        return True
    data = incoming.data
    if type(data) is not dict:
        return False
    address = first(data, "repository.html_url", "sender.url", "sender.html_url")
    return "sender" in data and "github" in address


ADAPTER = Adapter(
    NAME,
    "GitHub",
    read,
    recognise,
    example={
        "action": "completed",
        "workflow_run": {
            "id": 1,
            "name": "deploy",
            "head_branch": "main",
            "conclusion": "failure",
            "html_url": "https://github.com/acme/shop/actions/runs/1",
            "updated_at": "2026-11-20T10:00:00Z",
            "head_sha": "0a1b2c",
        },
        "repository": {
            "full_name": "acme/shop",
            "html_url": "https://github.com/acme/shop",
        },
        "sender": {"login": "alice", "url": "https://api.github.com/users/alice"},
    },
    example_headers={EVENT: "workflow_run"},
    headers=(EVENT,),
    steps=(
        _(
            "In the repository or organisation, open Settings, Webhooks, and add one with the URL."
        ),
        _(
            "Choose application/json and the events you want, such as workflow runs and security alerts."
        ),
    ),
    docs="https://docs.github.com/webhooks/using-webhooks/creating-webhooks",
)
