"""With what is signed what comes back to us from outside?

Slack signs with the channel's secret. Links in messages are signed by us: a link says
for itself whom it is for, what it does and until when, so that it works without a
login, and nobody can make another one. Channels without buttons of their own put
`act_links` into what they send; alertcenter.dashboard.signed answers them.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import struct
import time
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings

from alertcenter.common.crypto import keyed_hash
from notifications import localize
from notifications.channels.base import Parcel
from notifications.models import Channel
from tenants.fields import reveal


def signing_secret(channel: Channel) -> str:
    """Return the channel's own secret, else SLACK_SIGNING_SECRET, else "".

    In simulation, where nobody has to enter one, each channel has a secret that only
    this installation can compute. Needs the tenant's context.
    """
    stored = json.loads(reveal(channel, "secret") or "{}").get("signing_secret")
    if stored:
        return str(stored)
    if settings.SLACK_SIGNING_SECRET:
        return str(settings.SLACK_SIGNING_SECRET)
    if settings.SIMULATION:
        return keyed_hash(settings.SECRET_KEY.encode(), f"slack|{channel.pk}")
    return ""


# --- links in messages ---

# A page that nobody answered for a week is answered on the dashboard.
LIFE = timedelta(days=7)
SNOOZE_SECONDS = 3600
# What a link can do; a link holds the place in this list, so only append.
LINKED_ACTS = ("acknowledge", "resolve", "snooze", "unacknowledge")
ACT, SUBSCRIPTION, OPENED = 1, 2, 3  # what a token is for; the first byte of each
OF_MEMBER, OF_CHANNEL = 1, 2
MAC_BYTES = 16  # RFC 2104 5: half of the hash, and 80 bits at least
MARK_BYTES = 8
LONGEST_TOKEN = 700  # an address has 320 characters at most, and base64 a third more
ACT_BODY = struct.Struct(">BB16s16s16s8sI")


class BadLink(Exception):
    """Nobody here made this link."""


@dataclass(frozen=True)
class ActLink:
    """What an act's link says: who does what to which group, and until when.

    Who is a member, or whoever reads what a channel sends to the address whose mark
    this is. `expires_at` is in seconds since 1970.
    """

    tenant_id: UUID
    group_id: UUID
    act: str
    member_id: UUID | None
    channel_id: UUID | None
    mark: bytes
    expires_at: int

    @property
    def expired(self) -> bool:
        return time.time() > self.expires_at


@dataclass(frozen=True)
class Subscription:
    """Which tenant's mails to which address; the member if it is one's own."""

    tenant_id: UUID
    member_id: UUID | None
    address: str


def act_links(parcel: Parcel) -> list[tuple[str, str, str]]:
    """Return (act, label in the reader's language, URL) of what the reader may do.

    None for what has no group or reaches nobody in particular, and where a channel's
    setting `links` is off.
    """
    group_id = parcel.message.group_id
    nobody = parcel.member_id is None and parcel.channel_id is None
    off = parcel.settings.get("links") is False and parcel.member_id is None
    if parcel.kind == "test" or not group_id or nobody or off:
        return []
    return [
        (act, label_of(act, parcel.language), act_url(parcel, act))
        for act in parcel.message.actions
        if act in LINKED_ACTS
    ]


def label_of(act: str, language: str) -> str:
    return localize.action_label(act, language)


def act_url(parcel: Parcel, act: str) -> str:
    """Return the address of the page that offers `act`."""
    kind, whose = OF_MEMBER, parcel.member_id
    if whose is None:
        kind, whose = OF_CHANNEL, parcel.channel_id
    assert whose is not None
    body = ACT_BODY.pack(
        kind,
        LINKED_ACTS.index(act),
        parcel.tenant_id.bytes,
        UUID(parcel.message.group_id).bytes,
        whose.bytes,
        address_mark(parcel.address),
        int(time.time() + LIFE.total_seconds()),
    )
    return f"{settings.BASE_URL}/a/{seal(ACT, body)}"


def read_act(token: str) -> ActLink:
    """Return what an act's token says, expired or not. Raises BadLink."""
    body = unseal(ACT, token)
    kind, act, tenant, group, whose, mark, expires_at = ACT_BODY.unpack(body)
    of_member = kind == OF_MEMBER
    return ActLink(
        tenant_id=UUID(bytes=tenant),
        group_id=UUID(bytes=group),
        act=LINKED_ACTS[act],
        member_id=UUID(bytes=whose) if of_member else None,
        channel_id=None if of_member else UUID(bytes=whose),
        mark=mark,
        expires_at=expires_at,
    )


def address_mark(address: str) -> bytes:
    """Return what stands for an address in a link, which must not show it."""
    return hashlib.sha256(address.casefold().encode()).digest()[:MARK_BYTES]


def subscription_url(parcel: Parcel) -> str:
    """Return where mails of the tenant to this address are stopped and resumed.

    It does not expire: who reads an old mail may stop what comes today.
    """
    whose = parcel.member_id.bytes if parcel.member_id else bytes(16)
    body = parcel.tenant_id.bytes + whose + parcel.address.encode()
    return f"{settings.BASE_URL}/u/{seal(SUBSCRIPTION, body)}"


def read_subscription(token: str) -> Subscription:
    """Raises BadLink."""
    body = unseal(SUBSCRIPTION, token)
    tenant, whose, address = body[:16], body[16:32], body[32:]
    member = UUID(bytes=whose) if any(whose) else None
    return Subscription(UUID(bytes=tenant), member, address.decode())


def opened_url(parcel: Parcel) -> str:
    """Return the address of the picture that tells that a mail was opened."""
    body = parcel.tenant_id.bytes + parcel.delivery_id.bytes
    return f"{settings.BASE_URL}/o/{seal(OPENED, body)}.gif"


def read_opened(token: str) -> tuple[UUID, UUID]:
    """Return tenant and delivery. Raises BadLink."""
    body = unseal(OPENED, token)
    return UUID(bytes=body[:16]), UUID(bytes=body[16:])


# --- tokens ---


def seal(purpose: int, body: bytes) -> str:
    """Return purpose, body and HMAC-SHA256 as one word of a URL (RFC 4648 5)."""
    said = bytes([purpose]) + body
    whole = said + mac(settings.SECRET_KEY, said)
    return base64.urlsafe_b64encode(whole).rstrip(b"=").decode()


def unseal(purpose: int, token: str) -> bytes:
    """Return the body of a token that we made for `purpose`. Raises BadLink."""
    if len(token) > LONGEST_TOKEN or not token.isascii():
        raise BadLink("this is no token")
    try:
        whole = base64.b64decode(token + "=" * (-len(token) % 4), b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadLink("this is no token") from error
    said, given = whole[:-MAC_BYTES], whole[-MAC_BYTES:]
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    if not any(hmac.compare_digest(mac(str(key), said), given) for key in keys):
        raise BadLink("the signature is not ours")
    # Several base64 words mean the same bytes; a token is the one that we wrote.
    ours = base64.urlsafe_b64encode(whole).rstrip(b"=").decode() == token
    if not ours or said[0] != purpose:
        raise BadLink("this token is for something else")
    return said[1:]


def mac(key: str, said: bytes) -> bytes:
    """Return the signature, by a key that nothing else is signed with."""
    own = hmac.new(key.encode(), b"alertcenter.links", hashlib.sha256).digest()
    return hmac.new(own, said, hashlib.sha256).digest()[:MAC_BYTES]
