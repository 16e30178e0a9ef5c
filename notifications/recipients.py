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
    member = (
        Member.objects.filter(tenant_id=tenant_id, pk=member_id, active=True)
        .select_related("user")
        .first()
    )
    if member is None:
        return []
    found = [
        address
        for contact in Contact.objects.filter(tenant_id=tenant_id, member=member)
        for address in _of_contact(contact)
    ]
    if found or not member.user.email:
        return found
    return [("email", None, member.user.email)]


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


def _of_contact(contact: Contact) -> list[Address]:
    spec = spec_of(contact.kind).contact
    if spec is None:
        return []
    if not spec.needs_channel:
        return [(contact.kind, None, contact.address)]
    # Written to through the tenant's first channel of the kind: its Slack app.
    channel = (
        Channel.objects.filter(
            tenant_id=contact.tenant_id, kind=contact.kind, active=True
        )
        .order_by("created_at", "id")
        .first()
    )
    return [(contact.kind, channel.pk, contact.address)] if channel else []
