"""Which rows may a member write himself? His own; who configures, everybody's."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from tenants import roles
from tenants.admin_base import TenantScopedAdmin, may, membership_of


def may_write(request: HttpRequest, member_id: UUID | str | None) -> bool:
    """Whether the person of this request may write what is this member's."""
    if may(request, roles.CONFIGURE):
        return True
    own = getattr(request, "membership", None)
    own_id = own.member_id if own is not None else None
    return own_id is not None and str(own_id) == str(member_id)


class OwnRowsAdmin(TenantScopedAdmin):
    """Rows of a member each: seen by all, written by the member and who configures."""

    list_select_related: ClassVar[Any] = ("member",)
    autocomplete_fields: ClassVar[Any] = ("member",)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        membership = getattr(request, "membership", None)
        return membership is not None and may_write(request, membership.member_id)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_write(request, obj.member_id if obj else None)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_write(request, obj.member_id if obj else None)

    def get_autocomplete_fields(self, request: HttpRequest) -> Any:
        """Who may write his own only needs no search among all."""
        return self.autocomplete_fields if may(request, roles.CONFIGURE) else ()

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """A row stays whose it is."""
        given = super().get_readonly_fields(request, obj)
        return (*given, "member") if obj else given

    def formfield_for_foreignkey(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Any:
        membership = membership_of(request)
        if db_field.name == "member" and not may(request, roles.CONFIGURE):
            kwargs["queryset"] = db_field.remote_field.model.objects.filter(
                tenant_id=membership.tenant_id, pk=membership.member_id
            )
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_changeform_initial_data(self, request: HttpRequest) -> Any:
        own = membership_of(request).member_id
        return {"member": own} | super().get_changeform_initial_data(request)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        if request.method == "POST" and not may_write(request, self.given(request)):
            raise PermissionDenied
        return super().add_view(request, form_url, extra_context)

    def given(self, request: HttpRequest) -> str:
        return request.POST.get("member", "")

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions = super().get_actions(request)
        if not may(request, roles.CONFIGURE):
            actions.pop("delete_selected", None)
        return actions
