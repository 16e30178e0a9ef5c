"""What can a person do to groups? The one door for acts.

Admin, API, Slack, dashboard and the engine itself call these. Each is one
transaction with the caller's: lifecycle writes, the run stops or restarts,
deliveries made pointless are cancelled, threads are refreshed, the act is audited.
Callers ask for permission first (`Membership.require(roles.ACT)`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now
from django.db.utils import InterfaceError, OperationalError

from alertcenter.alerts import lifecycle, reopening
from alertcenter.alerts.lifecycle import NOW, After
from alertcenter.alerts.models import Group, GroupAlert
from escalation import asking, runs, undoing
from escalation.acting import Outcome, change, finish, halt, lock, only_open
from notifications import outbox
from tenants import audit
from tenants.actors import THE_ENGINE, Actor
from tenants.models import Member

log = logging.getLogger(__name__)

LONGEST_SNOOZE = 30 * 24 * 3600


Act = Callable[..., list[Outcome]]


def acknowledge(
    tenant_id: UUID, group_ids: Iterable[UUID], *, actor: Actor
) -> list[Outcome]:
    """Somebody takes care: the runs stop."""

    def judge(group: Group) -> str | None:
        return "already" if group.state == "acknowledged" else only_open(group)

    groups, outcomes = lock(tenant_id, group_ids, judge, actor)
    answered, waiting = _answer(tenant_id, groups, actor)
    groups = [g for g in groups if g.pk not in waiting]
    undoing.remember(tenant_id, groups, "acknowledged", actor)
    change(
        groups,
        lambda g: {
            "state": "acknowledged",
            "acked_at": NOW,
            "acked_by": actor.label[:200],
            "acked_severity": g.severity,
            "snooze_until": None,
        },
        "acknowledged",
        actor,
    )
    halt(tenant_id, groups)
    runs.watch(tenant_id, [g.pk for g in groups])
    finish(tenant_id, groups, "acknowledged", actor)
    return [
        replace(one, done=one.group_id in answered, reason="others")
        if one.group_id in waiting
        else one
        for one in outcomes(groups)
    ]


def _answer(
    tenant_id: UUID, groups: Sequence[Group], actor: Actor
) -> tuple[set[UUID], set[UUID]]:
    """Where everybody must acknowledge, note that one has; return the groups in which
    that was news, and those that wait for others."""
    ids = [g.pk for g in groups]
    answered = asking.answer(tenant_id, ids, actor)
    left = asking.left(tenant_id, ids)
    waiting = [g for g in groups if g.pk in left]
    said = [g for g in waiting if g.pk in answered]
    for group in said:
        others = ", ".join(left[group.pk])
        data = {"who": others, "reason": "acknowledged_one"}
        change(
            [group], lambda _: {}, "noted", actor, reason="acknowledged_one", data=data
        )
        finish(tenant_id, [group], "noted", actor, **data)
    return answered, {g.pk for g in waiting}


def acknowledge_alerts(
    tenant_id: UUID, alert_ids: Iterable[UUID], *, actor: Actor
) -> list[Outcome]:
    """Acknowledge single alerts, as other protocols do: a group is acknowledged when
    the last of its open members is. Returns the outcomes of those groups."""
    ids = list(alert_ids)
    open_ones = GroupAlert.objects.filter(tenant_id=tenant_id, left_at=None)
    mine = open_ones.filter(alert_id__in=ids)
    mine.filter(acked_at=None).update(acked_at=Now())
    groups = set(mine.values_list("group_id", flat=True))
    unmarked = open_ones.filter(group_id__in=groups, acked_at=None)
    groups -= set(unmarked.values_list("group_id", flat=True))
    return acknowledge(tenant_id, sorted(groups), actor=actor)


def unacknowledge_alerts(
    tenant_id: UUID, alert_ids: Iterable[UUID], *, actor: Actor
) -> list[Outcome]:
    """Take the acknowledgement of single alerts back; their groups fire again."""
    mine = GroupAlert.objects.filter(
        tenant_id=tenant_id, alert_id__in=list(alert_ids), left_at=None
    )
    mine.update(acked_at=None)
    groups = sorted(set(mine.values_list("group_id", flat=True)))
    return unacknowledge(tenant_id, groups, actor=actor)


def unacknowledge(
    tenant_id: UUID,
    group_ids: Iterable[UUID],
    *,
    actor: Actor,
    reason: str = "",
) -> list[Outcome]:
    """Nobody takes care after all: the group fires and its policy begins anew."""

    def judge(group: Group) -> str | None:
        return "already" if group.state == "firing" else only_open(group)

    groups, outcomes = lock(tenant_id, group_ids, judge, actor)
    kind = "woken" if reason == "snooze_over" else "unacknowledged"
    undoing.remember(tenant_id, groups, kind, actor)
    change(groups, lambda _: FIRING_AGAIN, kind, actor, reason=reason)
    runs.restart(tenant_id, groups)
    finish(tenant_id, groups, kind, actor)
    return outcomes(groups)


FIRING_AGAIN: Mapping[str, Any] = {
    "state": "firing",
    "acked_at": None,
    "acked_by": "",
    "acked_severity": None,
    "snooze_until": None,
}


def snooze(
    tenant_id: UUID, group_ids: Iterable[UUID], *, actor: Actor, seconds: int = 3600
) -> list[Outcome]:
    """Leave it for a while; then the policy begins anew. Raises ValueError."""
    if not 60 <= seconds <= LONGEST_SNOOZE:
        raise ValueError("A snooze lasts from one minute to thirty days.")
    groups, outcomes = lock(tenant_id, group_ids, only_open, actor)
    undoing.remember(tenant_id, groups, "snoozed", actor)
    change(
        groups,
        lambda g: {
            "state": "snoozed",
            "snooze_until": After(seconds),
            "acked_by": actor.label[:200],
            "acked_at": NOW,
            "acked_severity": g.severity,
        },
        "snoozed",
        actor,
        data={"seconds": seconds},
    )
    halt(tenant_id, groups)
    finish(tenant_id, groups, "snoozed", actor, seconds=seconds)
    return outcomes(groups)


def resolve(
    tenant_id: UUID,
    group_ids: Iterable[UUID],
    *,
    actor: Actor,
    reason: str = "person",
) -> list[Outcome]:
    """It is over: close the groups and the alerts that fire in them."""
    ids = list(group_ids)
    closes = reopening.look(tenant_id, ids) if undoing.is_person(actor) else None
    members = GroupAlert.objects.filter(
        tenant_id=tenant_id, group_id__in=ids, left_at=None
    ).exclude(group__state="resolved")
    # Alerts are locked before groups, always (design/decisions.md section 3).
    lifecycle.resolve_alerts(
        tenant_id, members.values_list("alert_id", flat=True), actor=actor
    )
    groups, outcomes = lock(tenant_id, ids, only_open, actor)
    if closes is not None:
        undoing.remember(tenant_id, groups, "resolved", actor, closes)
    GroupAlert.objects.filter(
        tenant_id=tenant_id, group_id__in=[g.pk for g in groups], left_at=None
    ).update(left_at=Now())
    change(
        groups,
        lambda _: {
            "state": "resolved",
            "resolved_at": NOW,
            "snooze_until": None,
            "firing_count": 0,
        },
        "resolved",
        actor,
        reason=reason,
    )
    halt(tenant_id, groups)
    finish(tenant_id, groups, "resolved", actor)
    return outcomes(groups)


def assign(
    tenant_id: UUID,
    group_ids: Iterable[UUID],
    *,
    actor: Actor,
    member_id: UUID,
) -> list[Outcome]:
    """Make it one member's. Raises Member.DoesNotExist."""
    member = Member.objects.get(tenant_id=tenant_id, pk=member_id, active=True)

    def judge(group: Group) -> str | None:
        return "already" if group.assignee_id == member.pk else only_open(group)

    groups, outcomes = lock(tenant_id, group_ids, judge, actor)
    undoing.remember(tenant_id, groups, "assigned", actor)
    change(
        groups,
        lambda _: {"assignee_id": member.pk},
        "assigned",
        actor,
        data={"member": str(member.pk), "name": member.name},
    )
    finish(tenant_id, groups, "assigned", actor, name=member.name)
    return outcomes(groups)


def escalate_now(
    tenant_id: UUID,
    group_ids: Iterable[UUID],
    *,
    actor: Actor,
    versions: Mapping[UUID, int] | None = None,
    as_of: datetime | None = None,
) -> list[Outcome]:
    """Do the waiting step at once. With the version the person saw, or the moment as of
    which he saw it, a second click after that is refused as stale."""

    def judge(group: Group) -> str | None:
        if versions and versions.get(group.pk, group.version) != group.version:
            return "stale"
        if as_of and group.pk in moved:
            return "stale"
        return only_open(group)

    ids = list(group_ids)
    moved: set[UUID] = set()
    if as_of:
        # Locked before it is asked: of two clicks at once the second sees the first's.
        lock(tenant_id, ids, only_open, actor)
        moved = runs.moved_since(tenant_id, ids, as_of)
    groups, outcomes = lock(tenant_id, ids, judge, actor)
    forward = [g for g in groups if runs.bring_forward(tenant_id, g.pk)]
    change(forward, lambda _: {}, "escalated", actor)
    finish(tenant_id, forward, "escalated", actor)
    return outcomes(forward, otherwise="nothing_due")


def restart(
    tenant_id: UUID, group_ids: Iterable[UUID], *, actor: Actor
) -> list[Outcome]:
    """Begin anew with the present policy, in place of the steps of when it opened."""

    def judge(group: Group) -> str | None:
        return None if group.state == "firing" else only_open(group) or "already"

    groups, outcomes = lock(tenant_id, group_ids, judge, actor)
    outbox.cancel_pages(tenant_id, [g.pk for g in groups])
    runs.restart(tenant_id, groups)
    change(groups, lambda _: {}, "noted", actor, reason="restarted")
    for group in groups:
        audit.record(
            tenant_id,
            actor,
            "group.restarted",
            kind="group",
            object_id=group.pk,
            number=group.number,
        )
    return outcomes(groups)


def undo(tenant_id: UUID, group_ids: Iterable[UUID], *, actor: Actor) -> list[Outcome]:
    """Take back what this person did last, within seconds of it: the group is as it
    was, and its policy goes on where it stood."""
    ids = list(group_ids)
    # Alerts are locked before groups, always.
    closed = undoing.lock_alerts(tenant_id, undoing.acts_of(tenant_id, ids, actor))
    groups, outcomes = lock(tenant_id, ids, lambda _: None, actor)
    found = undoing.acts_of(tenant_id, [g.pk for g in groups], actor)
    acts = {
        pk: act
        for pk, act in found.items()
        if act["kind"] != "resolved" or pk in closed
    }
    acts = undoing.reopen(tenant_id, acts, actor)
    mine = [g for g in groups if g.pk in acts]
    change(
        mine,
        lambda g: undoing.values_before(acts[g.pk]),
        "noted",
        actor,
        reason="undone",
        data={"what": "undo"},
    )
    for group in mine:
        undoing.revive(tenant_id, group.pk, acts[group.pk])
    runs.watch(tenant_id, [g.pk for g in mine if g.state == "acknowledged"])
    again = [g for g in mine if g.pk in closed]
    finish(tenant_id, again, "reopened", actor)
    others = [g for g in mine if g.pk not in closed]
    finish(tenant_id, others, "noted", actor, reason="undone")
    return outcomes(mine, otherwise="too_late")


DO: Mapping[str, Act] = {
    "acknowledge": acknowledge,
    "unacknowledge": unacknowledge,
    "snooze": snooze,
    "resolve": resolve,
    "assign": assign,
    "escalate": escalate_now,
    "restart": restart,
    "undo": undo,
}


def repage_forgotten(limit: int = 200) -> int:
    """Let policies begin anew where an acknowledgement lasted as long as it may, in the
    tenants of the context. Returns 0, as wake_snoozed does."""
    for tenant_id, ids in runs.outlasted(limit).items():
        try:
            with transaction.atomic():
                unacknowledge(tenant_id, ids, actor=THE_ENGINE, reason="ack_over")
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            log.exception("repage_failed", extra={"tenant": str(tenant_id)})
    undoing.forget_old()
    return 0


def wake_snoozed(limit: int = 200) -> int:
    """Wake groups whose snooze is over, in the tenants of the context.

    Returns 0: what could not be woken is tried at the next interval, not at once.
    """
    due = (
        Group.objects.select_for_update(skip_locked=True)
        .filter(state="snoozed", snooze_until__lte=Now())
        .order_by("pk")[:limit]
    )
    by_tenant: dict[UUID, list[UUID]] = {}
    for group in due:
        by_tenant.setdefault(group.tenant_id, []).append(group.pk)
    for tenant_id, ids in by_tenant.items():
        try:
            with transaction.atomic():
                unacknowledge(tenant_id, ids, actor=THE_ENGINE, reason="snooze_over")
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            # One tenant's trouble must not keep the others' groups asleep.
            log.exception("wake_failed", extra={"tenant": str(tenant_id)})
    return 0
