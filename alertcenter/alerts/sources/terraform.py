"""What do notifications of HCP Terraform and Terraform Enterprise say about runs?

https://developer.hashicorp.com/terraform/cloud-docs/workspaces/settings/notifications
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

NAME = "terraform"
BAD = {"errored": "error", "policy_soft_failed": "warning", "needs_attention": "warning",
       "policy_override": "warning", "planned": "warning", "cost_estimated": "warning",
       "policy_checked": "warning"}  # fmt: skip
GOOD = ("applied", "planned_and_finished", "planned_and_saved", "completed")
GRAVE = {"drifted": "warning", "check_failure": "warning", "check_failed": "warning",
         "failed": "error"}  # fmt: skip
HOUR, WEEK = 3600, 7 * 24 * 3600


def read(incoming: Incoming) -> list[Event]:
    """Return an event for each notification, none for a test. Raises NotUnderstood."""
    data = as_object(incoming)
    if "trigger" in data and ("trigger_scope" in data or "details" in data):
        return [of_workspace(data)]
    items = objects(data, "notifications")
    if not items:
        raise NotUnderstood("there is no list of notifications")
    return [
        run(data, one) for one in items[:50] if first(one, "trigger") != "verification"
    ]


def run(data: Data, one: Data) -> Event:
    """Return what became of a run: a workspace is broken until one of it is applied."""
    workspace = first(data, "workspace_name") or first(data, "workspace_id")
    trigger = first(one, "trigger").rpartition(":")[2]
    # A plan that waits for a person is told by the trigger only.
    attention = trigger == "needs_attention"
    status = trigger if attention else first(one, "run_status") or trigger
    bad = attention or status == "errored" or trigger == "errored"
    pending = not bad and status not in GOOD
    key = joined(first(data, "organization_name"), workspace)
    at = moment(first(one, "run_updated_at") or first(data, "run_created_at"))
    words = (status or "changed").replace("_", " ")
    return event(
        NAME,
        title=f"Run of {workspace} {words}",
        key=f"{key}|begun" if pending else key,
        firing=bad or pending,
        severity=BAD.get(status, "error") if bad else "debug" if pending else "error",
        labels={
            "alertname": "TerraformRun",
            "workspace": workspace,
            "organization": first(data, "organization_name"),
            "status": status,
        },
        annotations={
            "description": first(one, "message"),
            "message": first(data, "run_message"),
            "run": first(data, "run_id"),
            "author": first(one, "run_updated_by") or first(data, "run_created_by"),
        },
        link=first(data, "run_url"),
        starts_at=at,
        ends_at=at,
        ttl_seconds=HOUR if pending else None,
    )


def of_workspace(data: Data) -> Event:
    """Return a health assessment, or what is to happen with a workspace."""
    trigger = first(data, "trigger").rpartition(":")[2]
    details = part(data, "details")
    workspace = first(data, "workspace_name", "details.workspace_name") or first(
        data, "workspace_id"
    )
    words = first(data, "message") or trigger.replace("_", " ")
    return event(
        NAME,
        title=f"{workspace}: {words}",
        key=joined(first(data, "organization_name"), workspace, trigger),
        severity=GRAVE.get(trigger, "info"),
        labels={
            "alertname": f"Terraform_{trigger}",
            "workspace": workspace,
            "organization": first(data, "organization_name"),
        },
        annotations={
            "description": words,
            "drifted": first(details, "new_assessment_result.resources_drifted"),
            "checks_failed": first(details, "new_assessment_result.checks_failed"),
        },
        link=first(data, "workspace_url", "run_url"),
        starts_at=moment(first(details, "new_assessment_result.created_at")),
        # Nothing says that a drift is gone.
        ttl_seconds=WEEK,
    )


def recognise(incoming: Incoming) -> bool:
    data = incoming.data
    return (
        type(data) is dict
        and "notification_configuration_url" in data
        and ("run_id" in data or "workspace_id" in data or "trigger_scope" in data)
    )


ADAPTER = Adapter(
    NAME,
    "HCP Terraform",
    read,
    recognise,
    example={
        "payload_version": 1,
        "notification_configuration_url": "https://app.terraform.io/api/v2/n/nc-1",
        "run_url": "https://app.terraform.io/app/acme/shop/runs/run-1",
        "run_id": "run-1",
        "run_message": "More disks",
        "workspace_id": "ws-1",
        "workspace_name": "shop",
        "organization_name": "acme",
        "notifications": [
            {
                "message": "Run Errored",
                "trigger": "run:errored",
                "run_status": "errored",
                "run_updated_at": "2026-11-20T10:00:00.000Z",
                "run_updated_by": "alice",
            }
        ],
    },
    steps=(
        _("In the workspace's settings, open Notifications, and create a webhook."),
        _(
            "Paste the URL, and choose the events errored, needs attention and completed."
        ),
    ),
    docs="https://developer.hashicorp.com/terraform/cloud-docs/workspaces/settings/notifications",
)
