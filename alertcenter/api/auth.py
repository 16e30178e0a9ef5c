"""Who calls the documented API, and what may he? A key, or a logged-in member."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import Http404
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from alertcenter.api import keys, limits, raw, refusals
from tenants import access, roles
from tenants.actors import KEY, Actor
from tenants.apikeys import KeyInfo
from tenants.models.apikey import Scope

# What a member's role says in terms of scopes.
SCOPES = {
    Scope.READ.value: roles.VIEW,
    Scope.INGEST.value: roles.ACT,
    Scope.ACT.value: roles.ACT,
    Scope.ADMIN.value: roles.ADMINISTER,
}


@dataclass(frozen=True)
class Standing:
    """A caller's place in one tenant."""

    tenant_id: UUID
    slug: str
    actor: Actor
    scopes: frozenset[str]
    key: KeyInfo


class KeyCaller:
    """What stands where Django expects a user: the holder of a key."""

    is_authenticated = True
    is_active = True
    is_staff = False
    is_superuser = False
    pk = None

    def __init__(self, key: KeyInfo) -> None:
        self.key = key

    def __str__(self) -> str:
        return self.key.name


class ApiKeyAuthentication(BaseAuthentication):
    """A key as bearer token or as basic-auth password; no query of the ORM."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        plaintext = raw.credential(request.headers.get("Authorization", ""))
        if not plaintext:
            return None
        address = limits.address_of_request(request)
        if not keys.was_valid(plaintext) and (
            refused := limits.LIMITS.stranger(address)
        ):
            raise refused
        try:
            key = keys.find(plaintext)
        except keys.KeysAway as error:
            raise refusals.away() from error
        if key is None:
            limits.LIMITS.failed(address)
            raise refusals.no_key()
        return KeyCaller(key), key

    def authenticate_header(self, _request: Request) -> str:
        return refusals.CHALLENGE["WWW-Authenticate"]


class HasScope(BasePermission):
    """The caller belongs to the tenant of the URL and may do what the view does.

    Others' tenants are not found rather than forbidden.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        caller: Any = request.user  # None for strangers, by our settings
        if caller is None or not caller.is_authenticated:
            return False
        slug = view.kwargs.get("slug")
        if slug is None:
            return True
        wanted = view.scope_of(request)
        standing = view.standing(request)
        if wanted in standing.scopes:
            return True
        if request.auth is not None:
            raise refusals.missing_scope(wanted)
        return False


def standing_of(request: Request, slug: str) -> Standing:
    """Return the caller's place in tenant `slug`. Raises Http404."""
    if isinstance(request.auth, KeyInfo):
        return standing_of_key(request.auth, slug)
    member = access.membership(request.user.pk, slug)
    scopes = frozenset(scope for scope, what in SCOPES.items() if member.may(what))
    # A member who posts events does so in his own name, not with a key.
    himself = KeyInfo(
        member.member_id or member.tenant_id,
        member.tenant_id,
        slug,
        scopes,
        member.label,
    )
    return Standing(member.tenant_id, slug, member.actor, scopes, himself)


def standing_of_key(key: KeyInfo, slug: str) -> Standing:
    """Return the place of a key's holder. Raises Http404."""
    if key.slug != slug:
        raise Http404
    actor = Actor(KEY, str(key.id), key.name)
    return Standing(key.tenant_id, slug, actor, key.scopes, key)


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the OpenAPI document names the two ways to send a key."""

    target_class = ApiKeyAuthentication
    name = ["apiKeyBearer", "apiKeyBasic"]

    def get_security_requirement(self, _auto_schema: Any) -> list[dict[str, list[Any]]]:
        return [{name: []} for name in self.name]  # either, not both

    def get_security_definition(self, _auto_schema: Any) -> list[dict[str, str]]:
        return [
            {"type": "http", "scheme": "bearer", "description": "An API key."},
            {
                "type": "http",
                "scheme": "basic",
                "description": "Any user name, an API key as password.",
            },
        ]
