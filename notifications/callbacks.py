"""By which addresses does a provider tell us what became of what it took?

The address names tenant, channel and perhaps the delivery, signed by us so that nobody
can make up another one; that it is the provider who calls is proven by its own
signature (alertcenter/api/twilio.py).
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.core.signing import BadSignature, Signer

LONGEST_TOKEN = 200
UUID_BYTES = 16


@dataclass(frozen=True)
class Place:
    """What a callback is about; without a delivery, the channel as a whole."""

    tenant_id: UUID
    channel_id: UUID
    delivery_id: UUID | None = None


def address(provider: str, what: str, place: Place) -> str:
    """Return the public URL of a callback, such as .../twilio/status/<token>."""
    return f"{settings.BASE_URL}/{provider}/{what}/{token_of(place)}"


def token_of(place: Place) -> str:
    ids = [place.tenant_id, place.channel_id]
    if place.delivery_id:
        ids.append(place.delivery_id)
    told = base64.urlsafe_b64encode(b"".join(one.bytes for one in ids))
    return _signer().sign(told.decode().rstrip("="))


def read(token: str) -> Place | None:
    """Return what a token names; None unless we made it."""
    if len(token) > LONGEST_TOKEN:
        return None
    try:
        told = _signer().unsign(token)
        raw = base64.urlsafe_b64decode(told + "=" * (-len(told) % 4))
    except (BadSignature, binascii.Error, ValueError):
        return None
    ids = [
        UUID(bytes=raw[at : at + UUID_BYTES]) for at in range(0, len(raw), UUID_BYTES)
    ]
    return Place(*ids)


def _signer() -> Signer:
    return Signer(salt="alertcenter.callbacks", sep=".")
