"""Who is it that acts in Slack? A member by his contact, or a stranger with a link.

The link is signed, names the Slack account, and works for whoever is logged in as a
member when he opens it, for an hour.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.urls import reverse
from django.utils.translation import gettext as _

from alertcenter.api.slack_said import link
from notifications.models import Contact
from tenants.actors import MEMBER, Actor
from tenants.models import Member

SALT = "slack-connect"
GOOD_FOR = 3600
# https://docs.slack.dev/messaging/formatting-message-text#mentioning-users
MENTION = re.compile(r"<@([UW][A-Z0-9]{2,30})(?:\|[^>]*)?>")
# https://docs.slack.dev/reference/objects/user-object
USER_ID = re.compile(r"[UW][A-Z0-9]{2,30}")


@dataclass(frozen=True)
class Stranger:
    """A Slack account that nobody has claimed."""

    tenant_id: UUID
    user_id: str
    name: str
    team: str


def member_of(tenant_id: UUID, user_id: str) -> Member | None:
    """Return the active member with this Slack user id."""
    contact = (
        Contact.objects.select_related("member__user")
        .filter(
            tenant_id=tenant_id,
            kind="slack",
            address=user_id,
            member__active=True,
            member__user__is_active=True,
        )
        .first()
    )
    return contact.member if contact else None


def actor_of(member: Member) -> Actor:
    return Actor(MEMBER, str(member.pk), member.name)


def mentioned(tenant_id: UUID, text: str) -> Member | None:
    """Return whom `<@U1|bob>`, `@bob`, a name or an address means; None for nobody,
    and where it could be several."""
    if found := MENTION.fullmatch(text):
        return member_of(tenant_id, found[1])
    name = text.removeprefix("@").strip()
    if not name:
        return None
    rows = Member.objects.filter(tenant_id=tenant_id, active=True)
    for condition in ("user__username__iexact", "user__email__iexact", "name__iexact"):
        members = list(rows.filter(**{condition: name})[:2])
        if len(members) == 1:
            return members[0]
    return None


def invitation(stranger: Stranger) -> str:
    """Return what an unknown person is told, with the link that makes him known."""
    said = _("Your Slack account belongs to no member here.")
    if not USER_ID.fullmatch(stranger.user_id):
        return said
    ticket = signing.dumps(
        [str(stranger.tenant_id), stranger.user_id, stranger.name, stranger.team],
        salt=SALT,
        compress=True,
    )
    url = settings.BASE_URL + reverse("slack-connect", args=[ticket])
    return f"{said} {link(url, _('Connect it to your account'))}."


def invited(ticket: str) -> Stranger | None:
    """Return whom a link was made for; None once it is old, or was never ours."""
    try:
        tenant_id, user_id, name, team = signing.loads(
            ticket, salt=SALT, max_age=GOOD_FOR
        )
        return Stranger(UUID(tenant_id), user_id, name, team)
    except (signing.BadSignature, ValueError, TypeError):
        return None
