"""How does a person write a policy? Its steps in a table, and what they amount to."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from escalation.models import Policy, Step
from tenants.admin_base import TenantInline, TenantScopedAdmin
from tenants.admin_forms import TenantForm
from tenants.site_index import FirstStep

NEEDED = {
    "channel": "channel",
    "member": "member",
    "oncall": "schedule",
    "wait": "wait_seconds",
}


class StepForm(TenantForm):
    """Keeps only the value that belongs to the kind of step."""

    class Meta:
        model = Step
        fields = ("position", "kind", "channel", "member", "schedule", "wait_seconds")

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
            cleaned[name] = None
        return cleaned


class StepInline(TenantInline, admin.TabularInline):
    """Steps; the table shows only the field that each kind of step needs."""

    model = Step
    form = StepForm
    extra = 1
    min_num = 1
    fields = ("position", "kind", "channel", "member", "schedule", "wait_seconds")

    class Media:
        js = ("admin/alertcenter/steps.js",)

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """A policy needs at least one step."""
        return super().get_formset(request, obj, validate_min=True, **kwargs)

    def get_extra(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> int:
        return 2 if obj is None else 1


@admin.register(Policy)
class PolicyAdmin(TenantScopedAdmin):
    """Policies, with a red mark where nobody would be told."""

    section = "escalation"
    section_order = 10
    list_display = ("name", "summary", "ends_with")
    search_fields = ("name",)
    fields = ("name",)
    inlines = (StepInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        steps = Step.objects.select_related("channel", "member", "schedule")
        ordered = Prefetch("steps", steps.order_by("position", "id"))
        return super().get_queryset(request).prefetch_related(ordered)

    @admin.display(description=gettext_lazy("steps"))
    def summary(self, policy: Policy) -> str:
        return " → ".join(step_words(step) for step in policy.steps.all()) or "–"

    @admin.display(description=gettext_lazy("ends with"))
    def ends_with(self, policy: Policy) -> SafeString:
        return verdict(list(policy.steps.all()))

    def save_related(
        self, request: HttpRequest, form: Any, formsets: Any, change: bool
    ) -> None:
        """Number the steps 1, 2, 3 by their order, so that none share a place."""
        super().save_related(request, form, formsets, change)
        steps = form.instance.steps.order_by("position", "id")
        for position, step in enumerate(steps, start=1):
            if step.position != position:
                Step.objects.filter(pk=step.pk).update(position=position)

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: Any = None
    ) -> HttpResponse:
        self.warn_of_nobody(request, obj)
        return super().response_add(request, obj, post_url_continue)

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        self.warn_of_nobody(request, obj)
        return super().response_change(request, obj)

    def warn_of_nobody(self, request: HttpRequest, policy: Policy) -> None:
        """Say it where it was made; saved it is all the same."""
        steps = policy.steps.select_related("channel", "member", "schedule")
        if not tells_somebody(list(steps.order_by("position", "id"))):
            self.say(request, _("This policy ends in nobody."), good=False)


def step_words(step: Step) -> str:
    """Return one step in a few words."""
    if step.kind == "wait":
        return duration_words(step.wait_seconds or 0)
    return str(step.channel or step.member or step.schedule or "?")


def duration_words(seconds: int) -> str:
    """Return "5 min" or "30 s"."""
    if seconds % 60 == 0 and seconds:
        return _("wait %(n)s min") % {"n": seconds // 60}
    return _("wait %(n)s s") % {"n": seconds}


def tells_somebody(steps: list[Step]) -> bool:
    """Whether the last step that tells reaches a member or an active channel."""
    telling = [step for step in steps if step.kind != "wait"]
    if not telling:
        return False
    last = telling[-1]
    if last.channel is not None:
        return last.channel.active
    if last.member is not None:
        return last.member.active
    return last.schedule is not None


def verdict(steps: list[Step]) -> SafeString:
    """Return whom the policy reaches in the end, red when nobody."""
    telling = [step for step in steps if step.kind != "wait"]
    if not tells_somebody(steps):
        return format_html('<span class="pill bad">{}</span>', _("nobody"))
    return format_html('<span class="pill good">{}</span>', step_words(telling[-1]))


admin.site.steps.append(  # type: ignore[attr-defined]
    FirstStep(
        40,
        gettext_lazy("Write a policy: who is told, and when"),
        lambda tenant_id: Step.objects.filter(tenant_id=tenant_id).exists(),
        lambda: admin.site.address_of(Policy, "add"),  # type: ignore[attr-defined]
    )
)
