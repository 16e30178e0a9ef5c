"""May this person come in here? The one door to a tenant.

Outsiders are told "not found", never "forbidden": they must not learn which
tenants exist. Inside, a role that does not allow an act gets PermissionDenied.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import connection
from django.http import Http404

from tenants import roles
from tenants.actors import MEMBER, OPERATOR, Actor


@dataclass(frozen=True)
class Membership:
    """A user's standing in one tenant; `member_id` is None for operators."""

    tenant_id: UUID
    slug: str
    name: str
    member_id: UUID | None
    role: str
    language: str
    time_zone: str
    label: str

    @property
    def actor(self) -> Actor:
        """The author of what this person does here."""
        if self.member_id is None:
            return Actor(OPERATOR, "", self.label)
        return Actor(MEMBER, str(self.member_id), self.label)

    def may(self, what: str) -> bool:
        """Whether the role allows `what`."""
        return roles.may(self.role, what)

    def require(self, what: str) -> None:
        """Raise PermissionDenied unless the role allows `what`."""
        if not self.may(what):
            raise PermissionDenied


def memberships(user_id: int | None) -> list[Membership]:
    """Return the user's tenants by slug; all of them for a platform operator.

    Needs no context: the database function looks with its own eyes.
    """
    if user_id is None:
        return []
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM resolve_memberships(%s)", [user_id])
        return [Membership(*row) for row in cursor.fetchall()]


def homes(user_id: int) -> set[UUID]:
    """Return the tenants that have the user as member, active there or retired."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM resolve_homes(%s)", [user_id])
        return {tenant_id for (tenant_id,) in cursor.fetchall()}


def membership(user_id: int | None, slug: str) -> Membership:
    """Return the user's standing in tenant `slug`. Raises Http404."""
    for item in memberships(user_id):
        if item.slug == slug:
            return item
    raise Http404


def tenants() -> list[tuple[UUID, str]]:
    """Return (id, slug) of all tenants; only the engine and the owner may ask."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM resolve_tenants()")
        return list(cursor.fetchall())


def tenant_named(slug: str) -> UUID:
    """Return the id of tenant `slug` for a command line. Raises LookupError."""
    for tenant_id, name in tenants():
        if name == slug:
            return tenant_id
    raise LookupError(f"There is no tenant {slug!r}.")
