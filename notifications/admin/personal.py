"""How does a member write how he is told? His own page; administrators write all."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alertcenter.common.buckets import Buckets
from notifications import chain_test, personal, personal_words
from notifications.admin.contact import ContactInline
from notifications.admin.delivery import STATE_CLASSES
from notifications.models import (
    Contact,
    Person,
    PersonalRule,
    PersonalStep,
    QuietHours,
)
from notifications.models.delivery import DeliveryState
from notifications.models.personal import (
    DAYS,
    LONGEST_WAIT,
    PersonalStepKind,
    every_day,
)
from tenants import roles
from tenants.admin.member import MemberAdmin
from tenants.admin_base import (
    TenantInline,
    TenantScopedAdmin,
    may,
    membership_of,
)
from tenants.admin_buttons import button
from tenants.admin_forms import SecondsField, TenantForm
from tenants.admin_timezones import TimeZoneChoices

NEEDED = {
    PersonalStepKind.CONTACT: "contact",
    PersonalStepKind.BY: "by",
    PersonalStepKind.WAIT: "wait_seconds",
}
# Whoever tests again and again calls a real phone again and again.
TESTS = Buckets(rate=1 / 20, burst=4)


def may_write(request: HttpRequest, person: Any) -> bool:
    """Whether the person of this request may say how `person` is told."""
    if person is None or may(request, roles.ADMINISTER):
        return may(request, roles.ADMINISTER)
    return bool(membership_of(request).member_id == person.pk)


class Own:
    """Mix in: rows of one's own page; administrators write everybody's."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_write(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_write(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_write(request, obj)


class StepForm(TenantForm):
    """Keeps only the value that belongs to the kind of step."""

    wait_seconds = SecondsField(
        label=gettext_lazy("wait"), required=False, least=1, most=LONGEST_WAIT
    )

    class Meta:
        model = PersonalStep
        fields = ("position", "kind", "contact", "by", "wait_seconds")

    def has_changed(self) -> bool:
        """A new row of which only the place was set is empty: our script set it."""
        changed = super().has_changed()
        if self.instance._state.adding and self.changed_data == ["position"]:
            return False
        return changed

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        wanted = NEEDED.get(cleaned.get("kind", ""))
        for name in set(NEEDED.values()) - {wanted}:
            cleaned[name] = "" if name == "by" else None
        return cleaned


class ImportantStepForm(StepForm):
    """A row of the other chain."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.instance.important = True


class StepInline(Own, TenantInline, admin.TabularInline):
    """The chain for what is not important."""

    model = PersonalStep
    form: Any = StepForm
    extra = 1
    fields = ("position", "kind", "contact", "by", "wait_seconds")
    verbose_name_plural = gettext_lazy("Usually")
    important = False

    class Media:
        js = ("admin/alertcenter/personal.js",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).filter(important=self.important)

    def formfield_for_foreignkey(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Any:
        if db_field.name == "contact":
            mine = Contact.objects.filter(tenant_id=membership_of(request).tenant_id)
            person: UUID | None = getattr(request, "_person", None)
            kwargs["queryset"] = (
                mine.filter(member_id=person) if person else mine.none()
            )
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        request._person = obj.pk if obj else None  # type: ignore[attr-defined]
        return super().get_formset(request, obj, **kwargs)


class ImportantStepInline(StepInline):
    """The chain for what is important."""

    form = ImportantStepForm
    verbose_name_plural = gettext_lazy(
        "When it is important (no steps: the same as usually)"
    )
    important = True


class OwnContactInline(Own, ContactInline):
    """A member's own addresses."""


class RuleForm(TimeZoneChoices, TenantForm):
    """What is important, and what the quiet hours keep back."""

    class Meta:
        model = PersonalRule
        fields = ("important_from", "quiet_below", "quiet_how", "time_zone")


class RuleInline(Own, TenantInline, admin.StackedInline):
    """One row at most."""

    model = PersonalRule
    form = RuleForm
    min_num = 0
    max_num = 1
    extra = 1
    can_delete = False
    fields = ("important_from", "quiet_below", "quiet_how", "time_zone")
    verbose_name_plural = gettext_lazy("What counts")


class QuietForm(TenantForm):
    """The days are ticked."""

    days = forms.MultipleChoiceField(
        label=gettext_lazy("days"),
        choices=DAYS,
        initial=every_day,
        widget=forms.CheckboxSelectMultiple,
    )

    class Meta:
        model = QuietHours
        fields = ("days", "begins", "ends")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Django's own widget speaks of the server's clock; this is the person's."""
        super().__init__(*args, **kwargs)
        for name in ("begins", "ends"):
            if name in self.fields:
                clock = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
                self.fields[name].widget = clock


class QuietInline(Own, TenantInline, admin.TabularInline):
    """Times of the week."""

    model = QuietHours
    form = QuietForm
    extra = 0
    fields = ("days", "begins", "ends")


@admin.register(Person)
class PersonAdmin(TenantScopedAdmin):
    """How each member is told: contacts, chains, quiet hours."""

    section = "people"
    section_order = 12
    needs_to_change = roles.ADMINISTER
    list_display = ("name", "reached_by", "steps", "active")
    list_filter = ("active",)
    search_fields = ("name",)
    fields = ("name", "usually", "important", "quiet")
    readonly_fields = ("name", "usually", "important", "quiet")
    inlines = (
        OwnContactInline,
        StepInline,
        ImportantStepInline,
        RuleInline,
        QuietInline,
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        return rows.prefetch_related("contacts", "personal_steps")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_write(request, obj)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        own = {"title": _("How a member is told")} | (extra_context or {})
        return super().change_view(request, object_id, form_url, own)

    # --- in words ---

    @admin.display(description=gettext_lazy("reached by"))
    def reached_by(self, person: Person) -> str:
        kinds = [contact.get_kind_display() for contact in person.contacts.all()]
        return ", ".join(dict.fromkeys(kinds)) or _("the mailbox of the login")

    @admin.display(description=gettext_lazy("steps"))
    def steps(self, person: Person) -> int:
        return len(person.personal_steps.all())

    @admin.display(description=gettext_lazy("usually"))
    def usually(self, person: Person) -> str:
        wishes = personal.read(person.tenant_id, person.pk)
        return personal_words.chain_words(wishes, important=False) if wishes else "–"

    @admin.display(description=gettext_lazy("when it is important"))
    def important(self, person: Person) -> str:
        wishes = personal.read(person.tenant_id, person.pk)
        if wishes is None:
            return "–"
        given = {
            "severity": personal_words.severity_word(wishes.important_from),
            "chain": personal_words.chain_words(wishes, important=True),
        }
        return _("from %(severity)s on: %(chain)s") % given

    @admin.display(description=gettext_lazy("quiet hours"))
    def quiet(self, person: Person) -> str:
        wishes = personal.read(person.tenant_id, person.pk)
        return (personal_words.quiet_words(wishes) if wishes else "") or _("none")

    # --- test my chain ---

    @button(gettext_lazy("Test the usual chain"), needs=roles.VIEW, css="primary")
    def test_usual(self, request: HttpRequest, person: Person) -> HttpResponse | None:
        return self._test(request, person, important=False)

    @button(gettext_lazy("Test the important chain"), needs=roles.VIEW)
    def test_important(
        self, request: HttpRequest, person: Person
    ) -> HttpResponse | None:
        return self._test(request, person, important=True)

    def _test(
        self, request: HttpRequest, person: Person, *, important: bool
    ) -> HttpResponse | None:
        if not may_write(request, person):
            raise PermissionDenied
        if wait := TESTS.wait(person.pk):
            text = _("Many tests were just sent. Please wait %(seconds)s seconds.")
            self.say(request, text % {"seconds": int(wait) + 1}, good=False)
            return None
        TESTS.take(person.pk)
        actor = membership_of(request).actor
        test = chain_test.begin(person, important=important, actor=actor)
        if test is None:
            self.say(request, _("Nobody would be reached."), good=False)
            return None
        return HttpResponseRedirect(f"{self._address('chain', person.pk)}?test={test}")

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        return [
            path(
                "<path:object_id>/chain/",
                wrap(self.chain_view),
                name="notifications_person_chain",
            ),
            *super().get_urls(),
        ]

    def chain_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show how far a test has come; the page renews itself until it is over."""
        person = self.get_object(request, object_id)
        if person is None:
            raise Http404
        if not may_write(request, person):
            raise PermissionDenied
        try:
            test = UUID(request.GET.get("test", ""))
        except ValueError as error:
            raise Http404 from error
        lines = chain_test.walked(person, test)
        context = self.admin_site.each_context(request) | {
            "title": _("Test of a chain"),
            "opts": self.opts,
            "person": person,
            "lines": [shown(line) for line in lines],
            "under_way": any(line.under_way for line in lines),
        }
        return TemplateResponse(request, "admin/alertcenter/chain_test.html", context)

    # --- what the forms wrote ---

    def save_related(
        self, request: HttpRequest, form: Any, formsets: Any, change: bool
    ) -> None:
        """Number the steps of each chain by their order."""
        super().save_related(request, form, formsets, change)
        rows = PersonalStep.objects.filter(
            tenant_id=form.instance.tenant_id, member_id=form.instance.pk
        )
        for important in (False, True):
            chain = rows.filter(important=important).order_by("position", "id")
            for position, step in enumerate(chain, 1):
                if step.position != position:
                    rows.filter(pk=step.pk).update(position=position)


def shown(line: chain_test.Walked) -> dict[str, Any]:
    """Return what the page says of one message."""
    row = line.delivery
    return {
        "planned": personal_words.duration(line.planned_seconds)
        if line.planned_seconds
        else _("at once"),
        "kind": row.get_channel_kind_display(),
        "address": row.address,
        "state": row.get_state_display(),
        "css": STATE_CLASSES.get(DeliveryState(row.state), ""),
        "answer": line.answer or row.error,
        "milliseconds": line.milliseconds,
        "url": reverse("admin:notifications_delivery_change", args=[row.pk]),
    }


def links_of(member_id: UUID) -> list[dict[str, str]]:
    """Return the way from the member's page to this one."""
    address = reverse("admin:notifications_person_change", args=[member_id])
    return [{"url": address, "label": _("Notifications")}]


def mine(request: HttpRequest) -> HttpResponse:
    """Lead to one's own page; an operator, who is told of nothing, to the list."""
    member_id = membership_of(request).member_id
    if member_id is None:
        address = reverse("admin:notifications_person_changelist")
    else:
        address = reverse("admin:notifications_person_change", args=[member_id])
    return HttpResponseRedirect(address)


admin.site.pages.append(  # type: ignore[attr-defined]
    path("my-notifications/", admin.site.admin_view(mine), name="my_notifications")
)
MemberAdmin.links_of = staticmethod(links_of)
