"""Where is a channel or a member reached?"""

from __future__ import annotations

from uuid import UUID

from notifications.channels.registry import spec_of
from notifications.models import Channel, Contact
from tenants.models import Member

Address = tuple[str, UUID | None, str]  # kind of channel, channel, address


def for_channel(channel: Channel) -> list[Address]:
    """Return the addresses behind a channel; "" where the channel is the address."""
    addresses = spec_of(channel.kind).addresses(channel.settings)
    return [(channel.kind, channel.pk, address) for address in addresses]


def for_member(tenant_id: UUID, member_id: UUID) -> list[Address]:
    """Return a member's addresses, by position; else the user's own mailbox."""
    contacts = Contact.objects.filter(
        tenant_id=tenant_id, member_id=member_id, member__active=True
    )
    found = [address for contact in contacts for address in of_contact(contact)]
    return found or mailbox_of(tenant_id, member_id)


def mailbox_of(tenant_id: UUID, member_id: UUID) -> list[Address]:
    """Return the mailbox of the member's own login, if there is one."""
    member = (
        Member.objects.filter(tenant_id=tenant_id, pk=member_id, active=True)
        .select_related("user")
        .first()
    )
    if member is None or not member.user.email:
        return []
    return [("email", None, member.user.email)]


def of_contact(contact: Contact) -> list[Address]:
    """Return where a contact is reached: nowhere without the channel it needs."""
    spec = spec_of(contact.kind).contact
    if spec is None or not may_be_used(contact):
        return []
    if not spec.needs_channel:
        return [(contact.kind, None, contact.address)]
    channel = channel_for(contact)
    return [(contact.kind, channel.pk, contact.address)] if channel else []


def channel_for(contact: Contact) -> Channel | None:
    """Return through which channel a contact is written to: the tenant's first one of
    the kind, such as its Slack app."""
    rows = Channel.objects.filter(
        tenant_id=contact.tenant_id, kind=contact.kind, active=True
    )
    return rows.order_by("created_at", "id").first()


def may_be_used(contact: Contact) -> bool:
    """Whether this address is known to be the member's, who wants to be told there."""
    spec = spec_of(contact.kind).contact
    proven = contact.verified_at is not None or not (spec and spec.proves)
    return proven and contact.stopped_at is None
