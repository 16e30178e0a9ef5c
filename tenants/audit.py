"""How is an act written down? One append-only row each."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from alertcenter.common import tracing
from tenants.actors import Actor
from tenants.models.audit import Audit


def record(
    tenant_id: UUID,
    actor: Actor,
    action: str,
    *,
    kind: str,
    object_id: object,
    **data: Any,
) -> None:
    """Write that `actor` did `action` to the object, in this transaction."""
    Audit.objects.create(
        tenant_id=tenant_id,
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_label=actor.label[:200],
        action=action,
        object_kind=kind,
        object_id=str(object_id),
        data=data,
        correlation_id=tracing.current(),
    )
