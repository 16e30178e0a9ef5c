"""What does Jenkins' notification plugin send about its builds?

https://plugins.jenkins.io/notification/
A failed build of a job is an alert until a later one of the same job succeeds. Bodies of
the Outbound WebHook plugin and of a pipeline's own httpRequest look much the same.
"""

from __future__ import annotations

from itertools import pairwise

from alertcenter.alerts.events import Event
from alertcenter.alerts.sources.adapter import (
    Adapter,
    Incoming,
    NotUnderstood,
    as_object,
    event,
    joined,
)
from alertcenter.alerts.sources.adapter import marked as _
from alertcenter.alerts.sources.shapes import first, moment, objects, part, parts, text

NAME = "jenkins"
BAD = {
    "failure": "error", "failed": "error", "fail": "error", "error": "error",
    "unstable": "warning", "regression": "error",
}  # fmt: skip
GOOD = ("success", "successful", "fixed", "back_to_normal", "stable")
# An aborted or skipped build says nothing of whether the job works again; a started
# one carries the result of the build before.
BEGUN = ("started", "queued", "start")
HOUR = 3600


def read(incoming: Incoming) -> list[Event]:
    """Return the one event of a build. Raises NotUnderstood."""
    data = as_object(incoming)
    build = part(data, "build") or data
    name = first(data, "display_name", "displayName", "name") or first(
        data, "projectName", "jobName", "job_name", "job", "buildName"
    )
    status = first(build, "status", "result", "event", "build_status").lower()
    phase = first(build, "phase", "buildPhase").lower()
    if not name or not (status or phase):
        raise NotUnderstood("the name of a job and the phase or status are missing")
    path = first(data, "url") or first(data, "buildUrl")
    job = path.partition("job/")[1] and job_of(path)
    branch = first(build, "scm.branch", "branch", "scm.branchName", "gitBranch")
    result = phase if phase in BEGUN or status in BEGUN else status
    pending = result not in BAD and result not in GOOD
    key = joined(job or name)
    at = moment(build.get("timestamp") or build.get("endTime"))
    words = (result or phase).replace("_", " ")
    number = first(build, "number", "buildNumber", "build_number")
    return [
        event(
            NAME,
            title=f"{job or name}{f' #{number}' if number else ''} {words}",
            key=f"{key}|begun" if pending else key,
            firing=pending or result in BAD,
            severity="debug" if pending else BAD.get(result, "error"),
            labels={
                "alertname": job or name,
                "job": job or name,
                "branch": branch.removeprefix("origin/"),
                "node": first(build, "node_name", "nodeName", "node"),
                "phase": phase,
            },
            annotations={
                "description": first(build, "notes", "log", "message", "cause")[:4000],
                "build": number,
                "commit": first(build, "scm.commit", "commit"),
                "culprits": ", ".join(map(text, parts(build, "scm.culprits")[:20]))
                or ", ".join(
                    first(one, "fullName", "name") for one in objects(build, "culprits")
                ),
                "failed_tests": first(build, "test_summary.failed"),
                "parameters": part(build, "parameters"),
            },
            link=first(build, "full_url", "fullUrl", "buildUrl", "url")
            if "http" in first(build, "full_url", "fullUrl", "buildUrl", "url")
            else "",
            starts_at=at,
            ends_at=at,
            ttl_seconds=HOUR if pending else None,
        )
    ]


def job_of(path: str) -> str:
    """Return "team/shop/main" of "job/team/job/shop/job/main/12/"."""
    names = path.split("/")
    return "/".join(after for name, after in pairwise(names) if name == "job")


def recognise(incoming: Incoming) -> bool:
    data = incoming.data
    if type(data) is not dict:
        return False
    build = part(data, "build")
    return ("phase" in build and ("full_url" in build or "number" in build)) or (
        "buildUrl" in data and ("projectName" in data or "buildName" in data)
    )


ADAPTER = Adapter(
    NAME,
    "Jenkins",
    read,
    recognise,
    example={
        "name": "main",
        "display_name": "main",
        "url": "job/shop/job/main/",
        "build": {
            "full_url": "https://jenkins.example/job/shop/job/main/12/",
            "number": 12,
            "phase": "FINALIZED",
            "status": "FAILURE",
            "timestamp": 1763715600000,
            "scm": {"branch": "origin/main", "commit": "0a1b2c"},
        },
    },
    steps=(
        _("Install the Notification plugin, and open the configuration of a job."),
        _("Add a job notification: format JSON, protocol HTTP, event Job Finalized."),
        _("Paste the URL."),
    ),
    docs="https://plugins.jenkins.io/notification/",
)
