"""What do GitLab's webhooks send that somebody on call should know?

https://docs.gitlab.com/user/project/integrations/webhook_events/
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

NAME = "gitlab"
EVENT = "x-gitlab-event"
BAD = ("failed", "rejected")
# What was cancelled or skipped says nothing of whether it works again.
GOOD = ("success", "passed")
URGENT = frozenset({"incident", "outage", "critical", "severity::1", "severity::2"})
OVER = ("closed", "merged", "resolved", "ignored", "dismissed", "deleted", "revoke")
# What somebody should look at though nothing failed.
GRAVE = frozenset({
    "access_token", "user_failed_login", "project_destroy", "group_destroy",
    "user_access_request_to_project", "user_access_request_to_group",
})  # fmt: skip
DAY = 24 * 3600


def read(incoming: Incoming) -> list[Event]:
    """Return the one event of a delivery. Raises NotUnderstood."""
    data = as_object(incoming)
    header = incoming.header(EVENT).removesuffix(" Hook").lower().replace(" ", "_")
    kind = (
        first(data, "object_kind", "event_type", "event_name")
        or ("" if header == "system" else header)
    ).lower()
    if not kind:
        raise NotUnderstood("object_kind and the header X-Gitlab-Event are missing")
    project = first(
        data, "project.path_with_namespace", "path_with_namespace",
        "group.group_path", "group.full_path", "project_name", "project.name",
        "group_path", "full_path", "repository.name",
    ).replace(" / ", "/")  # fmt: skip
    about = part(data, "object_attributes")
    if kind in ("build", "job"):
        status = first(data, "build_status", "status")
        name, ref = first(data, "build_name", "name"), first(data, "ref")
        return [ran(data, "job", project, status, name, ref)]
    if kind == "pipeline":
        status = first(about, "status", "detailed_status")
        name, ref = first(about, "name"), first(about, "ref")
        return [ran(data, kind, project, status, name, ref)]
    if kind == "deployment":
        status = first(data, "status")
        name, ref = first(data, "environment"), first(data, "ref")
        return [ran(data, kind, project, status, name, ref)]
    if kind in ("alert", "alert_management_alert"):
        return [alert(data, project)]
    if kind == "vulnerability":
        return [vulnerability(data, project, about)]
    return [information(data, kind, project, about)]


def ran(data: Data, kind: str, project: str, status: str, name: str, ref: str) -> Event:
    """Return a pipeline, job or deployment; begun ones must not close failed ones."""
    status = status.lower()
    about = part(data, "object_attributes")
    pending = status not in BAD + GOOD
    allowed = first(data, "build_allow_failure") == "true"
    what = f"{kind} {name}".strip()
    # A branch is deployed to an environment after another: the place is what counts.
    key = joined(kind, project, name, "" if kind == "deployment" else ref)
    at = moment(
        first(about, "finished_at")
        or first(data, "build_finished_at", "status_changed_at")
    )
    return event(
        NAME,
        title=f"{what[:1].upper()}{what[1:]} {status.replace('_', ' ')} "
        + (f"on {project}@{ref}" if ref else f"on {project}"),
        key=f"{key}|begun" if pending else key,
        firing=status in BAD or pending,
        severity="debug" if pending else "warning" if allowed else "error",
        labels={
            "alertname": what,
            "project": project,
            "branch": ref,
            "stage": first(data, "build_stage"),
            "environment": first(data, "environment.name", "environment"),
            "runner": first(data, "runner.description"),
        },
        annotations={
            "description": first(data, "commit.message", "commit_title"),
            "reason": first(data, "build_failure_reason"),
            "failed_jobs": ", ".join(
                first(one, "name")
                for one in objects(data, "builds")[:50]
                if first(one, "status") == "failed"
            ),
            "commit": first(about, "sha") or first(data, "sha", "short_sha"),
            "trigger": first(about, "source"),
            "author": first(data, "user.name", "user.username", "user_name"),
        },
        link=first(about, "url") or first(data, "deployable_url") or page(data, about),
        starts_at=at,
        ends_at=at,
        ttl_seconds=3600 if pending else None,
    )


def page(data: Data, about: Data) -> str:
    """Return the page of a job or a pipeline; older versions send the project's."""
    home = first(data, "project.web_url", "repository.homepage", "project.homepage")
    job, number = first(data, "build_id"), first(about, "id")
    if job:
        return f"{home}/-/jobs/{job}" if home else ""
    return f"{home}/-/pipelines/{number}" if home and number else home


def alert(data: Data, project: str) -> Event:
    """Return an alert of GitLab's own alert management."""
    found = part(data, "object_attributes") or part(data, "alert")
    return event(
        NAME,
        title=first(found, "title") or "GitLab alert",
        key=joined(
            "alert", project, first(found, "iid", "id") or first(found, "title")
        ),
        firing=first(found, "status", "state").lower() not in ("resolved", "ignored"),
        severity=first(found, "severity"),
        labels={
            "alertname": first(found, "title"),
            "project": project,
            "service": first(found, "service"),
            "host": first(found, "hosts", "host"),
            "tool": first(found, "monitoring_tool"),
            "environment": first(found, "environment.name", "environment"),
        },
        annotations={"description": first(found, "description")},
        link=first(found, "url", "details_url", "web_url"),
        starts_at=moment(first(found, "started_at", "created_at")),
        ends_at=moment(first(found, "ended_at")),
    )


def vulnerability(data: Data, project: str, about: Data) -> Event:
    """Return what a scanner found; it has no number but in its address."""
    title = first(about, "title", "name")
    return event(
        NAME,
        title=f"{title} in {project}" if project else title,
        key=joined("vulnerability", project, first(about, "id", "url") or title),
        firing=first(about, "state").lower() not in OVER,
        severity=first(about, "severity") or "error",
        labels={
            "alertname": title,
            "project": project,
            "report": first(about, "report_type"),
            "package": first(about, "location.dependency.package.name"),
        },
        annotations={
            "description": first(about, "description"),
            "state": first(about, "state"),
            "path": first(about, "location.file"),
            "identifier": first(
                about, "identifiers.0.name", "identifiers.0.external_id"
            ),
        },
        link=first(about, "url") or first(data, "project.web_url"),
        starts_at=moment(first(about, "created_at", "detected_at")),
        ends_at=moment(first(about, "resolved_at", "dismissed_at", "updated_at")),
    )


def information(data: Data, kind: str, project: str, about: Data) -> Event:
    """Return issues, merge requests, pushes and the rest: quiet unless urgent."""
    action = first(about, "action", "state", "status") or first(data, "action")
    labels = objects(data, "labels") or objects(about, "labels")
    incident = first(about, "type", "issue_type").lower() == "incident"
    urgent = kind in ("issue", "work_item", "incident") and (
        incident
        or kind == "incident"
        or any(first(one, "title").lower() in URGENT for one in labels[:50])
    )
    number = first(about, "iid")
    title = (
        first(about, "title", "name", "note")
        or first(data, "name", "description", "commits.0.title", "user_name")
        or first(data, "ref").removeprefix("refs/heads/").removeprefix("refs/tags/")
    ).partition("\n")[0]
    what = ("incident" if incident else kind).replace("_", " ")
    if kind == "access_token":
        action = f"expires on {first(about, 'expires_at') or 'a near day'}"
    if kind == "feature_flag" and "active" in about:
        action = "on" if about["active"] is True else "off"
    words = (what[:1].upper() + what[1:], f"#{number}" if number else "", action)
    severity = first(about, "severity").lower()
    return event(
        NAME,
        title=f"{' '.join(filter(None, words))}{f' in {project}' if project else ''}"
        + (f": {title}" if title else ""),
        # An issue is told of as a work item by newer versions.
        key=joined(
            "issue" if kind in ("work_item", "incident") else kind,
            project,
            number
            or first(about, "id", "tag", "slug")
            or first(data, "ref", "tag", "id", "user_id", "group_id", "project_id"),
        ),
        firing=first(about, "state").lower() not in OVER and action not in OVER,
        severity=(severity if severity not in ("", "unknown") else "critical")
        if urgent
        else "warning"
        if kind in GRAVE
        else "info",
        labels={
            "alertname": what,
            "project": project,
            "environment": first(data, "environment.name"),
        },
        annotations={
            "description": first(about, "description", "note", "content")[:2000]
            or first(data, "description", "commits.0.message")[:2000],
            "author": first(data, "user.name", "user_name", "user.username"),
            "expires_at": first(about, "expires_at"),
        },
        link=first(about, "url") or first(data, "url", "project.web_url"),
        starts_at=moment(first(about, "created_at")),
        ends_at=moment(first(about, "closed_at", "updated_at")),
        ttl_seconds=None if urgent else 7 * DAY if kind in GRAVE else DAY,
    )


def recognise(incoming: Incoming) -> bool:
    if incoming.header(EVENT):
        return True
    data = incoming.data
    return type(data) is dict and (
        (
            "object_kind" in data
            and ("project" in data or "build_id" in data or "group" in data)
        )
        or ("event_name" in data and ("group_id" in data or "project_id" in data))
    )


ADAPTER = Adapter(
    NAME,
    "GitLab",
    read,
    recognise,
    example={
        "object_kind": "pipeline",
        "object_attributes": {
            "id": 31,
            "ref": "main",
            "status": "failed",
            "finished_at": "2026-11-20 10:00:00 UTC",
            "url": "https://gitlab.example/acme/shop/-/pipelines/31",
        },
        "user": {"name": "Alice"},
        "project": {
            "path_with_namespace": "acme/shop",
            "web_url": "https://gitlab.example/acme/shop",
        },
        "commit": {"message": "Faster checkout"},
        "builds": [{"name": "deploy", "status": "failed"}],
    },
    headers=(EVENT,),
    steps=(
        _(
            "In the project or group, open Settings, Webhooks, and add one with the URL."
        ),
        _("Or use the address without the key, and put the key into Secret token."),
        _("Choose pipeline, job, deployment and incident events."),
    ),
    docs="https://docs.gitlab.com/user/project/integrations/webhooks/",
)
