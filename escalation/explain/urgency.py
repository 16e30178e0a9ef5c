"""Which service is in trouble, and how urgent is that?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from alertcenter.alerts import weighing
from alertcenter.alerts.models import Service
from alertcenter.alerts.priority import LARGE
from escalation.explain.facts import Facts
from escalation.explain.trace import Line, Link

BY_TIER = {1: "priority_vital", 4: "priority_minor"}


def of_group(facts: Facts) -> list[Line]:
    """Say which service the group has, its priority, and each reason for that.

    Of what is stored: a group that is over keeps what it had.
    """
    group = facts.group
    service = _service(facts.tenant_id, group.service_id)
    return [service, *_priority(group.priority, group.priority_reason)]


def of_one(tenant_id: UUID, labels: Mapping[str, str], severity: int) -> list[Line]:
    """Say what a group would have if this alert were alone in it."""
    found, priority = weighing.of_one(tenant_id, labels, severity)
    service = _service(tenant_id, found.id if found else None)
    return [service, *_priority(priority.level, priority.to_json())]


def _service(tenant_id: UUID, service_id: UUID | None) -> Line:
    service = None
    if service_id is not None:
        rows = Service.objects.filter(tenant_id=tenant_id, pk=service_id)
        service = rows.select_related("owner").first()
    if service is None:
        return Line("priority", "no_service", aside=True)
    owner = service.said_owner
    return Line(
        "priority",
        "service_owned" if owner else "service",
        data={"service": service.name, "owner": owner},
        link=Link("service", str(service.pk), service.name),
    )


def _priority(level: int, reasons: Iterable[Mapping[str, Any]]) -> list[Line]:
    lines = [Line("priority", "priority", data={"level": level})]
    return lines + [line for one in reasons if (line := _reason(one))]


def _reason(reason: Mapping[str, Any]) -> Line | None:
    """Return the line of one of the codes of alertcenter.alerts.priority."""
    code, value, by = reason.get("code"), reason.get("value", 0), reason.get("by", 0)
    if code == "severity":
        data = {"severity": value, "begins": by}
        return Line("priority", "priority_severity", data=data)
    if code == "tier" and value in BY_TIER:
        return Line("priority", BY_TIER[value])
    if code == "dependents":
        return Line("priority", "priority_dependents", data={"count": value})
    if code == "size":
        return Line("priority", "priority_size", data={"count": value or LARGE})
    if code == "info":
        return Line("priority", "priority_info", data={"level": value})
    return None
