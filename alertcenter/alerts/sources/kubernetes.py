"""What do Kubernetes and what watches it send?

Events of the core and of the events.k8s.io API, alone, in lists or from a watch, as the
event exporter posts them; whole objects with conditions; and the bodies of kubewatch,
Botkube and Robusta.
https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/
"""

from __future__ import annotations

from typing import Any

from alertcenter.alerts.events import Event
from alertcenter.alerts.sources.adapter import (
    Adapter,
    Data,
    Incoming,
    NotUnderstood,
    as_objects,
    event,
    joined,
)
from alertcenter.alerts.sources.adapter import marked as _
from alertcenter.alerts.sources.shapes import (
    first,
    moment,
    objects,
    part,
    parts,
    text,
)

NAME = "kubernetes"
# What an event of this reason says to be over.
ENDS = {
    "NodeReady": "NodeNotReady",
    "NodeHasSufficientMemory": "NodeHasInsufficientMemory",
    "NodeHasNoDiskPressure": "NodeHasDiskPressure",
    "NodeHasSufficientPID": "NodeHasInsufficientPID",
    "VolumeConditionNormal": "VolumeConditionAbnormal",
}
# Some of these come with type Normal.
SEVERE = frozenset(
    {
        "BackOff", "CrashLoopBackOff", "OOMKilling", "OOMKilled", "SystemOOM",
        "NodeNotReady", "FailedScheduling", "FailedMount", "FailedAttachVolume",
        "Evicted", "EvictionThresholdMet", "ImagePullBackOff", "ErrImagePull",
        "BackoffLimitExceeded", "FailedCreate", "Failed", "KernelDeadlock",
    }
)  # fmt: skip
# Conditions that are bad when they are True; those of WELL are bad when False.
ILL = frozenset(
    {
        "Failed", "FailureTarget", "ReplicaFailure", "MemoryPressure", "DiskPressure",
        "PIDPressure", "NetworkUnavailable", "Stalled", "Degraded",
    }
)  # fmt: skip
WELL = frozenset({"Ready", "Available", "Progressing", "ContainersReady", "Healthy"})
MOST = 1000


def read(incoming: Incoming) -> list[Event]:
    """Return the events of the body. Raises NotUnderstood."""
    found: list[Event] = []
    for one in as_objects(incoming.data)[:MOST]:
        items = objects(one, "items")
        for item in items[:MOST] if items else (one,):
            found += reported(item)
    if not found and not recognise(incoming):
        raise NotUnderstood("this is no event of Kubernetes")
    return found


def reported(data: Data) -> list[Event]:
    """Return the event of one thing that was reported; none if it says nothing."""
    if part(data, "object"):
        # A watch tells of an event's removal, which is only its age.
        kept = first(data, "type") != "DELETED"
        return reported(part(data, "object")) if kept else []
    if part(data, "involvedObject") or part(data, "regarding"):
        return [occurred(data)]
    if part(data, "eventmeta"):
        meta = part(data, "eventmeta")
        return [watched(meta, first(data, "text"), data.get("time"))]
    if part(data, "data") and "specversion" in data:
        return kubewatch(data)
    if part(data, "data") and ("Reason" in data["data"] or "Kind" in data["data"]):
        return [botkube(data)]
    if part(data, "meta") and "status" in data:
        return [botkube_once(data)]
    if "aggregation_key" in data or "subject" in data:
        return [robusta(data)]
    return conditions(data) if first(data, "metadata.name") and "kind" in data else []


def occurred(data: Data) -> Event:
    """Return the event of an Event object of either API."""
    about = part(data, "involvedObject") or part(data, "regarding")
    reason = first(data, "reason") or "Event"
    began = first(data, "firstTimestamp", "deprecatedFirstTimestamp", "eventTime")
    last = first(data, "lastTimestamp", "deprecatedLastTimestamp")
    last = last or first(data, "series.lastObservedTime") or began
    firing = reason not in ENDS
    kind = first(data, "type")
    # An event without a type, as the API allows it, says no more than a normal one.
    severity = "warning" if kind == "Warning" else "info"
    return made(
        data,
        kind=first(about, "kind"),
        namespace=first(about, "namespace"),
        name=first(about, "name"),
        reason=reason,
        message=first(data, "message", "note"),
        severity="error" if reason in SEVERE else severity,
        firing=firing,
        labels={
            "container": container(first(about, "fieldPath")),
            "node": first(data, "source.host", "reportingInstance"),
            "component": first(
                data, "source.component", "reportingComponent", "reportingController"
            ),
            "app": first(part(about, "labels"), "app", "app.kubernetes.io/name"),
            "team": first(part(about, "labels"), "team", "owner"),
        },
        count=first(data, "count", "series.count", "deprecatedCount"),
        starts=(began or first(data, "metadata.creationTimestamp")) if firing else "",
        ends=last,
    )


def made(
    data: Data,
    *,
    kind: str,
    namespace: str,
    name: str,
    reason: str,
    message: str,
    severity: str,
    firing: bool = True,
    labels: Data | None = None,
    count: str = "",
    about: str = "",
    starts: Any = None,
    ends: Any = None,
) -> Event:
    """Return the event of `reason` about one object of the cluster.

    `about` stands for the reason in the key where the reason changes.
    """
    if namespace and name.startswith(f"{namespace}/"):
        name = name.removeprefix(f"{namespace}/")
    cluster = first(data, "clusterName", "cluster", "cluster_name", "meta.cluster")
    where = f"{namespace}/{name}" if namespace else name
    what = f"{kind} {where}".strip()
    return event(
        NAME,
        title=f"{reason}: {what}" if what else f"{reason}: {message}",
        key=joined(
            cluster, kind.lower(), namespace, name, about or ENDS.get(reason, reason)
        ),
        firing=firing,
        severity=severity,
        labels={
            **(labels or {}),
            "alertname": reason,
            "namespace": namespace,
            "kind": kind,
            "name": name,
            "pod": name if kind.lower() == "pod" else "",
            "cluster": cluster,
        },
        annotations={"description": message, "count": count},
        starts_at=moment(starts),
        ends_at=moment(ends),
    )


def container(path: str) -> str:
    """Return "app" of "spec.containers{app}"."""
    return path.partition("{")[2].partition("}")[0]


def watched(meta: Data, message: str, at: Any) -> Event:
    """Return the event of kubewatch' first body: an object came, changed or went."""
    return made(
        meta,
        kind=first(meta, "kind"),
        namespace=first(meta, "namespace"),
        name=first(meta, "name"),
        reason=first(meta, "reason") or "changed",
        message=message.replace("`", ""),
        severity="warning" if first(meta, "reason") == "deleted" else "info",
        starts=at,
    )


def kubewatch(data: Data) -> list[Event]:
    """Return the event of kubewatch' CloudEvents."""
    inner = part(data, "data")
    whole = part(inner, "obj")
    if part(whole, "involvedObject"):
        return [occurred(whole)] if first(inner, "operation") != "delete" else []
    meta = part(whole, "metadata") or part(inner, "oldObj.metadata")
    about = {
        "kind": first(inner, "kind"),
        "namespace": first(meta, "namespace"),
        "name": first(meta, "name"),
        "reason": first(inner, "operation").removesuffix("d") + "d",
    }
    return [watched(about, first(inner, "description"), data.get("time"))]


def botkube(data: Data) -> Event:
    """Return the event of Botkube's webhook."""
    inner = part(data, "data")
    told = parts(inner, "Messages") or parts(inner, "Recommendations")
    level = first(inner, "Level", "Type").lower()
    return made(
        {"cluster": first(inner, "Cluster")},
        kind=first(inner, "Kind"),
        namespace=first(inner, "Namespace"),
        name=first(inner, "Name"),
        reason=first(inner, "Reason", "Type", "Title") or "Event",
        message="\n".join(map(text, told)) or first(inner, "Error", "Title"),
        severity="error" if level in ("error", "critical") else level or "info",
        starts=first(inner, "TimeStamp") or data.get("timeStamp"),
    )


def botkube_once(data: Data) -> Event:
    """Return the event of Botkube's body before version 0.13."""
    meta, status = part(data, "meta"), part(data, "status")
    told = [text(one) for one in parts(status, "messages")]
    return made(
        data,
        kind=first(meta, "kind"),
        namespace=first(meta, "namespace"),
        name=first(meta, "name"),
        reason=first(status, "reason", "type") or "Event",
        message="\n".join(told) or first(status, "error") or first(data, "summary"),
        severity=first(status, "level") or "info",
        starts=data.get("timestamp"),
    )


def robusta(data: Data) -> Event:
    """Return the event of a Robusta finding."""
    subject = part(data, "subject")
    title = first(data, "title", "aggregation_key")
    where = first(subject, "namespace"), first(subject, "name")
    word = first(data, "severity").lower()
    ended = moment(data.get("ends_at"))
    over = title.startswith("[RESOLVED]") or (bool(ended) and not data.get("failure"))
    return event(
        NAME,
        title=title.removeprefix("[RESOLVED]").strip() or "Finding",
        key=first(data, "fingerprint")
        or joined(first(data, "aggregation_key") or title, *where),
        firing=not over,
        severity=word or "warning",
        labels={
            "alertname": first(data, "aggregation_key") or title,
            "namespace": where[0],
            "name": where[1],
            "kind": first(subject, "subject_type", "kind"),
            "node": first(subject, "node"),
            "cluster": first(data, "cluster_name"),
            "service": first(data, "service_key"),
        },
        annotations={"description": first(data, "description")},
        link=first(data, "investigate", "investigate_uri", "links.0.url"),
        starts_at=moment(data.get("starts_at")),
        ends_at=ended,
    )


def conditions(data: Data) -> list[Event]:
    """Return the event of an object with conditions: whether one of them is bad."""
    said = [one for one in objects(data, "status.conditions") if first(one, "status")]
    if not said:
        return []
    bad = [one for one in said if is_bad(first(one, "type"), first(one, "status"))]
    worst = bad[0] if bad else {}
    found = made(
        data,
        kind=first(data, "kind"),
        namespace=first(data, "metadata.namespace"),
        name=first(data, "metadata.name"),
        reason=first(worst, "reason", "type") or "Healthy",
        message="\n".join(first(one, "message", "reason") for one in bad),
        severity="error",
        firing=bool(bad),
        labels=part(data, "metadata.labels"),
        about="conditions",
        starts=worst.get("lastTransitionTime"),
        ends=said[-1].get("lastTransitionTime"),
    )
    return [found]


def is_bad(kind: str, status: str) -> bool:
    if kind in ILL:
        return status == "True"
    return kind in WELL and status != "True"


def recognise(incoming: Incoming) -> bool:
    data: Any = incoming.data
    if type(data) is list and data:
        data = data[0]
    if type(data) is not dict:
        return False
    if part(data, "object") and "metadata" in data["object"]:
        data = data["object"]
    kubewatching = first(data, "type").startswith("KUBERNETES_")
    meta = part(data, "meta")
    return (
        ("involvedObject" in data or ("regarding" in data and "note" in data))
        or ("apiVersion" in data and "kind" in data and "metadata" in data)
        or ("eventmeta" in data and "text" in data)
        or kubewatching
        or ("kind" in meta and "namespace" in meta and "status" in data)
        or {"Kind", "Namespace"} <= part(data, "data").keys()
        or ("aggregation_key" in data and "subject" in data)
    )


ADAPTER = Adapter(
    NAME,
    "Kubernetes",
    read,
    recognise,
    example={
        "kind": "Event",
        "apiVersion": "v1",
        "metadata": {"name": "checkout-7.17a", "namespace": "shop", "uid": "u1"},
        "involvedObject": {
            "kind": "Pod",
            "namespace": "shop",
            "name": "checkout-7",
            "fieldPath": "spec.containers{app}",
        },
        "reason": "BackOff",
        "message": "Back-off restarting failed container",
        "source": {"component": "kubelet", "host": "node-1"},
        "firstTimestamp": "2026-11-21T09:00:00Z",
        "lastTimestamp": "2026-11-21T09:05:00Z",
        "count": 12,
        "type": "Warning",
    },
    steps=(
        _("Install kubernetes-event-exporter, kubewatch, Botkube or Robusta."),
        _("Give it a webhook receiver with the URL."),
        _("Send warnings only: events have no end, but for those of nodes."),
    ),
    docs="https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources"
    "/event-v1/",
    snippet="""receivers:
  - name: alertcenter
    webhook:
      endpoint: "{url}"
route:
  routes:
    - match:
        - receiver: alertcenter
          type: Warning
""",
)
