"""Whom does a signed link act as, and may they still?

A member's link acts as the member, as long as they are one, may act, and are reached
at the address that it was sent to: who loses a telephone removes its contact. A
channel's link acts as whoever reads the channel: as long as the channel is there, and
of a mail as long as the address stands among the channel's.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from notifications.channels.registry import spec_of
from notifications.models import Channel, Contact
from notifications.signing import ActLink, address_mark
from tenants import roles
from tenants.actors import LINK, MEMBER, Actor
from tenants.models import Member, Tenant


@dataclass(frozen=True)
class Holder:
    """The reader of a link."""

    actor: Actor
    language: str
    time_zone: str


def holder_of(link: ActLink) -> Holder | None:
    """Return whom the link acts as; None when nobody may by it any more.

    Needs the tenant's context.
    """
    tenant = Tenant.objects.get(pk=link.tenant_id)
    if link.member_id is not None:
        return _member(tenant, link.member_id, link.mark)
    if link.channel_id is not None:
        return _channel(tenant, link.channel_id, link.mark)
    return None


def _member(tenant: Tenant, member_id: UUID, mark: bytes) -> Holder | None:
    member = (
        Member.objects.select_related("user")
        .filter(tenant_id=tenant.pk, pk=member_id, active=True)
        .filter(user__is_active=True)
        .first()
    )
    if member is None or not roles.may(member.role, roles.ACT):
        return None
    if not any(address_mark(one) == mark for one in _addresses(member)):
        return None
    language = member.language or tenant.language
    actor = Actor(MEMBER, str(member.pk), member.name)
    return Holder(actor, language, member.time_zone or tenant.time_zone)


def _addresses(member: Member) -> list[str]:
    """Return where the member is reached, the login's own mailbox among it."""
    rows = Contact.objects.filter(tenant_id=member.tenant_id, member_id=member.pk)
    return [*rows.values_list("address", flat=True), member.user.email]


def _channel(tenant: Tenant, channel_id: UUID, mark: bytes) -> Holder | None:
    channel = Channel.objects.filter(
        tenant_id=tenant.pk, pk=channel_id, active=True
    ).first()
    if channel is None or channel.settings.get("links") is False:
        return None
    addresses = spec_of(channel.kind).addresses(channel.settings)
    mine = next((a for a in addresses if address_mark(a) == mark), None)
    if mine is None:
        return None
    actor = Actor(LINK, str(channel.pk), mine or channel.name)
    language = channel.language or tenant.language
    return Holder(actor, language, tenant.time_zone)
