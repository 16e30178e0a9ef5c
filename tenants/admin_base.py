"""What do all admins of tenant-owned models share?

Rows, choices and searches of the current tenant only; rights from the roles; an
audit row for every change; lists that stay quick on big tables.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets
from django.core.exceptions import (
    PermissionDenied,
    SuspiciousOperation,
    ValidationError,
)
from django.db import models
from django.forms import BaseModelFormSet, ModelForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from tenants import audit, roles
from tenants.access import Membership
from tenants.admin_buttons import Buttons
from tenants.admin_forms import TenantForm
from tenants.admin_lists import CappedPaginator, SearchedSelect, lookup_is_listed


def membership_of(request: HttpRequest) -> Membership:
    """Return where the person stands now. Raises Http404 without any tenant."""
    membership: Membership | None = getattr(request, "membership", None)
    if membership is None:
        raise Http404
    return membership


def may(request: HttpRequest, what: str) -> bool:
    """Whether the person's role in the current tenant allows `what`."""
    membership: Membership | None = getattr(request, "membership", None)
    return membership is not None and membership.may(what)


def belongs_to_tenant(model: type[models.Model]) -> bool:
    return any(field.name == "tenant" for field in model._meta.get_fields())


class Scoped:
    """Rows, choices and rights of the current tenant; for admins and inlines."""

    model: Any
    needs_to_see = roles.VIEW
    needs_to_change = roles.CONFIGURE

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        rows: models.QuerySet[Any] = super().get_queryset(request)  # type: ignore[misc]
        return rows.filter(tenant_id=membership_of(request).tenant_id)

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """The tenant is never in a form: neither shown nor taken from one."""
        given = super().get_exclude(request, obj) or ()  # type: ignore[misc]
        return [*given, "tenant"]

    def formfield_for_foreignkey(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Any:
        target = db_field.remote_field.model
        if "queryset" not in kwargs and belongs_to_tenant(target):
            kwargs["queryset"] = target._default_manager.filter(
                tenant_id=membership_of(request).tenant_id
            )
        searched = self.get_autocomplete_fields(request)  # type: ignore[attr-defined]
        if "widget" not in kwargs and db_field.name in searched:
            site = self.admin_site  # type: ignore[attr-defined]
            kwargs["widget"] = SearchedSelect(db_field, site, using=kwargs.get("using"))
        return super().formfield_for_foreignkey(  # type: ignore[misc]
            db_field, request, **kwargs
        )

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request, self.needs_to_see) or may(request, self.needs_to_change)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request, self.needs_to_change)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request, self.needs_to_change)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request, self.needs_to_change)


class TenantScopedAdmin(Scoped, Buttons, admin.ModelAdmin):
    """The admin of one tenant-owned model."""

    form: Any = TenantForm
    paginator = CappedPaginator
    list_per_page = 50
    list_max_show_all = 200
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # each would count the whole table
    save_on_top = False
    change_form_template = "admin/alertcenter/change_form.html"
    change_list_template = "admin/alertcenter/change_list.html"
    section = "platform"
    section_order = 50

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_add_permission(request)

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        form.membership = membership_of(request)
        return form

    def lookup_allowed(
        self, lookup: str, value: str, request: HttpRequest | None = None
    ) -> bool:
        """Only what the filters of the list use: other columns stay unasked."""
        filters = self.list_filter
        if request is not None:
            filters = self.get_list_filter(request)
        return lookup_is_listed(lookup, filters, self.date_hierarchy)

    def response_action(self, request: HttpRequest, *given: Any, **named: Any) -> Any:
        """Do the list's action. What was ticked must be ids, else the answer is 400."""
        try:
            return super().response_action(request, *given, **named)
        except ValidationError as error:
            raise SuspiciousOperation("no ids were selected") from error

    # --- writing ---

    def save_model(
        self, request: HttpRequest, obj: Any, form: Any, change: bool
    ) -> None:
        """Save in the current tenant, whatever the form said."""
        tenant_id = membership_of(request).tenant_id
        if change and obj.tenant_id != tenant_id:
            raise PermissionDenied
        obj.tenant_id = tenant_id
        super().save_model(request, obj, form, change)

    def save_formset(
        self, request: HttpRequest, form: Any, formset: Any, change: bool
    ) -> None:
        tenant_id = membership_of(request).tenant_id
        for line in formset.save(commit=False):
            line.tenant_id = tenant_id
            line.save()
        for line in formset.deleted_objects:
            line.delete()
        formset.save_m2m()

    # --- the audit log takes the place of Django's log entries ---

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> Any:
        """Return the names of what changed; never a value, which may be secret."""
        return describe_change(form, formsets or [])

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self.audit(request, obj, "create", **message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        if any(message.values()):
            self.audit(request, obj, "change", **message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        for obj in queryset:
            self.audit(request, obj, "delete", name=str(obj))

    def audit(self, request: HttpRequest, obj: Any, verb: str, **data: Any) -> None:
        """Write that the person did `verb` to `obj`."""
        membership = membership_of(request)
        kind = self.opts.model_name or ""
        audit.record(
            membership.tenant_id,
            membership.actor,
            f"{kind}.{verb}",
            kind=kind,
            object_id=obj.pk,
            **{key: value for key, value in data.items() if value},
        )

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """Lead to the object's rows in the audit log."""
        if self.get_object(request, object_id) is None:
            raise Http404
        address = reverse("admin:tenants_audit_changelist", current_app="admin")
        return HttpResponseRedirect(f"{address}?q={object_id}")

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """Ask whether it is there before whether it may be deleted."""
        if self.get_object(request, object_id) is None:
            raise Http404
        return super().delete_view(request, object_id, extra_context)

    def _get_obj_does_not_exist_redirect(
        self, request: HttpRequest, opts: Any, object_id: str
    ) -> HttpResponse:
        """Django would redirect with a message; outsiders get 404 everywhere."""
        raise Http404


class ReadOnlyAdmin(TenantScopedAdmin):
    """History: everybody may look, nobody may write."""

    section = "history"
    actions: Any = None

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ActedOnAdmin(ReadOnlyAdmin):
    """Things people act on by buttons and list actions, never by a form.

    Django offers actions only to who may "change": that is ACT here, while every
    field stays read-only.
    """

    section = "alerts"
    actions: Any = ()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request, roles.ACT)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        if self.fieldsets:
            return list(dict.fromkeys(flatten_fieldsets(self.fieldsets)))
        return [field.name for field in self.opts.fields if field.name != "tenant"]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show without save buttons; a posted form changes nothing."""
        if request.method == "POST":
            raise PermissionDenied
        nothing_to_save = {
            "show_save": False,
            "show_save_and_continue": False,
            "show_save_and_add_another": False,
            "title": _("View %s") % self.opts.verbose_name,
        }
        return super().change_view(
            request, object_id, form_url, nothing_to_save | (extra_context or {})
        )


class TenantInline(Scoped):
    """Mix in before TabularInline or StackedInline."""

    form: Any = TenantForm
    show_change_link = False
    most: int | None = None  # rows; a form with more is refused

    def get_max_num(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        if self.most is not None:
            return self.most
        return super().get_max_num(  # type: ignore[misc]
            request, obj, **kwargs
        )

    def formfield_for_dbfield(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Any:
        """No icons beside the choices: a table of steps should read as one."""
        field = super().formfield_for_dbfield(  # type: ignore[misc]
            db_field, request, **kwargs
        )
        widget = getattr(field, "widget", None)
        for name in ("add", "change", "delete", "view"):
            if hasattr(widget, f"can_{name}_related"):
                setattr(widget, f"can_{name}_related", False)
        return field

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        if self.most is not None:
            kwargs["validate_max"] = True
        formset = super().get_formset(request, obj, **kwargs)  # type: ignore[misc]
        formset.form.membership = membership_of(request)
        return formset


class ReadOnlyInline(TenantInline):
    """Rows of history under their object."""

    extra = 0
    max_num: Any = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class OperatorsOnly:
    """Mix in before ModelAdmin: tables without a tenant are for operators."""

    section = "platform"

    def get_urls(self) -> list[Any]:
        """Others find no object here, whether it exists or not."""
        urls: list[Any] = super().get_urls()  # type: ignore[misc]
        for one in urls:
            if "<" in str(one.pattern):
                one.callback = not_found_unless_operator(one.callback)
        return urls

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_active and request.user.is_superuser)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_module_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_module_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_module_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_module_permission(request)


def not_found_unless_operator(view: Callable[..., Any]) -> Callable[..., Any]:
    """Answer 404 to people who are logged in and no operators."""

    @wraps(view)
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if request.user.is_authenticated and not request.user.is_superuser:
            raise Http404
        return view(request, *args, **kwargs)

    return inner


def describe_change(
    form: ModelForm, formsets: list[BaseModelFormSet]
) -> dict[str, Any]:
    """Return {"fields": changed names, "<inline>": {"added": n, ...}}."""
    described: dict[str, Any] = {"fields": sorted(form.changed_data)}
    for formset in formsets:
        counts = {
            "added": len(formset.new_objects),
            "changed": len(formset.changed_objects),
            "deleted": len(formset.deleted_objects),
        }
        if any(counts.values()):
            name = str(formset.model._meta.model_name)  # type: ignore[union-attr]
            described[name] = {key: n for key, n in counts.items() if n}
    return described


def tenant_of(request: HttpRequest) -> UUID:
    """Return the current tenant's id. Raises Http404 without any."""
    return membership_of(request).tenant_id
