"""Which key seals a tenant's secrets?

Each tenant has a data key (32 bytes), stored wrapped by the key-encryption key
ALERTCENTER_KEK. A sealed value is `version (1 byte) | nonce | ciphertext | tag`
and is bound to tenant, table, column and row, so that it opens nowhere else.
"""

from __future__ import annotations

from functools import lru_cache
from uuid import UUID

from django.conf import settings

from alertcenter.common import crypto
from tenants.models.tenant import TenantKey


def place_of(tenant_id: UUID, table: str, column: str, pk: object) -> bytes:
    """Return the associated data of one value."""
    return f"{tenant_id}|{table}|{column}|{pk}".encode()


def seal(tenant_id: UUID, plaintext: str, place: bytes) -> bytes:
    """Seal `plaintext` with the tenant's newest key, making the first one."""
    version, key = newest_key(tenant_id)
    return bytes([version]) + crypto.seal(key, plaintext.encode(), place)


def unseal(tenant_id: UUID, sealed: bytes, place: bytes) -> str:
    """Open a sealed value. Raises alertcenter.common.crypto.SealBroken."""
    key = data_key(tenant_id, sealed[0])
    return crypto.unseal(key, sealed[1:], place).decode()


def newest_key(tenant_id: UUID) -> tuple[int, bytes]:
    """Return (version, key); needs the tenant's context."""
    version = (
        TenantKey.objects.filter(tenant_id=tenant_id)
        .order_by("-version")
        .values_list("version", flat=True)
        .first()
    )
    if version is None:
        version = 1
        wrapped = crypto.seal(settings.KEK, crypto.new_key(), wrap_place(tenant_id, 1))
        # A concurrent first use loses and reads the winner's key below.
        TenantKey.objects.bulk_create(
            [TenantKey(tenant_id=tenant_id, version=version, wrapped=wrapped)],
            ignore_conflicts=True,
        )
    return version, data_key(tenant_id, version)


def data_key(tenant_id: UUID, version: int) -> bytes:
    """Return one of the tenant's keys. Raises SealBroken when there is none."""
    row = TenantKey.objects.filter(tenant_id=tenant_id, version=version).first()
    if row is None:
        raise crypto.SealBroken("the tenant has no such key")
    return unwrap(tenant_id, version, bytes(row.wrapped))


@lru_cache(maxsize=1024)
def unwrap(tenant_id: UUID, version: int, wrapped: bytes) -> bytes:
    return crypto.unseal(settings.KEK, wrapped, wrap_place(tenant_id, version))


def wrap_place(tenant_id: UUID, version: int) -> bytes:
    return f"{tenant_id}|tenant_key|{version}".encode()
