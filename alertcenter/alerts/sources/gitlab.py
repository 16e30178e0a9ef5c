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
BAD, GOOD = ("failed",), ("success", "canceled", "skipped")
DAY = 24 * 3600
URGENT = ("incident", "outage", "critical", "severity::1", "severity::2")


def read(incoming: Incoming) -> list[Event]:
    """Return the one event of a delivery. Raises NotUnderstood."""
    data = as_object(incoming)
    kind = (
        first(data, "object_kind", "event_type", "event_name")
        or incoming.header(EVENT).removesuffix(" Hook")
    ).lower()
    if not kind:
        raise NotUnderstood("object_kind and the header X-Gitlab-Event are missing")
    project = first(
        data,
        "project.path_with_namespace",
        "project_name",
        "project.name",
        "group.group_path",
        "full_path",
        "path_with_namespace",
        "group_path",
    )
    if kind in ("build", "job"):
        return [
            ran(
                data,
                "job",
                project,
                first(data, "build_status", "status"),
                first(data, "build_name", "name"),
                first(data, "ref"),
            )
        ]
    attributes = part(data, "object_attributes")
    if kind == "pipeline":
        return [
            ran(
                data,
                "pipeline",
                project,
                first(attributes, "status"),
                first(attributes, "name"),
                first(attributes, "ref"),
            )
        ]
    if kind == "deployment":
        return [
            ran(
                data,
                "deployment",
                project,
                first(data, "status"),
                first(data, "environment"),
                first(data, "ref"),
            )
        ]
    if kind in ("alert", "alert_management_alert"):
        return [alert(data, project)]
    return [information(data, kind, project, attributes)]


def ran(data: Data, kind: str, project: str, status: str, name: str, ref: str) -> Event:
    """Return a pipeline, job or deployment; begun ones must not close failed ones."""
    status = status.lower()
    attributes = part(data, "object_attributes")
    pending = status not in BAD + GOOD
    allowed = first(data, "build_allow_failure") == "true"
    what = f"{kind} {name}".strip()
    key = joined(kind, project, name, ref)
    at = moment(
        first(attributes, "finished_at")
        or first(data, "build_finished_at", "status_changed_at")
    )
    return event(
        NAME,
        title=f"{what} {status} on {project}@{ref}",
        key=joined(key, "begun") if pending else key,
        firing=status in BAD or pending,
        severity="debug" if pending else "warning" if allowed else "error",
        labels={
            "alertname": what,
            "project": project,
            "branch": ref,
            "stage": first(data, "build_stage"),
            "environment": first(data, "environment.name", "environment"),
        },
        annotations={
            "description": first(
                data, "commit.message", "commit_title", "build_failure_reason"
            ),
            "failed_jobs": ", ".join(
                first(one, "name")
                for one in objects(data, "builds")[:50]
                if first(one, "status") == "failed"
            ),
            "author": first(data, "user.name", "user.username", "user_name"),
        },
        link=first(attributes, "url")
        or first(data, "deployable_url")
        or first(data, "project.web_url", "repository.homepage"),
        starts_at=at,
        ends_at=at,
        ttl_seconds=3600 if pending else None,
    )


def alert(data: Data, project: str) -> Event:
    """Return an alert of GitLab's own alert management."""
    found = part(data, "object_attributes") or part(data, "alert")
    return event(
        NAME,
        title=first(found, "title") or "GitLab alert",
        key=joined("alert", project, first(found, "iid", "id")),
        firing=first(found, "status", "state").lower() not in ("resolved", "ignored"),
        severity=first(found, "severity"),
        labels={"alertname": first(found, "title"), "project": project},
        annotations={"description": first(found, "description")},
        link=first(found, "url"),
        starts_at=moment(first(found, "started_at")),
        ends_at=moment(first(found, "ended_at")),
    )


def information(data: Data, kind: str, project: str, attributes: Data) -> Event:
    """Return issues, merge requests, pushes and the rest: readable, quiet unless urgent."""
    action = first(attributes, "action", "state", "status") or first(data, "action")
    words = {first(one, "title").lower() for one in objects(data, "labels")}
    incident = first(attributes, "type").lower() == "incident" or bool(
        words & set(URGENT)
    )
    security = kind == "vulnerability"
    over = first(attributes, "state").lower() in (
        "closed",
        "merged",
        "resolved",
        "dismissed",
    )
    number = first(attributes, "iid", "id", "tag", "slug") or first(
        data, "after", "ref", "tag", "id", "user_id", "group_id"
    )
    title = (
        first(attributes, "title", "name", "note")
        or first(data, "name", "description")
        or first(data, "commits.0.title", "ref", "user_name")
    )
    return event(
        NAME,
        title=" ".join(filter(None, (project, kind.replace("_", " "), action)))
        + (f": {title.partition(chr(10))[0]}" if title else ""),
        key=joined(kind, project, number),
        firing=not over,
        severity=(first(attributes, "severity") or "error")
        if security
        else ("critical" if incident else "info"),
        labels={
            "alertname": kind,
            "project": project,
            "environment": first(data, "environment"),
        },
        annotations={
            "description": first(attributes, "description", "note", "content")[:2000],
            "author": first(data, "user.name", "user_name", "user.username"),
            "expires_at": first(attributes, "expires_at"),
        },
        link=first(attributes, "url")
        or first(data, "url")
        or first(data, "project.web_url"),
        starts_at=moment(first(attributes, "created_at")),
        ends_at=moment(first(attributes, "closed_at", "updated_at")),
        ttl_seconds=None if incident or security else DAY,
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
