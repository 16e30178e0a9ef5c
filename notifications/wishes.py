"""How are a member's contacts and chains written as a whole? For the API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import time
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _

from notifications.channels.registry import channels
from notifications.models import Contact, PersonalRule, PersonalStep, QuietHours
from notifications.models.personal import PersonalStepKind
from tenants import audit
from tenants.actors import Actor
from tenants.models import Member

MOST_CONTACTS, MOST_STEPS, MOST_HOURS = 20, 20, 20


@dataclass(frozen=True)
class Wishes:
    """All that one member wants; what is None stays as it is.

    `contacts`: (kind, address) in order. Steps: {"contact": "kind:address"},
    {"by": kind} or {"wait_seconds": n}. `rule`: values of PersonalRule.
    """

    contacts: Sequence[tuple[str, str]] | None = None
    usual: Sequence[Mapping[str, Any]] | None = None
    important: Sequence[Mapping[str, Any]] | None = None
    rule: Mapping[str, Any] | None = None
    hours: Sequence[tuple[list[str], time, time]] | None = None


def write(
    member: Member, wanted: Wishes, *, actor: Actor, administers: bool = False
) -> None:
    """Replace what is given, in the caller's transaction, and write it down.

    `administers`: whether the actor may also write what members only connect. Raises
    ValidationError.
    """
    # Two writers at once would mix their chains.
    Member.objects.select_for_update().get(pk=member.pk)
    if wanted.contacts is not None:
        _contacts(member, wanted.contacts, administers=administers)
    for important, steps in ((False, wanted.usual), (True, wanted.important)):
        if steps is not None:
            _steps(member, steps, important=important)
    if wanted.rule:
        _rule(member, wanted.rule)
    if wanted.hours is not None:
        _hours(member, wanted.hours)
    fields = [name for name, value in vars(wanted).items() if value is not None]
    audit.record(
        member.tenant_id,
        actor,
        "person.change",
        kind="person",
        object_id=member.pk,
        fields=sorted(fields),
    )


def place_of(contact: Contact) -> str:
    """Return how a step names a contact."""
    return f"{contact.kind}:{contact.address}"


def need_by_hand(kind: str) -> None:
    """Raise ValidationError where a member does not write an address himself."""
    module = channels().get(kind)
    if module and module.SPEC.contact and not module.SPEC.contact.by_hand:
        words = _("Connect this in %(kind)s itself, or ask an administrator.")
        raise ValidationError(words % {"kind": module.SPEC.label})


def _contacts(
    member: Member, wanted: Sequence[tuple[str, str]], *, administers: bool
) -> None:
    """Keep what stays: its row knows more than its address."""
    kept = {(c.kind, c.address): c for c in _of(Contact, member)}
    places = list(dict.fromkeys(_checked(kind, address) for kind, address in wanted))
    for place in places:
        if place not in kept and not administers:
            need_by_hand(place[0])
    for place, row in kept.items():
        if place not in places:
            row.delete()
    for position, place in enumerate(places, 1):
        row = kept.get(place) or Contact(**_mine(member), kind=place[0])
        row.address, row.position = place[1], position
        _save(row)


def _checked(kind: str, address: str) -> tuple[str, str]:
    module = channels().get(kind)
    if module is None or module.SPEC.contact is None:
        raise ValidationError(_("Nobody is reached by %(kind)s.") % {"kind": kind})
    return kind, module.SPEC.contact.check(address.strip())


def _steps(
    member: Member, steps: Sequence[Mapping[str, Any]], *, important: bool
) -> None:
    known = {place_of(contact): contact for contact in _of(Contact, member)}
    _of(PersonalStep, member).filter(important=important).delete()
    for position, step in enumerate(steps, 1):
        row = PersonalStep(**_mine(member), important=important, position=position)
        if place := step.get("contact"):
            if place not in known:
                words = _("%(contact)s is no contact of this member.")
                raise ValidationError(words % {"contact": place})
            row.kind, row.contact = PersonalStepKind.CONTACT, known[place]
        elif by := step.get("by"):
            row.kind, row.by = PersonalStepKind.BY, by
        else:
            row.kind = PersonalStepKind.WAIT
            row.wait_seconds = step.get("wait_seconds")
        _save(row)


def _rule(member: Member, values: Mapping[str, Any]) -> None:
    row = _of(PersonalRule, member).first() or PersonalRule(**_mine(member))
    for name, value in values.items():
        setattr(row, name, value)
    _save(row)


def _hours(member: Member, wanted: Sequence[tuple[list[str], time, time]]) -> None:
    _of(QuietHours, member).delete()
    for days, begins, ends in wanted:
        _save(QuietHours(**_mine(member), days=days, begins=begins, ends=ends))


def _of(model: Any, member: Member) -> models.QuerySet[Any]:
    found: models.QuerySet[Any] = model.objects.filter(**_mine(member))
    return found


def _mine(member: Member) -> dict[str, Any]:
    return {"tenant_id": member.tenant_id, "member_id": member.pk}


def _save(row: Any) -> None:
    row.full_clean()
    row.save()
