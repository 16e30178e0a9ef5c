"""How does a person call another one, past every policy?"""

from __future__ import annotations

from uuid import UUID

from django.conf import settings

from alertcenter.alerts import lifecycle
from alertcenter.alerts.lifecycle import Change
from alertcenter.alerts.models import Group
from escalation import threads
from escalation.acting import Outcome
from escalation.messages import message_for
from notifications import outbox, recipients
from notifications.message import Message
from tenants import audit
from tenants.actors import Actor
from tenants.models import Member, Tenant

URGENT = 4


def add(
    tenant_id: UUID, group_id: UUID, member_id: UUID, *, actor: Actor, once: str
) -> Outcome:
    """Page a member about a group that is open; `once` names this very call.

    The outcome's reason is done, resolved, not_found or no_address. Raises
    Member.DoesNotExist.
    """
    member = Member.objects.get(tenant_id=tenant_id, pk=member_id, active=True)
    found = Group.objects.select_for_update(of=("self",)).select_related("route")
    group = found.filter(tenant_id=tenant_id, pk=group_id).first()
    if group is None:
        return Outcome(group_id, 0, False, "not_found", "")
    if group.state == "resolved":
        return Outcome(group_id, group.number, False, "resolved", group.state)
    # Before the page is written: who is called reads the page, the others this line.
    threads.refresh(
        tenant_id, [group], kind="told", actor=actor.label, data={"who": member.name}
    )
    message = message_for(group)
    if not _page(tenant_id, member, message, once, group_id):
        return Outcome(group_id, group.number, False, "no_address", group.state)
    change = Change(
        tenant_id,
        "paged",
        group_id=group_id,
        from_state=group.state,
        to_state=group.state,
        reason="responder",
        data={"who": member.name, "member": str(member.pk)},
    )
    lifecycle.tell([change], actor=actor)
    audit.record(
        tenant_id,
        actor,
        "group.responder_added",
        kind="group",
        object_id=group_id,
        number=group.number,
        member=str(member.pk),
    )
    return Outcome(group_id, group.number, True, "done", group.state)


def call(
    tenant_id: UUID, member_id: UUID, words: str, *, actor: Actor, once: str
) -> bool:
    """Page a member about nothing but these words; False without any address.

    Raises Member.DoesNotExist.
    """
    member = Member.objects.get(tenant_id=tenant_id, pk=member_id, active=True)
    tenant = Tenant.objects.get(pk=tenant_id)
    now = lifecycle.database_time().isoformat()
    message = Message(
        kind="firing",
        tenant=tenant.name,
        title=f"{actor.label}: {words}",
        severity=URGENT,
        state="firing",
        number=0,
        group_id="",
        url=f"{settings.BASE_URL}/t/{tenant.slug}/",
        opened_at=now,
        changed_at=now,
    )
    if not _page(tenant_id, member, message, once, None):
        return False
    audit.record(tenant_id, actor, "member.called", kind="member", object_id=member_id)
    return True


def _page(
    tenant_id: UUID, member: Member, message: Message, once: str, group_id: UUID | None
) -> bool:
    """Write the pages; whether there was any address."""
    targets = recipients.for_member(tenant_id, member.pk)
    entries = [
        outbox.Entry(
            idem=f"called/{once}/{member.pk}/{channel_id or kind}:{address}",
            message=message,
            channel_id=channel_id,
            channel_kind=kind,
            member_id=member.pk,
            address=address,
            group_id=group_id,
            severity=message.severity,
        )
        for kind, channel_id, address in targets
    ]
    outbox.put(tenant_id, entries)
    return bool(entries)
