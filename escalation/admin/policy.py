"""How does a person write a policy? Its steps, what they amount to, and a timeline."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alertcenter.alerts import lifecycle
from escalation import runs
from escalation.admin.dry_run import DryRuns
from escalation.admin.policy_timeline import panel
from escalation.admin.step_form import StepInline
from escalation.limits import MOST_TEAM_MEMBERS
from escalation.models import Policy, SlaTarget, Step, Team, TeamMember
from escalation.steps import registry
from escalation.steps.base import for_so_long
from escalation.weaknesses import Weakness, of_policies
from tenants import roles
from tenants.admin_base import (
    TenantInline,
    TenantScopedAdmin,
    membership_of,
    tenant_of,
)
from tenants.admin_forms import TenantForm
from tenants.models import Tenant
from tenants.site_index import FirstStep

MOST_JUDGED = 200
WHY = {
    "no_step": gettext_lazy("No step tells anybody."),
    "condition": gettext_lazy(
        "Step %(step)s comes only if the condition of step %(who)s holds."
    ),
    "circle": gettext_lazy("Step %(step)s goes round in a circle: %(who)s."),
    "other_policy": gettext_lazy(
        "Step %(step)s hands over to %(who)s, which may end in nobody."
    ),
    "channel_gone": gettext_lazy(
        "Step %(step)s: %(who)s is gone, switched off, or has no address."
    ),
    "nobody": gettext_lazy("Step %(step)s: nobody is left of %(who)s."),
    "no_address": gettext_lazy("Step %(step)s: not everybody has an address: %(who)s."),
    "skill": gettext_lazy(
        "Step %(step)s tells nobody where no label asks for a known skill."
    ),
    "never": gettext_lazy("Step %(step)s: nobody is on call by %(who)s."),
    "no_next": gettext_lazy("Step %(step)s: nobody is next (%(who)s)."),
    "too_much": gettext_lazy(
        "Step %(step)s: %(who)s has too many turns to see who is on call."
    ),
    "gap": gettext_lazy("Step %(step)s: nobody is on call by %(who)s on %(at)s."),
}


def why(weakness: Weakness) -> str:
    """Return a weakness as a sentence."""
    at = date_format(weakness.at, "SHORT_DATETIME_FORMAT") if weakness.at else ""
    return str(WHY[weakness.code]) % {
        "step": weakness.step,
        "who": weakness.who,
        "at": at,
    }


class PolicyForm(TenantForm):
    """An empty time-out is none."""

    class Meta:
        model = Policy
        fields = ("name", "ack_timeout_seconds")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "ack_timeout_seconds" in self.fields:
            self.fields["ack_timeout_seconds"].required = False

    def clean_ack_timeout_seconds(self) -> int:
        return self.cleaned_data["ack_timeout_seconds"] or 0


@admin.register(Policy)
class PolicyAdmin(DryRuns, TenantScopedAdmin):
    """Policies, with a red mark where nobody would be told."""

    section = "escalation"
    section_order = 10
    form = PolicyForm
    list_display = ("name", "summary", "ends_with")
    search_fields = ("name",)
    fields = ("name", "ack_timeout_seconds")
    inlines = (StepInline,)
    change_form_template = "admin/alertcenter/policy.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        steps = Step.objects.select_related("channel", "member", "schedule")
        ordered = Prefetch("steps", steps.order_by("position", "id"))
        return super().get_queryset(request).prefetch_related(ordered)

    def get_list_display(self, request: HttpRequest) -> Any:
        """Judge all policies of the list from one look."""
        judged = Judged(request)

        @admin.display(description=gettext_lazy("steps"))
        def summary(policy: Policy) -> str:
            return judged.summary(policy)

        @admin.display(description=gettext_lazy("ends with"))
        def ends_with(policy: Policy) -> SafeString:
            return judged.verdict(policy)

        own = {"summary": summary, "ends_with": ends_with}
        return [own.get(name, name) for name in self.list_display]

    def summary(self, policy: Policy) -> str:
        """Stands for the column that get_list_display fills."""
        return str(policy)

    ends_with = summary

    def save_related(
        self, request: HttpRequest, form: Any, formsets: Any, change: bool
    ) -> None:
        """Number the steps 1, 2, 3 by their order, so that none share a place."""
        super().save_related(request, form, formsets, change)
        steps = form.instance.steps.order_by("position", "id")
        for position, step in enumerate(steps, start=1):
            if step.position != position:
                Step.objects.filter(pk=step.pk).update(position=position)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        policy = self.get_object(request, object_id)
        own: dict[str, Any] = {}
        if policy is not None:
            tenant = Tenant.objects.get(pk=tenant_of(request))
            snapshot = runs.snapshots(tenant.pk, [policy.pk])[policy.pk]
            own = {
                "sentences": [registry.words(plan) for plan in snapshot["steps"]],
                "weaknesses": [why(one) for one in weak(tenant.pk, policy.pk)],
                **panel(request, tenant.pk, policy.pk, tenant.time_zone),
                "may_dry_run": membership_of(request).may(roles.CONFIGURE),
            }
        return super().change_view(
            request, object_id, form_url, own | (extra_context or {})
        )

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
        found = weak(policy.tenant_id, policy.pk)
        if found:
            reasons = " ".join(why(one) for one in found)
            text = _("This policy ends in nobody.") + " " + reasons
            self.say(request, text, good=False)


def weak(tenant_id: UUID, policy_id: UUID) -> list[Weakness]:
    """Return why one policy may end in nobody."""
    ids = Policy.objects.filter(tenant_id=tenant_id).values_list("pk", flat=True)
    wanted = {policy_id, *ids[:MOST_JUDGED]}
    snapshots = runs.snapshots(tenant_id, wanted)
    return of_policies(tenant_id, snapshots, lifecycle.database_time())[policy_id]


class Judged:
    """What there is to say of the policies of one list."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request
        self._found: tuple[dict[UUID, Any], dict[UUID, list[Weakness]]] | None = None

    def _look(self) -> tuple[dict[UUID, Any], dict[UUID, list[Weakness]]]:
        if self._found is None:
            tenant_id = tenant_of(self._request)
            rows = Policy.objects.filter(tenant_id=tenant_id)
            ids = list(rows.values_list("pk", flat=True)[:MOST_JUDGED])
            snapshots = runs.snapshots(tenant_id, ids)
            now = lifecycle.database_time()
            self._found = snapshots, of_policies(tenant_id, snapshots, now)
        return self._found

    def summary(self, policy: Policy) -> str:
        plans = self._look()[0].get(policy.pk, {}).get("steps", ())
        return " → ".join(short(plan) for plan in plans) or "–"

    def verdict(self, policy: Policy) -> SafeString:
        """Return whether it reaches somebody, red and with reasons where it may not."""
        found = self._look()[1].get(policy.pk, [])
        if not found:
            return format_html('<span class="pill good">{}</span>', _("somebody"))
        reasons = format_html_join(" ", "{}", ((why(one),) for one in found[:3]))
        return format_html(
            '<span class="pill bad">{}</span> <small>{}</small>', _("nobody"), reasons
        )


def short(plan: Any) -> str:
    """Return one step in a few words."""
    if plan["kind"] == registry.WAIT:
        return _("wait %(time)s") % {"time": for_so_long(int(plan["wait"]))}
    return registry.who(plan) or str(dict(registry.choices()).get(plan["kind"], "?"))


class TeamMemberInline(TenantInline, admin.TabularInline):
    """Members in the order in which they are told."""

    model = TeamMember
    extra = 1
    most = MOST_TEAM_MEMBERS
    fields = ("position", "member")
    autocomplete_fields = ("member",)


@admin.register(Team)
class TeamAdmin(TenantScopedAdmin):
    """Who belongs together; policies notify a team as a whole."""

    section = "escalation"
    section_order = 15
    list_display = ("name", "who")
    search_fields = ("name",)
    fields = ("name",)
    inlines = (TeamMemberInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related("memberships__member")

    @admin.display(description=gettext_lazy("members"))
    def who(self, team: Team) -> str:
        names = [one.member.name for one in team.memberships.all()[:20]]
        return ", ".join(names) or "–"


@admin.register(SlaTarget)
class SlaTargetAdmin(TenantScopedAdmin):
    """How soon a group is to be acknowledged and resolved, by its severity."""

    section = "escalation"
    section_order = 12
    list_display = ("severity", "acknowledge_seconds", "resolve_seconds")
    fields = ("severity", "acknowledge_seconds", "resolve_seconds")
    ordering = ("-severity",)


admin.site.steps.append(  # type: ignore[attr-defined]
    FirstStep(
        40,
        gettext_lazy("Write a policy: who is told, and when"),
        lambda tenant_id: Step.objects.filter(tenant_id=tenant_id).exists(),
        lambda: admin.site.address_of(Policy, "add"),  # type: ignore[attr-defined]
    )
)
