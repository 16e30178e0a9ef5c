"""How does a member say when he is away, and at which hours he works?

Whether somebody may write it is the caller's to ask. What was read from the member's
calendar is changed there.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied

from escalation.models import Absence, Availability
from tenants import audit
from tenants.actors import Actor

ABSENCE, AVAILABILITY = "absence", "availability"


def add(absence: Absence, *, actor: Actor) -> None:
    """Write a new absence, whose values are valid."""
    absence.save(force_insert=True)
    _record(absence, actor, "create")


def remove(absence: Absence, *, actor: Actor) -> None:
    """Take an absence back. Raises PermissionDenied for one of a calendar."""
    if absence.uid:
        raise PermissionDenied
    _record(absence, actor, "delete")
    absence.delete()


def work(
    tenant_id: UUID, member_id: UUID, hours: list[dict[str, Any]], *, actor: Actor
) -> None:
    """Write a member's hours, as escalation.hours has them; none: at all hours."""
    row, _fresh = Availability.objects.select_for_update().get_or_create(
        tenant_id=tenant_id, member_id=member_id
    )
    if row.hours == hours:
        return
    row.hours = hours
    row.save(update_fields=["hours"])
    audit.record(
        tenant_id,
        actor,
        f"{AVAILABILITY}.change",
        kind=AVAILABILITY,
        object_id=row.pk,
        fields=["hours"],
    )


def _record(absence: Absence, actor: Actor, verb: str) -> None:
    """An audit names no note: what somebody has is nobody's business."""
    audit.record(
        absence.tenant_id,
        actor,
        f"{ABSENCE}.{verb}",
        kind=ABSENCE,
        object_id=absence.pk,
        member=str(absence.member_id),
        starts_at=absence.starts_at.isoformat(),
        ends_at=absence.ends_at.isoformat(),
    )
