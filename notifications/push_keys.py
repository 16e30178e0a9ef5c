"""Which key proves to push services that it is this installation that sends?"""

from __future__ import annotations

from functools import lru_cache

from django.conf import settings

from alertcenter.common import crypto
from notifications.channels import push_crypto
from notifications.models import PushKey

PLACE = b"installation|push_key"


def private_key() -> str:
    """Return the installation's VAPID key as PEM; made when first asked for.

    Raises alertcenter.common.crypto.SealBroken when the KEK is not the one it was
    sealed with.
    """
    row = PushKey.objects.filter(pk=1).first()
    if row is None:
        made = crypto.seal(settings.KEK, push_crypto.new_private_key().encode(), PLACE)
        # Whoever is first wins; the others read the winner's.
        PushKey.objects.bulk_create([PushKey(pk=1, sealed=made)], ignore_conflicts=True)
        row = PushKey.objects.get(pk=1)
    return _opened(bytes(row.sealed))


def public_key() -> str:
    """Return what a browser subscribes with."""
    return push_crypto.public_key(private_key())


@lru_cache(maxsize=4)
def _opened(sealed: bytes) -> str:
    return crypto.unseal(settings.KEK, sealed, PLACE).decode()
