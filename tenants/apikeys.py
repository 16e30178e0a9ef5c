"""How is a key made, found, remembered and revoked?

A key is `ac_<8 base62>_<43 base62>`, or 32 lower-case hex digits where it stands in an
address or where PagerDuty's clients count its characters. The database holds
HMAC-SHA256(pepper, key) only. Lookups go through the function resolve_key, which needs
no tenant context.
"""

from __future__ import annotations

import json
import secrets
import string
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models.functions import Now

from alertcenter.common.crypto import keyed_hash
from tenants import audit
from tenants.actors import Actor
from tenants.models.apikey import ApiKey, Kind
from tenants.models.integration import Integration

ALPHABET = string.ascii_letters + string.digits
PREFIX_LENGTH = 8
SECRET_LENGTH = 43  # 256 bits of base62
KEY_LENGTH = len("ac_") + PREFIX_LENGTH + len("_") + SECRET_LENGTH
# A revoked key stops within this many seconds even if no notice arrives.
FRESH_SECONDS = 5.0
MOST_REMEMBERED = 50_000

RESOLVE = "SELECT * FROM resolve_key(%s)"


@dataclass(frozen=True, slots=True)
class Origin:
    """The integration that a key belongs to."""

    id: UUID
    slug: str
    source: str
    name: str
    settings: dict[str, Any]


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """What a valid key says: whose it is and what it may do."""

    id: UUID
    tenant_id: UUID
    slug: str
    scopes: frozenset[str]
    name: str
    kind: str = Kind.API.value
    origin: Origin | None = None


def mint(
    tenant_id: UUID,
    name: str,
    scopes: Sequence[str],
    *,
    actor: Actor,
    expires_at: datetime | None = None,
    kind: str = Kind.API,
    integration: Integration | None = None,
) -> tuple[ApiKey, str]:
    """Make a key; return its row and the plaintext, which is never shown again."""
    prefix, plaintext = drawn(kind)
    row = ApiKey.objects.create(
        tenant_id=tenant_id,
        name=name,
        kind=kind,
        integration=integration,
        prefix=prefix,
        lookup_hash=lookup_hash(plaintext),
        scopes=sorted(set(scopes)),
        expires_at=expires_at,
    )
    audit.record(
        tenant_id,
        actor,
        "key.create",
        kind="apikey",
        object_id=row.pk,
        name=name,
        scopes=row.scopes,
    )
    return row, plaintext


def drawn(kind: str) -> tuple[str, str]:
    """Return a new key's beginning, by which people know it, and the whole of it."""
    if kind != Kind.API:
        plaintext = secrets.token_hex(16)
        return plaintext[:6], plaintext
    prefix = "ac_" + "".join(secrets.choice(ALPHABET) for _ in range(PREFIX_LENGTH))
    secret = "".join(secrets.choice(ALPHABET) for _ in range(SECRET_LENGTH))
    return prefix, f"{prefix}_{secret}"


def revoke(key: ApiKey, *, actor: Actor) -> bool:
    """Revoke `key`; return whether it still was valid. All processes are told."""
    changed = ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=Now())
    if changed:
        audit.record(
            key.tenant_id, actor, "key.revoke", kind="apikey", object_id=key.pk
        )
        with connection.cursor() as cursor:
            cursor.execute("NOTIFY ac_keys")
    return bool(changed)


def lookup_hash(plaintext: str) -> str:
    """Return the hash under which a key is stored."""
    return keyed_hash(settings.PEPPER, plaintext)


def resolve(digest: str, cursor: Any) -> KeyInfo | None:
    """Return what the key with this hash opens, or None."""
    cursor.execute(RESOLVE, [digest])
    row = cursor.fetchone()
    if row is None:
        return None
    key_id, tenant_id, slug, scopes, name, kind, origin = row
    return KeyInfo(
        UUID(str(key_id)),
        UUID(str(tenant_id)),
        slug,
        frozenset(scopes),
        name,
        kind,
        origin_of(origin),
    )


def origin_of(found: Any) -> Origin | None:
    """Return the integration that resolve_key wrote as JSON; drivers decode it."""
    if found is None:
        return None
    row = json.loads(found) if isinstance(found, str) else found
    return Origin(
        UUID(row["id"]), row["slug"], row["source"], row["name"], row["settings"]
    )


class KeyCache:
    """Keys seen in the last seconds, valid and invalid, so that a request needs
    no query. `look_up` asks the database; errors pass through unremembered."""

    def __init__(self, look_up: Callable[[str], KeyInfo | None]) -> None:
        self._look_up = look_up
        self._known: dict[str, tuple[float, KeyInfo | None]] = {}
        self._hashes: dict[str, str] = {}
        self._lock = threading.Lock()

    def remembered(self, plaintext: str) -> tuple[bool, KeyInfo | None]:
        """Return (whether the answer is fresh, the answer).

        What is longer than a key is none, and not worth remembering: strangers could
        fill the memory with it.
        """
        if len(plaintext) > KEY_LENGTH:
            return True, None
        entry = self._known.get(self._hash(plaintext))
        if entry is None or time.monotonic() - entry[0] > FRESH_SECONDS:
            return False, None
        return True, entry[1]

    def last_known(self, plaintext: str) -> KeyInfo | None:
        """Return what the key opened when it was last looked up."""
        if len(plaintext) > KEY_LENGTH:
            return None
        entry = self._known.get(self._hash(plaintext))
        return entry[1] if entry else None

    def find(self, plaintext: str) -> KeyInfo | None:
        """Return what `plaintext` opens, asking the database when not fresh."""
        fresh, info = self.remembered(plaintext)
        if fresh:
            return info
        digest = self._hash(plaintext)
        info = self._look_up(digest)
        with self._lock:
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            self._known[digest] = (time.monotonic(), info)
        return info

    def clear(self) -> None:
        """Forget everything (a key was revoked somewhere)."""
        with self._lock:
            self._known.clear()

    def _hash(self, plaintext: str) -> str:
        digest = self._hashes.get(plaintext)
        if digest is None:
            digest = lookup_hash(plaintext)
            if len(self._hashes) >= MOST_REMEMBERED:
                self._hashes.clear()
            self._hashes[plaintext] = digest
        return digest
