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
from alertcenter.alerts.sources.github_security import (
    CLOSED,
    NAME,
    advisory,
    security,
)
from alertcenter.alerts.sources.shapes import first, moment, objects, part

EVENT = "x-github-event"
BAD = (
    "failure", "failed", "timed_out", "startup_failure", "error", "errored",
    "action_required",
)  # fmt: skip
# What was cancelled or skipped says nothing of whether it works again.
GOOD = ("success", "neutral", "built")
QUIET = (
    "cancelled", "skipped", "stale", "inactive", "queued", "in_progress", "waiting",
    "pending", "requested", "rerequested", "requested_action", "completed", "",
)  # fmt: skip
# What tells an event from others when the header is missing; the first found holds.
SHAPES = (
    ("zen", "ping"), ("workflow_job", "workflow_job"),
    ("deployment_status", "deployment_status"), ("deployment", "deployment"),
    ("check_run", "check_run"), ("check_suite", "check_suite"),
    ("workflow_run", "workflow_run"), ("security_advisory", "security_advisory"),
    ("repository_advisory", "repository_advisory"), ("alert", "alert"),
    ("review", "pull_request_review"), ("discussion", "discussion"),
    ("thread", "pull_request_review_thread"), ("pull_request", "pull_request"),
    ("issue", "issues"), ("comment", "commit_comment"), ("release", "release"),
    ("build", "page_build"), ("pusher_type", "create"), ("commits", "push"),
    ("context", "status"), ("forkee", "fork"), ("pages", "gollum"),
    ("starred_at", "star"), ("merge_group", "merge_group"), ("hook", "meta"),
    ("registry_package", "registry_package"), ("package", "package"),
    ("workflow", "workflow_dispatch"), ("client_payload", "repository_dispatch"),
    ("rule", "branch_protection_rule"), ("member", "member"), ("key", "deploy_key"),
    ("label", "label"), ("milestone", "milestone"), ("membership", "organization"),
    ("team", "team"), ("project_card", "project_card"), ("sponsorship", "sponsorship"),
    ("projects_v2_item", "projects_v2_item"), ("blocked_user", "org_block"),
)  # fmt: skip
# What somebody should look at though nothing failed.
GRAVE = frozenset({
    ("public", ""), ("repository", "publicized"), ("repository", "deleted"),
    ("meta", "deleted"), ("branch_protection_rule", "deleted"),
    ("repository_ruleset", "deleted"), ("installation", "suspend"),
})  # fmt: skip
THINGS = (
    "comment", "review", "pull_request", "issue", "release", "discussion", "milestone",
    "label", "package", "registry_package", "member", "forkee", "team", "merge_group",
    "installation", "deployment", "repository_advisory", "rule", "key", "hook",
)  # fmt: skip
DAY = 24 * 3600


def read(incoming: Incoming) -> list[Event]:
    """Return the event of a delivery, none for a ping. Raises NotUnderstood."""
    data = as_object(incoming)
    kind = incoming.header(EVENT) or by_shape(data)
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
    if kind in ADVISORIES and part(data, kind):
        return [advisory(data, kind, part(data, kind), repository)]
    return [information(data, kind, repository)]


RUNS = ("workflow_run", "workflow_job", "check_run", "check_suite")
ADVISORIES = ("security_advisory", "repository_advisory")


def by_shape(data: Data) -> str:
    """Return the kind of a delivery whose header got lost."""
    # Null stands for what a delivery of another kind only refers to.
    kind = next(
        (name for field, name in SHAPES if data.get(field) not in (None, "")), ""
    )
    if kind == "issues" and "comment" in data:
        return "issue_comment"
    if kind == "pull_request" and "comment" in data:
        return "pull_request_review_comment"
    if kind == "create" and "master_branch" not in data:
        return "delete"
    return kind


def run(data: Data, kind: str, found: Data, repository: str) -> list[Event]:
    """Return the event of something that ran; what still runs has no result yet."""
    action = first(data, "action").lower()
    result = (first(found, "conclusion") or first(found, "status")).lower()
    if action in ("requested", "rerequested", "requested_action"):
        # The conclusion is still that of the run before.
        result = action
    branch = first(found, "head_branch", "check_suite.head_branch", "ref") or "?"
    name = first(found, "name", "workflow_name", "app.name") or kind
    workflow = first(found, "workflow_name") or first(data, "workflow.name")
    # A fork's branch has the name of ours.
    fork = first(found, "head_repository.full_name")
    fork = "" if fork == repository else fork
    at = moment(first(found, "completed_at", "updated_at", "run_started_at"))
    return outcome(
        title=f"{name} {result.replace('_', ' ')} on {repository}@{branch}",
        key=joined(kind, repository, name, branch, workflow, fork),
        result=result,
        labels={
            "alertname": name,
            "repository": repository,
            "branch": branch,
            "event": kind,
            "workflow": workflow,
        },
        annotations={
            "description": first(
                found,
                "output.summary",
                "output.title",
                "display_title",
                "head_commit.message",
            ),
            "commit": first(found, "head_sha"),
            "trigger": first(found, "event"),
            "attempt": first(found, "run_attempt"),
            "failed_steps": ", ".join(
                first(one, "name")
                for one in objects(found, "steps")[:50]
                if first(one, "conclusion") in BAD
            ),
            "author": first(found, "actor.login") or first(data, "sender.login"),
        },
        link=first(found, "html_url", "details_url")
        or page(data, "commit", first(found, "head_sha")),
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
    pending = result in QUIET or (result not in BAD and result not in GOOD)
    when = moment(at)
    word = "warning" if result == "action_required" else "error"
    return [
        event(
            NAME,
            title=title,
            key=f"{key}|begun" if pending else key,
            firing=result in BAD or pending,
            severity="debug" if pending else word,
            labels=labels,
            annotations=annotations,
            link=link,
            starts_at=when,
            ends_at=when,
            ttl_seconds=3600 if pending else None,
        )
    ]


def page(data: Data, *parts: str) -> str:
    """Return a page of the repository, where the delivery names the API's only."""
    home = first(data, "repository.html_url")
    return "/".join((home, *parts)) if home and all(parts) else ""


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
        link=first(found, "log_url", "target_url", "environment_url")
        or page(data, "deployments"),
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


def information(data: Data, kind: str, repository: str) -> Event:
    """Return everything else, readable and quiet."""
    action = first(data, "action").lower()
    thing = next((part(data, name) for name in THINGS if part(data, name)), {})
    about = part(data, "pull_request") or part(data, "issue") or thing
    ref = first(data, "ref").removeprefix("refs/heads/").removeprefix("refs/tags/")
    name = (
        first(about, "title", "name", "tag_name", "full_name", "login", "environment")
        or first(data, "head_commit.message", "pages.0.title", "workflow")
        or first(thing, "body", "summary")
        or ref
    ).partition("\n")[0]
    number = first(about, "number")
    if kind == "push" and not action:
        action = next((one for one in PUSHES if data.get(one) is True), "")
    urgent = kind == "issues" and any(
        first(one, "name").lower() in URGENT for one in objects(about, "labels")[:50]
    )
    grave = (kind, action) in GRAVE
    what = (kind or "event").removesuffix("s").replace("_", " ")
    words = (what, f"#{number}" if number else "", action.replace("_", " "), "in")
    return event(
        NAME,
        title=sentence(f"{' '.join(filter(None, words))} {repository}")
        + (f": {name}" if name else ""),
        key=joined(
            kind,
            repository,
            first(thing, "id", "node_id") or number or ref or first(data, "after"),
        ),
        firing=action not in CLOSED or grave,
        severity="critical" if urgent else "warning" if grave else "info",
        labels={"alertname": kind, "repository": repository, "branch": ref},
        annotations={
            "description": first(thing, "body", "description")[:2000]
            or first(data, "head_commit.message")[:2000],
            "author": first(data, "sender.login", "pusher.name"),
        },
        link=first(thing, "html_url")
        or first(about, "html_url")
        or first(data, "compare", "repository.html_url"),
        starts_at=moment(first(thing, "created_at") or first(about, "created_at")),
        ends_at=moment(first(about, "closed_at", "updated_at")),
        ttl_seconds=None if urgent else DAY,
    )


def sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


PUSHES = ("deleted", "forced", "created")
URGENT = ("incident", "outage", "sev1", "sev-1", "critical", "p0", "p1")


def recognise(incoming: Incoming) -> bool:
    if incoming.header(EVENT):
        return True
    data = incoming.data
    if type(data) is not dict:
        return False
    if "ghsa_id" in part(data, "security_advisory"):
        return True
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
