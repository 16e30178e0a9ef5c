"""Can a policy end in nobody, and why? Looked at a month ahead.

A policy is sound if one of its steps tells somebody for certain: no condition may keep
it from being done, and whom it tells is there whenever it comes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from escalation import oncall, rota
from escalation.hours import Span
from escalation.models.team import TeamMember
from escalation.steps import fields
from escalation.steps.base import of
from escalation.steps.registry import WAIT, kinds, who
from notifications import recipients
from notifications.models import Channel, Contact
from tenants.models import Member

AHEAD = timedelta(days=30)
Plan = Mapping[str, Any]
Snapshot = Mapping[str, Any]


@dataclass(frozen=True)
class Weakness:
    """Why one step (by its number; 0: the policy) is not certain to tell somebody."""

    step: int
    code: str
    who: str = ""
    at: datetime | None = None


@dataclass(frozen=True)
class Cover:
    """How a schedule is covered: the first gap ahead, and whether there is nothing
    else; `then`: whether somebody is next; `too_much`: nobody can say."""

    gap: datetime | None = None
    never: bool = False
    then: bool = True
    too_much: bool = False


@dataclass(frozen=True)
class Facts:
    """Who and what is there, by id."""

    channels: frozenset[str] = frozenset()
    members: frozenset[str] = frozenset()  # active
    reached: frozenset[str] = frozenset()  # and with an address
    teams: Mapping[str, Sequence[str]] = field(default_factory=dict)
    schedules: Mapping[str, Cover] = field(default_factory=dict)


def judge(
    snapshot: Snapshot,
    facts: Facts,
    others: Mapping[str, Snapshot] | None = None,
    seen: frozenset[str] = frozenset(),
) -> list[Weakness]:
    """Return why a policy may end in nobody; [] if it cannot.

    `others`: the policies it may hand over to, by id; `seen`: those that led here.
    """
    found: list[Weakness] = []
    behind = skipped_by = 0
    seen |= {str(snapshot.get("policy", ""))}
    for number, plan in enumerate(snapshot["steps"], 1):
        kind = kinds().get(plan["kind"])
        if kind is None or plan["kind"] == WAIT:
            continue
        passed_over, skipped_by = skipped_by, 0
        if kind.condition:
            otherwise = of(plan, "otherwise")
            if otherwise == fields.WAIT and kind.clock:
                continue  # it comes, only later
            if otherwise in (fields.WAIT, fields.STOP):
                behind = behind or number
            else:
                skipped_by = number
            continue
        if plan["kind"] == "resolve" and not passed_over:
            break
        weak = _conditional(number, plan, behind or passed_over)
        if plan["kind"] == "hand_over":
            weak = weak or _elsewhere(number, plan, facts, others or {}, seen)
        elif kind.tells:
            weak = weak or _target(number, plan, facts)
        else:
            continue
        if weak is None:
            return []
        found.append(weak)
    return found or [Weakness(0, "no_step")]


def _conditional(number: int, plan: Plan, condition: int) -> Weakness | None:
    if not condition:
        return None
    return Weakness(number, "condition", str(condition))


def _elsewhere(
    number: int,
    plan: Plan,
    facts: Facts,
    others: Mapping[str, Snapshot],
    seen: frozenset[str],
) -> Weakness | None:
    pk = str(of(plan, "policy"))
    name = plan.get("names", {}).get(pk, "")
    if pk in seen:
        return Weakness(number, "circle", name)
    other = others.get(pk)
    if other is None or judge(other, facts, others, seen):
        return Weakness(number, "other_policy", name)
    return None


def _target(number: int, plan: Plan, facts: Facts) -> Weakness | None:
    """Return why whom a step tells may not be there."""
    name, kind = who(plan), plan["kind"]
    if kind in ("channel", "webhook"):
        there = of(plan, "channel") in facts.channels
        return None if there else Weakness(number, "channel_gone", name)
    if kind in ("oncall", "oncall_next"):
        return _on_call(number, plan, facts, name)
    if kind == "skilled":
        return Weakness(number, "skill", name)
    return _people(number, _meant(plan, facts), facts, name)


def _meant(plan: Plan, facts: Facts) -> Sequence[str]:
    if plan["kind"] == "member":
        return [str(of(plan, "member"))]
    if team := of(plan, "team"):
        return facts.teams.get(str(team), ())
    return list(of(plan, "members") or ())


def _people(
    number: int, meant: Sequence[str], facts: Facts, name: str
) -> Weakness | None:
    there = [pk for pk in meant if pk in facts.members]
    if not there:
        return Weakness(number, "nobody", name)
    if not set(there) <= facts.reached:
        return Weakness(number, "no_address", name)
    return None


def _on_call(number: int, plan: Plan, facts: Facts, name: str) -> Weakness | None:
    cover = facts.schedules.get(str(of(plan, "schedule")), Cover(never=True))
    if cover.never:
        return Weakness(number, "never", name)
    if cover.too_much:
        return Weakness(number, "too_much", name)
    if plan["kind"] == "oncall_next":
        return None if cover.then else Weakness(number, "no_next", name)
    if cover.gap and of(plan, "nobody") != fields.WAIT_FOR:
        return Weakness(number, "gap", name, cover.gap)
    return None


# --- reading ---


def of_policies(
    tenant_id: UUID, snapshots: Mapping[UUID, Snapshot], now: datetime
) -> dict[UUID, list[Weakness]]:
    """Return the weaknesses of policies, read in a handful of statements."""
    facts = facts_for(tenant_id, snapshots.values(), now)
    others = {str(pk): one for pk, one in snapshots.items()}
    return {pk: judge(one, facts, others) for pk, one in snapshots.items()}


def facts_for(tenant_id: UUID, snapshots: Iterable[Snapshot], now: datetime) -> Facts:
    """Return what there is to know of these policies."""
    plans = [plan for one in snapshots for plan in one["steps"]]
    schedules = {str(pk) for plan in plans if (pk := of(plan, "schedule"))}
    mine = {"tenant_id": tenant_id}
    channels = Channel.objects.filter(**mine, active=True)
    active = {
        str(pk): bool(mail)
        for pk, mail in Member.objects.filter(**mine, active=True).values_list(
            "pk", "user__email"
        )
    }
    contacts = Contact.objects.filter(**mine).values_list("member_id", flat=True)
    written = {str(pk) for pk in contacts.distinct()}
    teams: dict[str, list[str]] = {}
    for team, member in (
        TeamMember.objects.filter(**mine)
        .order_by("position", "id")
        .values_list("team_id", "member_id")
    ):
        teams.setdefault(str(team), []).append(str(member))
    return Facts(
        channels=frozenset(str(c.pk) for c in channels if recipients.for_channel(c)),
        members=frozenset(active),
        reached=frozenset(pk for pk, mail in active.items() if mail or pk in written),
        teams=teams,
        schedules=_covers(tenant_id, schedules, now),
    )


def _covers(tenant_id: UUID, ids: Iterable[str], now: datetime) -> dict[str, Cover]:
    within = Span(now, now + AHEAD)
    wanted = [UUID(pk) for pk in ids]
    found = oncall.load(tenant_id, wanted, within) if wanted else {}
    return {str(pk): _cover(one, within) for pk, one in found.items()}


def _cover(found: rota.Rota, within: Span) -> Cover:
    if not rota.Budget().takes(found, within):
        return Cover(too_much=True)
    gaps = rota.gaps(found, within)
    return Cover(
        gap=gaps[0].starts_at if gaps else None,
        never=gaps == [within],
        then=bool(rota.coming(found, within.starts_at).then),
    )
