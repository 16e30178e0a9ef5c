"""How do conversations about groups stay up to date?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from alertcenter.alerts.models import Group
from escalation.messages import iso, messages_for
from notifications import outbox
from notifications.message import Message, Note
from notifications.outbox import Redraw


@dataclass(frozen=True)
class Line:
    """What a group's threads are to say; without a `kind` nothing is worth a line:
    the message alone is redrawn."""

    group: Group
    kind: str
    actor: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    correlation_id: str = ""

    def note(self) -> Note | None:
        if not self.kind:
            return None
        group = self.group
        return Note(
            kind=self.kind,
            actor=self.actor,
            at=group.changed_at.isoformat(),
            data=dict(self.data) | {"until": iso(group.snooze_until)},
        )


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

    With `delay_seconds` it may wait so long and merge with what follows.
    """
    told = outbox.told_of(tenant_id, [g.pk for g in groups])
    lines = [Line(g, kind, actor, data or {}) for g in groups if g.pk in told]
    if lines:
        messages = messages_for(tenant_id, [line.group for line in lines])
        add(tenant_id, lines, messages, delay_seconds=delay_seconds)


def add(
    tenant_id: UUID,
    lines: Sequence[Line],
    messages: Mapping[UUID, Message],
    *,
    delay_seconds: int = 0,
) -> None:
    """Add lines to the threads of groups that somebody was told of, and redraw;
    `messages` are those about the groups as they stand."""
    redraws = [
        Redraw(
            line.group.pk,
            replace(messages[line.group.pk], note=line.note()),
            line.group.version,
            line.correlation_id,
        )
        for line in lines
    ]
    if redraws:
        outbox.refresh_all(tenant_id, redraws, delay_seconds=delay_seconds)
