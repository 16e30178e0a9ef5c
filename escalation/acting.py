"""What does every act on groups share? Locks, the write, the threads, the audit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction

from alertcenter.alerts import lifecycle, quiet
from alertcenter.alerts.lifecycle import GroupChange
from alertcenter.alerts.models import Group
from alertcenter.common import failpoints
from escalation import runs, threads
from notifications import outbox
from tenants import audit
from tenants.actors import THE_ENGINE, Actor


@dataclass(frozen=True)
class Outcome:
    """What became of an act on one group.

    `reason` is done, already, resolved, stale, nothing_due, not_found, too_late, or
    others: those must acknowledge too.
    """

    group_id: UUID
    number: int
    done: bool
    reason: str
    state: str


Judge = Callable[[Group], str | None]


def only_open(group: Group) -> str | None:
    return "resolved" if group.state == "resolved" else None


def lock(
    tenant_id: UUID, group_ids: Iterable[UUID], judge: Judge, actor: Actor
) -> tuple[list[Group], Callable[..., list[Outcome]]]:
    """Lock the groups by id; return those the act applies to, and a reporter.

    For several of them a person waits for the flow, which locks those that a change
    quiets after those that it regroups, whatever their ids.
    """
    ids = list(dict.fromkeys(group_ids))
    if len(ids) > 1 and actor.kind != THE_ENGINE.kind:
        quiet.lock(tenant_id)
    found = {
        g.pk: g
        for g in Group.objects.select_for_update(of=("self",))
        .select_related("route")
        .filter(tenant_id=tenant_id, pk__in=ids)
        .order_by("pk")
    }
    refused = {pk: reason for pk, g in found.items() if (reason := judge(g))}

    def outcomes(done: Sequence[Group], otherwise: str = "done") -> list[Outcome]:
        finished = {g.pk for g in done}
        return [
            _outcome(pk, found.get(pk), refused.get(pk), pk in finished, otherwise)
            for pk in ids
        ]

    return [g for pk, g in found.items() if pk not in refused], outcomes


def _outcome(
    pk: UUID, group: Group | None, refused: str | None, done: bool, otherwise: str
) -> Outcome:
    if group is None:
        return Outcome(pk, 0, False, "not_found", "")
    reason = refused or ("done" if done else otherwise)
    return Outcome(pk, group.number, done and not refused, reason, group.state)


def change(
    groups: Sequence[Group],
    values: Callable[[Group], Mapping[str, Any]],
    kind: str,
    actor: Actor,
    *,
    reason: str = "",
    data: Mapping[str, Any] | None = None,
) -> None:
    """Write the groups' new values and read them back into the same objects."""
    lifecycle.change_groups(
        [
            GroupChange(
                g.tenant_id,
                g.pk,
                values(g),
                kind=kind,
                from_state=g.state,
                reason=reason,
                data=data or {},
            )
            for g in groups
        ],
        actor=actor,
    )
    fresh = Group.objects.select_related("route").in_bulk([g.pk for g in groups])
    for group in groups:
        group.__dict__.update(fresh[group.pk].__dict__)


def halt(tenant_id: UUID, groups: Sequence[Group]) -> None:
    ids = [g.pk for g in groups]
    runs.stop(tenant_id, ids)
    outbox.cancel_pages(tenant_id, ids)


def finish(
    tenant_id: UUID, groups: Sequence[Group], kind: str, actor: Actor, **data: Any
) -> None:
    """Refresh the threads and write the audit rows."""
    threads.refresh(tenant_id, groups, kind=kind, actor=actor.label, data=data)
    for group in groups:
        audit.record(
            tenant_id,
            actor,
            f"group.{kind}",
            kind="group",
            object_id=group.pk,
            number=group.number,
            **data,
        )
    failpoints.hit("act.before_commit")
    transaction.on_commit(lambda: failpoints.hit("act.after_commit"))
