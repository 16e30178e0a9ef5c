"""How does a browser become one of a member's contacts, and stop being one?"""

from __future__ import annotations

import hashlib
import json
import re
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import Max
from django.utils.translation import gettext as _

from alertcenter.common.outbound import OutboundError, check_url
from notifications.channels import push_crypto
from notifications.models import Contact, PushSubscription
from tenants import audit
from tenants.actors import THE_ENGINE, Actor
from tenants.models import Member

KIND = "push"
MOST_BROWSERS = 10  # of one member
LONGEST_ENDPOINT = 2_000
SHOWN_DIGEST = 12
# The order matters: Edge and Opera also call themselves Chrome, Chrome Safari.
BROWSERS = ("Edg", "OPR", "Firefox", "Chrome", "Safari")
NAMES = {"Edg": "Edge", "OPR": "Opera"}
SYSTEMS = ("Android", "iPhone", "iPad", "Windows", "Mac OS", "CrOS", "Linux")
ADDRESS = re.compile(r"[\w -]{1,60} [0-9a-f]{12}")


def digest_of(endpoint: str) -> str:
    return hashlib.sha256(endpoint.encode()).hexdigest()


def known(tenant_id: UUID, member_id: UUID) -> list[str]:
    """Return the digests of the member's browsers."""
    rows = PushSubscription.objects.filter(
        tenant_id=tenant_id, contact__member_id=member_id
    )
    return list(rows.values_list("digest", flat=True))


def subscribe(
    member: Member, given: object, *, agent: str, actor: Actor
) -> PushSubscription:
    """Keep a browser's subscription, PushSubscription.toJSON() of the Push API.

    A browser that another member of the tenant used before is his no more. Raises
    ValidationError.
    """
    secret = _checked(given)
    endpoint = secret["endpoint"]
    digest = digest_of(endpoint)
    Member.objects.select_for_update().get(pk=member.pk)
    mine = Contact.objects.filter(tenant_id=member.tenant_id, member=member)
    forget(member.tenant_id, digest)
    if mine.filter(kind=KIND).count() >= MOST_BROWSERS:
        raise ValidationError(_("These are too many browsers; remove one first."))
    last = mine.aggregate(last=Max("position"))["last"] or 0
    contact = Contact.objects.create(
        tenant_id=member.tenant_id,
        member=member,
        kind=KIND,
        address=f"{name_of(agent)} {digest[:SHOWN_DIGEST]}",
        position=last + 1,
    )
    row = PushSubscription.objects.create(
        tenant_id=member.tenant_id,
        contact=contact,
        digest=digest,
        secret=json.dumps(secret),
    )
    _note(contact, "create", actor)
    return row


def unsubscribe(member: Member, endpoint: str, *, actor: Actor) -> bool:
    """Forget one of the member's browsers; return whether it was known."""
    row = (
        PushSubscription.objects.filter(
            tenant_id=member.tenant_id,
            contact__member=member,
            digest=digest_of(endpoint),
        )
        .select_related("contact")
        .first()
    )
    if row is None:
        return False
    _note(row.contact, "delete", actor)
    row.contact.delete()
    return True


def forget(tenant_id: UUID, digest: str) -> None:
    """Remove the contact of a browser, whosever it is."""
    found = Contact.objects.filter(
        tenant_id=tenant_id, push_subscriptions__digest=digest
    )
    for contact in found:
        _note(contact, "delete", THE_ENGINE)
        contact.delete()


def name_of(agent: str) -> str:
    """Return "Chrome Windows" for a User-Agent header."""
    browser = next((word for word in BROWSERS if word in agent), "")
    system = next((word for word in SYSTEMS if word in agent), "")
    words = (NAMES.get(browser, browser), system.replace("Mac OS", "Mac"))
    return " ".join(word for word in words if word) or "Browser"


def _checked(given: object) -> dict[str, str]:
    broken = ValidationError(_("This is no subscription of a browser."))
    if not isinstance(given, dict) or not isinstance(given.get("keys"), dict):
        raise broken
    values = {"endpoint": given.get("endpoint"), **given["keys"]}
    wanted = {name: values.get(name) for name in ("endpoint", "p256dh", "auth")}
    if not all(isinstance(value, str) for value in wanted.values()):
        raise broken
    found = {name: str(value) for name, value in wanted.items()}
    try:
        if len(found["endpoint"]) > LONGEST_ENDPOINT:
            raise broken
        check_url(found["endpoint"])
        push_crypto.check_keys(found["p256dh"], found["auth"])
    except (OutboundError, push_crypto.BadKeys) as error:
        raise broken from error
    return found


def _note(contact: Contact, verb: str, actor: Actor) -> None:
    audit.record(
        contact.tenant_id,
        actor,
        f"contact.{verb}",
        kind="contact",
        object_id=contact.pk,
        name=str(contact),
    )
