"""How does a member say when he is away, and at which hours he works?

What is his own he writes himself, whatever his role; whoever may configure writes it
for all. What was read from his calendar is changed there.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied

from escalation.models import Absence, Availability
from escalation.swapping import Author
from tenants import audit, roles

ABSENCE, AVAILABILITY = "absence", "availability"


def may_write(by: Author, member_id: UUID) -> bool:
    """Whether this person may write what is that member's."""
    return by.may(roles.CONFIGURE) or by.member_id == member_id


def add(absence: Absence, *, by: Author) -> Absence:
    """Write a new absence, whose values are valid. Raises PermissionDenied."""
    if not may_write(by, absence.member_id):
        raise PermissionDenied
    absence.save(force_insert=True)
    _record(absence, by, "create")
    return absence


def remove(absence: Absence, *, by: Author) -> None:
    """Take an absence back. Raises PermissionDenied."""
    if absence.uid or not may_write(by, absence.member_id):
        raise PermissionDenied
    _record(absence, by, "delete")
    absence.delete()


def work(
    tenant_id: UUID, member_id: UUID, hours: list[dict[str, Any]], *, by: Author
) -> None:
    """Write a member's hours, as escalation.hours has them; none: at all hours. Raises
    PermissionDenied."""
    if not may_write(by, member_id):
        raise PermissionDenied
    row, _fresh = Availability.objects.select_for_update().get_or_create(
        tenant_id=tenant_id, member_id=member_id
    )
    if row.hours == hours:
        return
    row.hours = hours
    row.save(update_fields=["hours"])
    audit.record(
        tenant_id,
        by.actor,
        f"{AVAILABILITY}.change",
        kind=AVAILABILITY,
        object_id=row.pk,
        fields=["hours"],
    )


def _record(absence: Absence, by: Author, verb: str) -> None:
    """An audit names no note: what somebody has is nobody's business."""
    audit.record(
        absence.tenant_id,
        by.actor,
        f"{ABSENCE}.{verb}",
        kind=ABSENCE,
        object_id=absence.pk,
        member=str(absence.member_id),
        starts_at=absence.starts_at.isoformat(),
        ends_at=absence.ends_at.isoformat(),
    )
