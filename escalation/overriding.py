"""How is a schedule changed for a while? Overrides, written and taken back."""

from __future__ import annotations

from typing import Any

from escalation.models import Override
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
