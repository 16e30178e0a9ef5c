"""Which members' rows may a caller write? A member his own, with the scope admin
everybody's."""

from __future__ import annotations

from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import get_object_or_404
from rest_framework.request import Request

from alertcenter.api.base import TenantAPIView
from tenants.actors import MEMBER
from tenants.models import Member
from tenants.models.apikey import Scope


class OwnRowsView(TenantAPIView):
    """Writing what is one's own takes no more than a place in the tenant."""

    scopes = dict.fromkeys(("POST", "PUT", "DELETE"), Scope.READ.value)

    def own_id(self, request: Request) -> UUID | None:
        """Return which member calls; None for a key, or an operator."""
        actor = self.standing(request).actor
        return UUID(actor.id) if actor.kind == MEMBER else None

    def may_write(self, request: Request, member_id: UUID) -> bool:
        if Scope.ADMIN.value in self.standing(request).scopes:
            return True
        return member_id == self.own_id(request)

    def member(self, request: Request, pk: UUID | None) -> Member:
        """Return the member that is meant, oneself without `pk`. Raises Http404."""
        pk = pk or self.own_id(request)
        if pk is None:
            raise Http404  # a key, or an operator: nobody who could be away
        tenant_id = self.standing(request).tenant_id
        found: Member = get_object_or_404(Member, tenant_id=tenant_id, pk=pk)
        return found

    def writable(self, request: Request, pk: UUID | None) -> Member:
        """Return the member whose rows are to be written. Raises PermissionDenied."""
        found = self.member(request, pk)
        if not self.may_write(request, found.pk):
            raise PermissionDenied
        return found
