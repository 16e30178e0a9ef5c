"""How do conversations about groups stay up to date?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from alertcenter.alerts.models import Group
from escalation.messages import iso, messages_for
from notifications import outbox
from notifications.message import Note


def refresh(
    tenant_id: UUID,
    groups: Sequence[Group],
    *,
    kind: str,
    actor: str,
    data: Mapping[str, Any] | None = None,
    delay_seconds: int = 0,
) -> None:
    """Redraw the messages of these groups and add a line to their threads.

    Without a `kind` nothing is worth a line: the message alone is redrawn. With
    `delay_seconds` it may wait so long and merge with what follows.
    """
    told = outbox.told_of(tenant_id, [g.pk for g in groups])
    groups = [g for g in groups if g.pk in told]
    if not groups:
        return
    notes: dict[UUID, Note | None] = {
        g.pk: Note(
            kind=kind,
            actor=actor,
            at=g.changed_at.isoformat(),
            data=dict(data or {}) | {"until": iso(g.snooze_until)},
        )
        for g in groups
        if kind
    }
    messages = messages_for(tenant_id, groups, notes=notes)
    for group in groups:
        outbox.refresh(
            tenant_id,
            group.pk,
            messages[group.pk],
            version=group.version,
            delay_seconds=delay_seconds,
        )
