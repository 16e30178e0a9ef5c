"""Whose telephone is this, and what became of what its owner asked for?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.utils.translation import gettext as _

from escalation import actions
from escalation.acting import Outcome
from notifications.models import Contact
from tenants import roles
from tenants.actors import MEMBER, Actor
from tenants.models import Member


@dataclass(frozen=True)
class Answer:
    """What an act led to, in words for the one who asked."""

    outcome: str  # a word for counters
    words: str


def owner_of(tenant_id: UUID, kind: str, number: str) -> Member | None:
    """Return the active member who has proven that this number is theirs."""
    contact = (
        Contact.objects.select_related("member__user")
        .filter(
            tenant_id=tenant_id,
            kind=kind,
            address=number,
            verified_at__isnull=False,
            member__active=True,
            member__user__is_active=True,
        )
        .first()
    )
    return contact.member if contact else None


def unknown() -> Answer:
    words = _("This number belongs to no member here, so nothing was done.")
    return Answer("unknown_number", words)


def act(member: Member, name: str, group_ids: Sequence[UUID]) -> Answer:
    """Act for the member; in the tenant's transaction."""
    if not roles.may(member.role, roles.ACT):
        return Answer("forbidden", _("Your role does not allow this."))
    actor = Actor(MEMBER, str(member.pk), member.name)
    outcomes = actions.DO[name](member.tenant_id, group_ids, actor=actor)
    done = [outcome.number for outcome in outcomes if outcome.done]
    lines = [said_of(name, done)] if done else []
    lines += [explained(outcome) for outcome in outcomes if not outcome.done]
    return Answer("done" if done else outcomes[0].reason, " ".join(lines))


def said_of(name: str, numbers: Sequence[int]) -> str:
    shown = {"numbers": ", ".join(f"#{number}" for number in numbers)}
    if name == "resolve":
        return _("%(numbers)s resolved.") % shown
    return _("%(numbers)s acknowledged.") % shown


def explained(outcome: Outcome) -> str:
    """Return why nothing was done."""
    number = {"number": outcome.number}
    if outcome.reason == "not_found":
        return _("This group no longer exists.")
    if outcome.reason == "resolved":
        return _("#%(number)s is already resolved.") % number
    if outcome.reason == "others":
        return _("#%(number)s: others must acknowledge it too.") % number
    if outcome.state == "acknowledged":
        return _("#%(number)s is already acknowledged.") % number
    return _("#%(number)s has changed meanwhile; nothing was done.") % number
