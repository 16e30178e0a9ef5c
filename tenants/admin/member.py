"""How does a person join a tenant, and who may change his role?"""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tenants import roles
from tenants.admin_base import TenantScopedAdmin, membership_of
from tenants.admin_forms import TenantForm
from tenants.admin_timezones import TimeZoneChoices
from tenants.joining import (
    account_for,
    is_last_owner,
    may_give,
    may_link,
    may_reset_password,
    settle_staff,
    user_with,
)
from tenants.models import Member
from tenants.roles import Role
from tenants.site_index import FirstStep


class MemberForm(TimeZoneChoices, TenantForm):
    """Offers only the roles that the giver may give."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "role" in self.fields:
            self.fields["role"].choices = [  # type: ignore[attr-defined]
                choice
                for choice in Role.choices
                if may_give(self.membership, choice[0])
            ]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.instance._state.adding:
            self.keep_an_owner(cleaned)
        return cleaned

    def keep_an_owner(self, cleaned: dict[str, Any]) -> None:
        """Refuse to demote or retire the last owner."""
        stays = cleaned.get("role", self.instance.role) == Role.OWNER
        stays = stays and cleaned.get("active", self.instance.active)
        before = Member.objects.get(pk=self.instance.pk)
        if not stays and is_last_owner(before):
            raise ValidationError(_("A tenant needs at least one active owner."))


class NewMemberForm(MemberForm):
    """A person by e-mail address; a known one is linked, a new one is made."""

    email = forms.EmailField(
        label=gettext_lazy("E-mail address"),
        help_text=gettext_lazy("The person logs in with it."),
        widget=forms.EmailInput(attrs={"class": "vTextField"}),
    )
    password = forms.CharField(
        label=gettext_lazy("Password"),
        required=False,
        help_text=gettext_lazy(
            "Empty: one is made up and shown once. A person who has an account "
            "keeps the password he has."
        ),
        widget=forms.PasswordInput(
            attrs={"autocomplete": "new-password", "class": "vTextField"}
        ),
    )

    class Meta:
        model = Member
        fields = ("name", "email", "role", "language", "time_zone", "password")

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"]
        known = user_with(email)
        if (
            known
            and Member.objects.filter(
                tenant_id=self.membership.tenant_id, user=known
            ).exists()
        ):
            raise ValidationError(_("This person is a member already."))
        if known and not may_link(self.membership):
            raise ValidationError(
                _(
                    "There is an account with this address already. Ask a platform "
                    "operator to add it here."
                )
            )
        return email

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        if password:
            validate_password(password)
        return password


class ChangedMemberForm(MemberForm):
    """A member whose password is not this tenant's to give."""

    class Meta:
        model = Member
        fields = ("name", "role", "language", "time_zone", "active")


class OwnMemberForm(ChangedMemberForm):
    """A member of this tenant alone, who may be given a new password."""

    new_password = forms.CharField(
        label=gettext_lazy("New password"),
        required=False,
        help_text=gettext_lazy("Empty: the password stays."),
        widget=forms.PasswordInput(
            attrs={"autocomplete": "new-password", "class": "vTextField"}
        ),
    )

    def clean_new_password(self) -> str:
        password: str = self.cleaned_data["new_password"]
        if password:
            validate_password(password, self.instance.user)
        return password


@admin.register(Member)
class MemberAdmin(TenantScopedAdmin):
    """Members of the current tenant; nobody raises anyone above himself."""

    section = "people"
    section_order = 10
    needs_to_change = roles.ADMINISTER
    form = ChangedMemberForm
    list_display = ("name", "email", "role", "language", "time_zone", "active")
    list_filter = ("role", "active")
    list_select_related = ("user",)
    search_fields = ("name", "user__email", "user__username")
    search_help_text = gettext_lazy("Name or e-mail address")
    inlines: ClassVar[Any] = ()  # notifications adds the contacts
    links_of: Any = staticmethod(lambda _member_id: [])  # and the way to the rules

    @admin.display(description=gettext_lazy("e-mail address"), ordering="user__email")
    def email(self, member: Member) -> str:
        return member.user.email or member.user.username

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return list(NewMemberForm.Meta.fields)
        fields = ["name", "email", "role", "language", "time_zone", "active"]
        if self.may_reset(request, obj):
            fields.append("new_password")
        return fields

    def may_reset(self, request: HttpRequest, member: Member) -> bool:
        """Whether the form offers, and takes, a new password for `member`."""
        return self.has_change_permission(request, member) and may_reset_password(
            membership_of(request), member
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["email"] if obj else []

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        obj = kwargs.get("obj")
        context["links"] = self.links_of(obj.pk) if obj else []
        return super().render_change_form(request, context, *args, **kwargs)

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        if obj is None:
            kwargs["form"] = NewMemberForm
        elif self.may_reset(request, obj):
            kwargs["form"] = OwnMemberForm
        return super().get_form(request, obj, change, **kwargs)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever stands above can only be looked at."""
        if not super().has_change_permission(request, obj):
            return False
        return obj is None or may_give(membership_of(request), obj.role)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change_permission(request, obj) and not (
            obj is not None and is_last_owner(obj)
        )

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """No deleting in bulk: it would pass by the rules for each member."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    # --- writing ---

    def save_model(
        self, request: HttpRequest, obj: Any, form: Any, change: bool
    ) -> None:
        given = form.cleaned_data
        if not change:
            account = account_for(given["email"], given.get("password", ""))
            obj.user = account.user
            request._account = account  # type: ignore[attr-defined]
        super().save_model(request, obj, form, change)
        if given.get("new_password"):
            obj.user.set_password(given["new_password"])
            obj.user.save()
        settle_staff(obj.user)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        user = obj.user
        super().delete_model(request, obj)
        settle_staff(user)

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: Any = None
    ) -> HttpResponse:
        """Show a made-up password in the answer itself, and never again."""
        account = request._account  # type: ignore[attr-defined]
        if account.password:
            context = self.admin_site.each_context(request) | {
                "title": _("The new member's password"),
                "opts": self.opts,
                "member": obj,
                "account": account,
            }
            template = "admin/alertcenter/new_password.html"
            return TemplateResponse(request, template, context)
        if not account.is_new:
            self.say(
                request,
                _("%(name)s has an account already and logs in as before.")
                % {"name": obj.name},
            )
        return super().response_add(request, obj, post_url_continue)


admin.site.steps.append(  # type: ignore[attr-defined]
    FirstStep(
        10,
        gettext_lazy("Add a second member"),
        lambda tenant_id: Member.objects.filter(tenant_id=tenant_id, active=True)[
            1:2
        ].exists(),
        lambda: admin.site.address_of(Member, "add"),  # type: ignore[attr-defined]
    )
)
