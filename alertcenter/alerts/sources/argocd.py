"""What does Argo CD's notification service post about an application?

https://argo-cd.readthedocs.io/en/stable/operator-manual/notifications/services/webhook/
The body is a template of the user's: the whole application, or a few flat fields of it.
An application is an alert while its health or its last sync is bad.
"""

from __future__ import annotations

from alertcenter.alerts import severity as severities
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

NAME = "argocd"
BAD = {
    "degraded": "critical", "missing": "error", "failed": "error", "error": "error",
    "failure": "error", "sync-failed": "error", "health-degraded": "critical",
    "unknown": "warning", "suspended": "info", "outofsync": "info",
    "out-of-sync": "info",
}  # fmt: skip
GOOD = frozenset({"healthy", "succeeded", "synced", "success", "ok", "deployed",
                  "sync-succeeded"})  # fmt: skip
NAMES = ("app", "application", "app_name", "appName", "application_name", "name")
HOUR = 3600


def read(incoming: Incoming) -> list[Event]:
    """Return the one event of an application. Raises NotUnderstood."""
    data = as_object(incoming)
    whole = next(
        (part(data, name) for name in ("app", "application") if part(data, name)), data
    )
    name = first(whole, "metadata.name") or first(data, *NAMES)
    health, sync, phase = states(data, whole)
    told = [word for word in (health, phase, sync) if word]
    if not name or not told:
        raise NotUnderstood("an application's name and its health or sync are missing")
    bad = [word for word in told if word in BAD]
    good = any(word in GOOD for word in told)
    moving = health == "progressing" or phase in ("running", "terminating")
    # What is on its way says nothing yet: it must not close what went wrong before.
    pending = not bad and (moving or not good)
    words = bad or ([told[0]] if not pending else ["progressing"])
    namespace = first(whole, "metadata.namespace") or first(data, "namespace")
    project = first(whole, "spec.project") or first(data, "project")
    cluster = first(whole, "spec.destination.name", "spec.destination.server")
    key = joined(namespace, name, first(data, "cluster", "context.clusterName"))
    at = moment(
        first(whole, "status.operationState.finishedAt", "status.reconciledAt")
        or first(data, "timestamp", "finishedAt", "finished_at", "time")
    )
    worst = max((BAD[word] for word in bad), key=severities.parse, default="error")
    return [
        event(
            NAME,
            title=f"{name} is {', '.join(dict.fromkeys(words))}",
            key=f"{key}|begun" if pending else key,
            firing=bool(bad) or pending,
            severity="debug" if pending else worst,
            labels={
                "alertname": "ArgoCDApplication",
                "application": name,
                "project": project,
                "namespace": namespace,
                "cluster": cluster or first(data, "cluster"),
                "health": health,
                "sync": sync,
            },
            annotations={
                "description": first(
                    whole, "status.health.message", "status.operationState.message"
                )
                or first(objects(whole, "status.conditions")[:1], "0.message")
                or first(data, "message", "description", "text"),
                "revision": first(
                    whole,
                    "status.operationState.syncResult.revision",
                    "status.sync.revision",
                )
                or first(data, "revision", "commit"),
                "repository": first(
                    whole, "spec.source.repoURL", "spec.sources.0.repoURL"
                )
                or first(data, "repoURL", "repo_url", "repo"),
            },
            link=link_of(data, name),
            starts_at=at,
            ends_at=at,
            ttl_seconds=HOUR if pending else None,
        )
    ]


def states(data: Data, whole: Data) -> tuple[str, str, str]:
    """Return health, sync and the phase of the last sync, in small letters."""
    health = first(whole, "status.health.status") or first(
        data, "health", "health_status", "healthStatus", "health.status"
    )
    sync = first(whole, "status.sync.status") or first(
        data, "sync", "sync_status", "syncStatus", "sync.status"
    )
    phase = first(whole, "status.operationState.phase") or first(
        data, "phase", "operation_phase", "operationState.phase"
    )
    if not (health or sync or phase):
        phase = first(data, "status", "state", "event", "trigger").removeprefix("on-")
    return health.lower(), sync.lower(), phase.lower()


def link_of(data: Data, name: str) -> str:
    """Return the page of the application."""
    found = first(data, "url", "link", "app_url", "appUrl")
    home = first(data, "context.argocdUrl", "argocdUrl", "argocd_url").rstrip("/")
    return found or (f"{home}/applications/{name}" if home else "")


def recognise(incoming: Incoming) -> bool:
    data = incoming.data
    if type(data) is not dict:
        return False
    whole = part(data, "app") or part(data, "application") or data
    if "operationState" in part(whole, "status") or (
        first(whole, "apiVersion").startswith("argoproj.io/")
        and first(whole, "kind") == "Application"
    ):
        return True
    keys = data.keys()
    return bool({"health_status", "healthStatus"} & keys) and bool(
        {"sync_status", "syncStatus", "app", "application", "app_name", "appName"}
        & keys
    )


ADAPTER = Adapter(
    NAME,
    "Argo CD",
    read,
    recognise,
    example={
        "app": {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Application",
            "metadata": {"name": "shop", "namespace": "argocd"},
            "spec": {"project": "web", "destination": {"namespace": "shop"}},
            "status": {
                "health": {"status": "Degraded"},
                "sync": {"status": "Synced", "revision": "0a1b2c"},
                "operationState": {
                    "phase": "Succeeded",
                    "finishedAt": "2026-11-20T10:00:00Z",
                },
            },
        },
        "context": {"argocdUrl": "https://argocd.example"},
    },
    steps=(
        _("Add a webhook service with the URL to argocd-notifications-cm."),
        _("Add the template below, and triggers for degraded, failed and healthy."),
        _("Subscribe your applications to these triggers."),
    ),
    docs="https://argo-cd.readthedocs.io/en/stable/operator-manual/notifications/services/webhook/",
    snippet="""service.webhook.alertcenter: |
  url: {url}
  headers:
    - name: Content-Type
      value: application/json
template.alertcenter: |
  webhook:
    alertcenter:
      method: POST
      body: |
        {"app": {{toJson .app}}, "context": {{toJson .context}}}""",
)
