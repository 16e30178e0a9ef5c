"""How does a person's word get into a group's story?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from alertcenter.alerts import lifecycle
from alertcenter.alerts.lifecycle import Change
from alertcenter.alerts.models import Group
from alertcenter.alerts.sources.adapter import storable
from escalation import threads
from escalation.acting import Outcome
from tenants import audit
from tenants.actors import Actor

LONGEST_NOTE = 4_000


def add(
    tenant_id: UUID,
    group_id: UUID,
    text: str,
    *,
    actor: Actor,
    source: Mapping[str, Any] | None = None,
    tell: bool = True,
) -> Outcome:
    """Keep a note; its reason is "empty" where there is nothing to keep.

    `source` says where it was said first. `tell`: the conversations about the group
    get it as a line; False for what was said in one of them.
    """
    found = Group.objects.select_for_update(of=("self",)).select_related("route")
    group = found.filter(tenant_id=tenant_id, pk=group_id).first()
    if group is None:
        return Outcome(group_id, 0, False, "not_found", "")
    text = storable(text).strip()[:LONGEST_NOTE]
    if not text:
        return Outcome(group_id, group.number, False, "empty", group.state)
    change = Change(
        tenant_id,
        "noted",
        group_id=group_id,
        from_state=group.state,
        to_state=group.state,
        reason="note",
        data={"text": text, **(source or {})},
    )
    lifecycle.tell([change], actor=actor)
    if tell:
        said = {"text": f"{actor.label}: {text}"}
        threads.refresh(tenant_id, [group], kind="said", actor=actor.label, data=said)
    audit.record(
        tenant_id,
        actor,
        "group.noted",
        kind="group",
        object_id=group_id,
        number=group.number,
    )
    return Outcome(group_id, group.number, True, "done", group.state)
