"""How does a member give shifts away? A request, which somebody takes.

A member asks for and takes back his own; whoever may configure does so for all.
"""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from django.core.exceptions import PermissionDenied

from alertcenter.alerts.lifecycle import database_time
from escalation import oncall, rota
from escalation.hours import Span
from escalation.models import Swap
from tenants import audit, roles
from tenants.actors import Actor

KIND = "swap"


class Author(Protocol):
    """Who acts: a member, an operator, or the holder of a key."""

    @property
    def member_id(self) -> UUID | None: ...
    @property
    def actor(self) -> Actor: ...
    def may(self, what: str) -> bool: ...


class SwapError(ValueError):
    """A swap that cannot be; `code`: own, taken."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def is_empty(swap: Swap) -> bool:
    """Whether a swap that nobody has taken gives nothing away: the member has no
    shift then."""
    within = Span(swap.starts_at, swap.ends_at)
    found = oncall.load(swap.tenant_id, [swap.schedule_id], within)[swap.schedule_id]
    if not rota.Budget().takes(found, within):
        return False
    shifts = rota.final(found, within)
    return not any(swap.beneficiary_id in shift.people for shift in shifts)


def may_ask(by: Author, beneficiary_id: UUID | None) -> bool:
    """Whether this person may give away that member's shifts."""
    if by.may(roles.CONFIGURE):
        return True
    own = by.member_id is not None and beneficiary_id == by.member_id
    return own and by.may(roles.ACT)


def ask(swap: Swap, *, by: Author) -> Swap:
    """Write a new request, whose values are valid. Raises PermissionDenied."""
    if not may_ask(by, swap.beneficiary_id):
        raise PermissionDenied
    if swap.benefactor_id:
        _may_name(by, swap.benefactor_id)
        swap.taken_at = database_time()
    swap.save(force_insert=True)
    _record(swap, by, "create")
    return swap


def take(swap: Swap, member_id: UUID, *, by: Author) -> Swap:
    """Let a member stand in; of two who ask at once, one may.

    Raises PermissionDenied, SwapError.
    """
    _may_name(by, member_id)
    if swap.beneficiary_id == member_id:
        raise SwapError("own")
    free = Swap.objects.filter(
        tenant_id=swap.tenant_id, pk=swap.pk, benefactor__isnull=True
    )
    if not free.update(benefactor_id=member_id, taken_at=database_time()):
        raise SwapError("taken")
    swap.refresh_from_db()
    _record(swap, by, "take")
    return swap


def give_back(swap: Swap, *, by: Author) -> Swap:
    """Make a swap that somebody took a request again. Raises PermissionDenied."""
    if swap.benefactor_id is None:
        return swap
    _may_name(by, swap.benefactor_id)
    _record(swap, by, "give_back")
    swap.benefactor_id, swap.taken_at = None, None
    swap.save(update_fields=["benefactor", "taken_at"])
    return swap


def remove(swap: Swap, *, by: Author) -> None:
    """Take a request back; if it was taken, that is undone. Raises PermissionDenied."""
    if not may_ask(by, swap.beneficiary_id):
        raise PermissionDenied
    _record(swap, by, "delete")
    swap.delete()


def _may_name(by: Author, member_id: UUID) -> None:
    """Ask leave to put a member in another's place, or to take him out."""
    if not may_ask(by, member_id):
        raise PermissionDenied


def _record(swap: Swap, by: Author, verb: str) -> None:
    audit.record(
        swap.tenant_id,
        by.actor,
        f"{KIND}.{verb}",
        kind=KIND,
        object_id=swap.pk,
        schedule=str(swap.schedule_id),
        beneficiary=str(swap.beneficiary_id),
        benefactor=str(swap.benefactor_id or ""),
        starts_at=swap.starts_at.isoformat(),
        ends_at=swap.ends_at.isoformat(),
    )
