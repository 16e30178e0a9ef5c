"""Which mailboxes want no more mails of a tenant, and who said so?

Stopping and resuming are audited; both do nothing when it is so already. Every function
needs the tenant's context.
"""

from __future__ import annotations

from uuid import UUID

from notifications.models import StoppedAddress
from tenants import audit
from tenants.actors import LINK, MEMBER, Actor
from tenants.models import Member

STOPPED = "This address has asked for no more mails."


def is_stopped(tenant_id: UUID, address: str) -> bool:
    """Whether the mailbox wants nothing of this tenant."""
    rows = StoppedAddress.objects.filter(tenant_id=tenant_id, address=as_key(address))
    return rows.exists()


def stop(tenant_id: UUID, address: str, *, actor: Actor) -> bool:
    """Send no more mails there; return whether that is new."""
    row = StoppedAddress(
        tenant_id=tenant_id, address=as_key(address), stopped_by=actor.label[:200]
    )
    if is_stopped(tenant_id, address):
        return False
    # Two requests at once: the unique key lets one of them in.
    StoppedAddress.objects.bulk_create([row], ignore_conflicts=True)
    _note(tenant_id, "mail.stopped", address, actor)
    return True


def resume(tenant_id: UUID, address: str, *, actor: Actor) -> bool:
    """Send mails there again; return whether that is new."""
    rows = StoppedAddress.objects.filter(tenant_id=tenant_id, address=as_key(address))
    gone, _by_model = rows.delete()
    if gone:
        _note(tenant_id, "mail.resumed", address, actor)
    return bool(gone)


def reader_of(tenant_id: UUID, member_id: UUID | None, address: str) -> Actor:
    """Return who says so by the link in a mail: the member, else the mailbox."""
    members = Member.objects.filter(tenant_id=tenant_id)
    member = members.filter(pk=member_id).first() if member_id else None
    if member is not None:
        return Actor(MEMBER, str(member.pk), member.name)
    return Actor(LINK, address[:100], address)


def as_key(address: str) -> str:
    return address.strip().casefold()[:320]


def _note(tenant_id: UUID, act: str, address: str, actor: Actor) -> None:
    key = as_key(address)
    audit.record(tenant_id, actor, act, kind="address", object_id=key)
