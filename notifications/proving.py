"""Is this telephone really the member's? A code is sent to it, and typed in here.

Numbers that nobody has proven are never used (notifications/recipients.py). A code is
good for ten minutes and five tries; few are sent, as each costs money and may disturb a
stranger.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import F
from django.db.models.functions import Now
from django.utils import translation
from django.utils.translation import gettext as _

from alertcenter.common.crypto import keyed_hash
from alertcenter.common.ids import uuid7
from notifications import localize, recipients, testing
from notifications.channels.base import DeliveryError, Parcel
from notifications.channels.registry import channel_of, spec_of
from notifications.models import Channel, Contact
from tenants import audit
from tenants.actors import Actor
from tenants.models import Audit, Tenant
from tenants.rls import in_tenant

DIGITS = 6
LIFE = timedelta(minutes=10)
MOST_TRIES = 5
PAUSE = timedelta(minutes=1)
DAY = timedelta(days=1)
MOST_A_DAY = 5  # to one number
MOST_A_DAY_OF_ALL = 50  # of one tenant
SENT = "contact.code"


class NotSent(Exception):
    """No code went out; the sentence says why."""


def send_code(tenant_id: UUID, contact_id: UUID, *, actor: Actor) -> str:
    """Send a new code, and return the provider's answer. Raises NotSent.

    Call it with no transaction open: what is sent goes over the network.
    """
    with in_tenant(tenant_id):
        parcel = _prepared(tenant_id, contact_id)
        audit.record(
            tenant_id,
            actor,
            SENT,
            kind="contact",
            object_id=contact_id,
            by=parcel.channel_kind,
            address=parcel.address,
        )
    try:
        receipt = channel_of(parcel.channel_kind).send(parcel)
    except DeliveryError as error:
        raise NotSent(error.reason) from error
    return receipt.answer


def prove(tenant_id: UUID, contact_id: UUID, typed: str, *, actor: Actor) -> str:
    """Return what became of a try: done, wrong, expired or too_many.

    In the tenant's transaction, which must be committed whatever is returned.
    """
    contact = (
        Contact.objects.select_for_update()
        .filter(tenant_id=tenant_id, pk=contact_id)
        .exclude(code_hash="")
        .filter(code_sent_at__gt=Now() - LIFE)
        .first()
    )
    if contact is None:
        return "expired"
    if contact.code_tries >= MOST_TRIES:
        return "too_many"
    row = Contact.objects.filter(tenant_id=tenant_id, pk=contact_id)
    row.update(code_tries=F("code_tries") + 1)
    digits = "".join(sign for sign in typed if sign in "0123456789")
    if not hmac.compare_digest(contact.code_hash, _hash(contact, digits)):
        return "wrong"
    row.update(verified_at=Now(), stopped_at=None, code_hash="")
    audit.record(
        tenant_id, actor, "contact.verified", kind="contact", object_id=contact_id
    )
    return "done"


def needs_proof(contact: Contact) -> bool:
    """Whether the contact is not used before its code was typed in."""
    spec = spec_of(contact.kind).contact
    return bool(spec and spec.proves and contact.verified_at is None)


def _prepared(tenant_id: UUID, contact_id: UUID) -> Parcel:
    contact = (
        Contact.objects.select_for_update(of=("self",))
        .select_related("member")
        .get(tenant_id=tenant_id, pk=contact_id)
    )
    channel = recipients.channel_for(contact)
    if channel is None:
        raise NotSent(_("No channel of this kind is switched on."))
    _take_one(contact)
    code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
    Contact.objects.filter(tenant_id=tenant_id, pk=contact_id).update(
        code_hash=_hash(contact, code), code_sent_at=Now(), code_tries=0
    )
    return _parcel(contact, channel, code)


def _take_one(contact: Contact) -> None:
    """Count the code that is to be sent. Raises NotSent.

    A member may delete a contact and write it anew, which then knows of no code; what
    was audited stays.
    """
    row = Contact.objects.filter(tenant_id=contact.tenant_id, pk=contact.pk)
    if row.filter(code_sent_at__gt=Now() - PAUSE).exists():
        raise NotSent(_("A code was just sent. Please wait a minute."))
    of_all = Audit.objects.filter(
        tenant_id=contact.tenant_id, action=SENT, at__gt=Now() - DAY
    )
    there = of_all.filter(data__by=contact.kind, data__address=contact.address)
    if there.count() >= MOST_A_DAY or of_all.count() >= MOST_A_DAY_OF_ALL:
        raise NotSent(_("Many codes were sent today. Please try again tomorrow."))


def _hash(contact: Contact, code: str) -> str:
    """The address is part of it: a code proves the number that it was sent to."""
    text = f"code|{contact.pk}|{contact.kind}|{contact.address}|{code}"
    return keyed_hash(settings.SECRET_KEY.encode(), text)


def _parcel(contact: Contact, channel: Channel, code: str) -> Parcel:
    tenant = Tenant.objects.get(pk=contact.tenant_id)
    member = contact.member
    language = member.language or tenant.language
    spoken = spec_of(contact.kind).words_like == "voice"
    with translation.override(localize.interface_language(language)):
        words = _("Your AlertCenter code is %(code)s.") % {
            "code": ", ".join(code) if spoken else code
        }
    return Parcel(
        delivery_id=uuid7(),
        tenant_id=tenant.pk,
        kind="answer",
        message=testing.about_nothing(tenant),
        channel_kind=contact.kind,
        channel_id=channel.pk,
        address=contact.address,
        settings=dict(channel.settings),
        secret=testing.secret_of(channel),
        language=language,
        time_zone=member.time_zone,
        title=words,
    )
