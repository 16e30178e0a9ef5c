"""How does a policy feel, a minute of it in a second? A walk that tells nobody.

The same steps walk as on the policy's timeline, of books in which nothing moves; no
group, run or delivery is made. What would have been sent is written into the simulated
outbox, each message with the moment at which it will be seen there, so that neither a
process nor a timer has to play the run, and stopping it is deleting what is to come.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models.functions import Now
from django.utils import translation
from django.utils.translation import gettext as _

from alertcenter.alerts.lifecycle import database_time
from escalation.explain import planned
from escalation.models import DryRun
from escalation.steps.base import Repeat, Supposed, Target
from escalation.steps.walk import Course, Event
from notifications import localize, rendering
from notifications.message import Message
from notifications.models import Channel, SimulatedMessage
from tenants import audit
from tenants.actors import Actor
from tenants.models import Member, Tenant

SPEED = 60
LONGEST = 24 * 3600.0  # supposed seconds: 24 minutes of a walk
MOST_EVENTS, MOST_MESSAGES = 100, 300
KEPT = timedelta(days=1)


@dataclass(frozen=True)
class Call:
    """Somebody is told at a moment of the walk."""

    after: float
    target: Target


def begin(
    tenant_id: UUID, policy_id: UUID, at: datetime, group: Supposed, *, actor: Actor
) -> DryRun | None:
    """Walk the policy for a group that opens at `at`; None without the policy.

    A walk of the same policy that is still under way ends.
    """
    found = planned.course(tenant_id, policy_id, at, group)
    if found is None:
        return None
    rows = DryRun.objects.filter(tenant_id=tenant_id)
    for other in rows.filter(policy_id=policy_id, stopped_at=None):
        stop(other)
    rows.filter(created_at__lt=Now() - KEPT).delete()
    events = [event for event in found.events if _after(event, at) <= LONGEST]
    events = events[:MOST_EVENTS]
    whole = len(events) == len(found.events)
    calls = _calls(events, at)
    run = DryRun.objects.create(
        tenant_id=tenant_id,
        policy_id=policy_id,
        created_at=database_time(),
        by=actor.label[:200],
        begins_at=at,
        severity=group.severity,
        labels=dict(group.labels),
        events=[_kept(event, at) for event in events],
        ends=found.ends if whole else "long",
        ends_after=_ends(found, at) if whole else _last(events, calls, at),
    )
    _write(run, calls)
    _note(run, actor, "begun", messages=len(calls))
    return run


def stop(run: DryRun, actor: Actor | None = None) -> bool:
    """End a walk: what is to come does not. Returns whether it was under way."""
    mine = DryRun.objects.filter(tenant_id=run.tenant_id, pk=run.pk, stopped_at=None)
    now = database_time()
    if Progress(run, now).over or not mine.update(stopped_at=now):
        return False
    run.stopped_at = now
    messages(run).filter(at__gt=now).delete()
    if actor:
        _note(run, actor, "stopped")
    return True


def mark(run_id: UUID) -> str:
    """Return what all messages of a walk bear in the outbox."""
    return f"dry/{run_id.hex}"


def messages(run: DryRun) -> Any:
    """Return what a walk left in the outbox, in its order."""
    rows = SimulatedMessage.objects.filter(tenant_id=run.tenant_id, ts=mark(run.pk))
    return rows.order_by("at", "id")


class Progress:
    """How far a walk has come at a moment."""

    def __init__(self, run: DryRun, now: datetime) -> None:
        until = min(now, run.stopped_at or now)
        self.after = (until - run.created_at).total_seconds() * SPEED
        told = [t["after"] for event in run.events for t in event["told"]]
        self.last = max([run.ends_after, *told])
        self.over = run.stopped_at is not None or self.after >= self.last
        self.after = min(self.after, self.last)


# --- what is kept of the walk ---


def _after(event: Event, begin: datetime) -> float:
    return (event.at - begin).total_seconds()


def _ends(found: Course, begin: datetime) -> float:
    return (found.ends_at - begin).total_seconds()


def _last(events: Sequence[Event], calls: Sequence[Call], begin: datetime) -> float:
    moments = [_after(event, begin) for event in events]
    return max([0.0, *moments, *(call.after for call in calls)])


def _kept(event: Event, begin: datetime) -> dict[str, Any]:
    """Return an event as JSON; people and channels by id, sentences by the plan."""
    after = _after(event, begin)
    return {
        "after": after,
        "policy": event.policy,
        "position": event.position,
        "round": event.round,
        "plan": dict(event.plan),
        "who": event.found.who,
        "reason": event.found.reason,
        "repeats": isinstance(event.found.then, Repeat),
        "told": [
            {
                "after": after + target.seconds,
                "kind": target.kind,
                "member": str(target.member_id or ""),
                "channel": str(target.channel_id or ""),
            }
            for target in event.found.targets
            if after + target.seconds <= LONGEST
        ],
    }


def _calls(events: Sequence[Event], begin: datetime) -> list[Call]:
    """Return who is told when; a policy may tell more than an outbox should hold."""
    found = [
        Call(_after(event, begin) + target.seconds, target)
        for event in events
        for target in event.found.targets
    ]
    found.sort(key=lambda call: call.after)
    return [call for call in found if call.after <= LONGEST][:MOST_MESSAGES]


# --- what would have been sent ---


def _write(run: DryRun, calls: Sequence[Call]) -> None:
    """Put the messages where nothing leaves the house, each at its moment."""
    tenant = Tenant.objects.get(pk=run.tenant_id)
    readers = Readers(tenant, calls)
    said: dict[tuple[str, str, str], rendering.Words] = {}
    rows = []
    for call in calls:
        language, zone = readers.of(call.target)
        key = call.target.kind, language, zone
        if key not in said:
            said[key] = _words(run, tenant, *key)
        rows.append(
            SimulatedMessage(
                tenant_id=run.tenant_id,
                kind=call.target.kind,
                channel_id=call.target.channel_id,
                address=call.target.address[:400],
                ts=mark(run.pk),
                at=run.created_at + timedelta(seconds=call.after / SPEED),
                payload=_payload(call.target, said[key]),
            )
        )
    SimulatedMessage.objects.bulk_create(rows)


def _payload(target: Target, words: rendering.Words) -> dict[str, Any]:
    """Return what the outbox shows. Slack's cards have no subject: it is the text's
    first line."""
    text = words.body
    if target.kind == "slack":
        text = f"*{words.title}*\n{text}"
    return {
        "to": target.address,
        "subject": words.title,
        "text": text,
        "member": str(target.member_id or ""),
    }


def _words(
    run: DryRun, tenant: Tenant, kind: str, language: str, zone: str
) -> rendering.Words:
    """Return the message in a reader's words, marked as what it is."""
    with translation.override(localize.interface_language(language)):
        dry = _("[DRY RUN]")
        plain = _("This is a dry run of a policy. Nothing is wrong; nobody was told.")
        title = str(run.labels.get("alertname") or _("A supposed alert"))
    message = Message(
        kind="firing",
        tenant=tenant.name,
        title=title,
        severity=run.severity,
        state="firing",
        number=0,
        group_id="",
        url=settings.BASE_URL,
        labels=dict(run.labels),
        opened_at=run.begins_at.isoformat(),
        changed_at=run.begins_at.isoformat(),
        firing_count=1,
        alert_count=1,
    )
    found = rendering.words(
        tenant.pk,
        message,
        channel_kind=kind,
        language=language,
        fallback=tenant.language,
        time_zone=zone,
    )
    return rendering.Words(f"{dry} {found.title}", f"{plain}\n\n{found.body}")


class Readers:
    """In which language and zone is somebody told? As deliveries are."""

    def __init__(self, tenant: Tenant, calls: Sequence[Call]) -> None:
        self.tenant = tenant
        people = {call.target.member_id for call in calls if call.target.member_id}
        places = {call.target.channel_id for call in calls if call.target.channel_id}
        rows = Member.objects.filter(tenant_id=tenant.pk, pk__in=people)
        self.members: Mapping[UUID, Member] = rows.in_bulk()
        channels = Channel.objects.filter(tenant_id=tenant.pk, pk__in=places)
        self.channels: Mapping[UUID, Channel] = channels.in_bulk()

    def of(self, target: Target) -> tuple[str, str]:
        member = self.members.get(target.member_id) if target.member_id else None
        channel = self.channels.get(target.channel_id) if target.channel_id else None
        language = (
            (member.language if member else "")
            or (channel.language if channel else "")
            or self.tenant.language
        )
        zone = (member.time_zone if member else "") or self.tenant.time_zone
        return language, zone


def _note(run: DryRun, actor: Actor, verb: str, **data: Any) -> None:
    audit.record(
        run.tenant_id,
        actor,
        f"policy.dry_run_{verb}",
        kind="policy",
        object_id=run.policy_id,
        **data,
    )
