"""How is a schedule changed for a while? Overrides, written and taken back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from escalation import oncall, rota
from escalation.hours import Span
from escalation.models import Override, TemporarySchedule
from escalation.shifts import Shift
from tenants import audit
from tenants.actors import Actor

KIND = "override"


def put(override: Override, *, actor: Actor) -> Override:
    """Write a new override, whose values are valid. The caller has asked for leave."""
    override.save(force_insert=True)
    _record(override, actor, "create")
    return override


def change(override: Override, fields: list[str], *, actor: Actor) -> Override:
    """Write what was changed of an override, whose values are valid."""
    override.save(force_update=True)
    _record(override, actor, "change", fields=fields)
    return override


def remove(override: Override, *, actor: Actor) -> None:
    """Take an override back; what it covered is as the layers say again."""
    _record(override, actor, "delete")
    override.delete()


def on_call_in(change: Override | TemporarySchedule) -> list[Shift] | None:
    """Return who is on call while a change lasts; None if that takes too long to
    reckon."""
    within = Span(change.starts_at, change.ends_at)
    found = oncall.load(change.tenant_id, [change.schedule_id], within)
    given = found[change.schedule_id]
    return rota.final(given, within) if rota.Budget().takes(given, within) else None


def new_gaps(
    override: Override, before: Sequence[Shift], after: Sequence[Shift]
) -> list[Span]:
    """Return when nobody is on call any more, now that the override is written."""
    within = Span(override.starts_at, override.ends_at)
    had = rota.gaps_in(before, within)
    return [gap for gap in rota.gaps_in(after, within) if gap not in had]


def _record(override: Override, actor: Actor, verb: str, **more: Any) -> None:
    audit.record(
        override.tenant_id,
        actor,
        f"{KIND}.{verb}",
        kind=KIND,
        object_id=override.pk,
        schedule=str(override.schedule_id),
        what=override.kind,
        member=str(override.member_id or ""),
        instead=str(override.instead_id or ""),
        starts_at=override.starts_at.isoformat(),
        ends_at=override.ends_at.isoformat(),
        **more,
    )
