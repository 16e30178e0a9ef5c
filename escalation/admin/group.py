"""Which groups are there, what happened to each, and what can be done?"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alertcenter.alerts import silence_presets
from alertcenter.alerts.admin.search import by_words
from alertcenter.alerts.admin.shown import (
    label_list,
    priority_words,
    severity_pill,
    state_pill,
)
from alertcenter.alerts.models import Group, GroupAlert, Route, Service, Transition
from escalation import actions, undoing
from escalation.admin.acts import MOST_AT_ONCE, act
from escalation.models import DueStep, Run
from notifications.models import Delivery
from tenants import roles
from tenants.admin_base import ActedOnAdmin, membership_of, tenant_of
from tenants.admin_buttons import button
from tenants.site_index import KeyNumber

MOST_SHOWN = 200
SNOOZE_SECONDS = 3600


class OpenFilter(admin.SimpleListFilter):
    """Open groups first: who looks here mostly wants those."""

    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        states = Group._meta.get_field("state").choices or []
        return [("open", _("open")), *[(str(k), v) for k, v in states]]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Group]
    ) -> QuerySet[Group]:
        wanted = self.value()
        if wanted == "open":
            return queryset.exclude(state="resolved")
        return queryset.filter(state=wanted) if wanted else queryset


class RouteFilter(admin.SimpleListFilter):
    """By route of this tenant."""

    title = gettext_lazy("route")
    parameter_name = "route"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        routes = Route.objects.filter(tenant_id=tenant_of(request))[:50]
        return [(str(route.pk), route.name) for route in routes]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Group]
    ) -> QuerySet[Group]:
        known = dict(self.lookup_choices)
        wanted = self.value()
        return queryset.filter(route_id=wanted) if wanted in known else queryset


class ServiceFilter(admin.SimpleListFilter):
    """By service of this tenant."""

    title = gettext_lazy("service")
    parameter_name = "service"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        services = Service.objects.filter(tenant_id=tenant_of(request), active=True)
        return [(str(one.pk), one.name) for one in services.order_by("name")[:50]]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Group]
    ) -> QuerySet[Group]:
        known = dict(self.lookup_choices)
        wanted = self.value()
        return queryset.filter(service_id=wanted) if wanted in known else queryset


def is_open(group: Group) -> bool:
    return group.state != "resolved"


def is_free(group: Group) -> bool:
    return group.state in ("firing", "snoozed")


@admin.register(Group)
class GroupAdmin(ActedOnAdmin):
    """What is handled as one."""

    section_order = 10
    list_display = (
        "link_to_group",
        "urgency",
        "severity_word",
        "state_word",
        "service",
        "opened_at",
        "counts",
        "acked_by",
    )
    list_select_related = ("service",)
    list_filter = (OpenFilter, "priority", "severity", ServiceFilter, RouteFilter)
    search_fields = ("title",)
    search_help_text = gettext_lazy("#number, words of the title, or label=value")
    ordering = ("-opened_at", "id")
    sortable_by = ("opened_at",)
    actions = (
        "acknowledge_selected",
        "snooze_selected",
        "silence_selected",
        "resolve_selected",
    )
    change_form_template = "admin/alertcenter/group.html"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "title",
                    "why",
                    "service",
                    "severity_word",
                    "state_word",
                    "all_labels",
                    "counts",
                    "route",
                )
            },
        ),
        (
            gettext_lazy("Times and people"),
            {
                "fields": (
                    "opened_at",
                    "changed_at",
                    "acked_by",
                    "acked_at",
                    "snooze_until",
                    "flapping_since",
                    "assignee",
                    "resolved_at",
                )
            },
        ),
    )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return by_words(queryset, search_term, number="number"), False

    @admin.display(description=gettext_lazy("group"))
    def link_to_group(self, group: Group) -> str:
        return f"#{group.number} {group.title}"

    @admin.display(description=gettext_lazy("priority"))
    def urgency(self, group: Group) -> str:
        return f"P{group.priority}"

    @admin.display(description=gettext_lazy("priority"))
    def why(self, group: Group) -> str:
        return priority_words(group.priority, group.priority_reason)

    @admin.display(description=gettext_lazy("severity"))
    def severity_word(self, group: Group) -> SafeString:
        return severity_pill(group.severity)

    @admin.display(description=gettext_lazy("state"))
    def state_word(self, group: Group) -> SafeString:
        return state_pill(group.state, group.get_state_display())

    @admin.display(description=gettext_lazy("firing / alerts"))
    def counts(self, group: Group) -> str:
        return f"{group.firing_count} / {group.alert_count}"

    @admin.display(description=gettext_lazy("labels"))
    def all_labels(self, group: Group) -> SafeString:
        return label_list(group.labels, most=100)

    # --- acts, in lists and on the page ---

    @admin.action(
        description=gettext_lazy("Acknowledge the selected groups"),
        permissions=["change"],
    )
    def acknowledge_selected(self, request: HttpRequest, groups: Any) -> None:
        act(request, actions.acknowledge, chosen(groups))

    @admin.action(
        description=gettext_lazy("Snooze the selected groups for an hour"),
        permissions=["change"],
    )
    def snooze_selected(self, request: HttpRequest, groups: Any) -> None:
        act(request, actions.snooze, chosen(groups), seconds=SNOOZE_SECONDS)

    @admin.action(
        description=gettext_lazy("Resolve the selected groups"), permissions=["change"]
    )
    def resolve_selected(self, request: HttpRequest, groups: Any) -> None:
        act(request, actions.resolve, chosen(groups))

    @admin.action(
        description=gettext_lazy("Silence the selected groups …"),
        permissions=["change"],
    )
    def silence_selected(
        self, request: HttpRequest, groups: QuerySet[Group]
    ) -> HttpResponse | None:
        """Go to a new silence that begins with what their alerts share."""
        conditions = silence_presets.shared(tenant_of(request), chosen(groups))
        if not conditions:
            text = _(
                "These alerts have no label in common: write the conditions yourself, "
                "or choose fewer groups."
            )
            messages.warning(request, text)
            return None
        query = urlencode({"matchers": "\n".join(conditions)})
        return redirect(f"{reverse('admin:alerts_silence_add')}?{query}")

    @button(gettext_lazy("Acknowledge"), needs=roles.ACT, css="primary", shown=is_free)
    def acknowledge(self, request: HttpRequest, group: Group) -> None:
        act(request, actions.acknowledge, [group.pk])

    @button(
        gettext_lazy("Withdraw acknowledgement"),
        needs=roles.ACT,
        shown=lambda group: group.state == "acknowledged",
    )
    def unacknowledge(self, request: HttpRequest, group: Group) -> None:
        act(request, actions.unacknowledge, [group.pk])

    @button(gettext_lazy("Snooze for an hour"), needs=roles.ACT, shown=is_open)
    def snooze(self, request: HttpRequest, group: Group) -> None:
        act(request, actions.snooze, [group.pk], seconds=SNOOZE_SECONDS)

    @button(gettext_lazy("Escalate now"), needs=roles.ACT, shown=is_free)
    def escalate(self, request: HttpRequest, group: Group) -> None:
        act(request, actions.escalate_now, [group.pk])

    @button(
        gettext_lazy("Restart with the present policy"),
        needs=roles.ACT,
        shown=lambda group: group.state == "firing",
    )
    def restart(self, request: HttpRequest, group: Group) -> None:
        act(request, actions.restart, [group.pk])

    @button(
        gettext_lazy("Undo"),
        needs=roles.ACT,
        shown=undoing.is_recent,
    )
    def undo(self, request: HttpRequest, group: Group) -> None:
        act(request, actions.undo, [group.pk])

    @button(gettext_lazy("Resolve"), needs=roles.ACT, shown=is_open)
    def resolve(self, request: HttpRequest, group: Group) -> None:
        act(request, actions.resolve, [group.pk])

    # --- the page of one group ---

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        group = self.get_object(request, object_id)
        own: dict[str, Any] = {}
        if group is not None:
            own = page_of(tenant_of(request), group)
            slug = membership_of(request).slug
            url = f"/t/{slug}/groups/{group.number}"
            own["links"] = [
                {"url": url, "label": _("On the dashboard")},
                {"url": f"{url}/why", "label": _("Why?")},
            ]
        return super().change_view(
            request, object_id, form_url, own | (extra_context or {})
        )


def chosen(groups: QuerySet[Group]) -> list[UUID]:
    """Return the ids of a selection, MOST_AT_ONCE at the most."""
    return list(groups.order_by().values_list("pk", flat=True)[:MOST_AT_ONCE])


def page_of(tenant_id: UUID, group: Group) -> dict[str, Any]:
    """Return what the group's page shows below its fields, each list capped."""
    mine = {"tenant_id": tenant_id, "group_id": group.pk}
    memberships = GroupAlert.objects.filter(**mine).select_related("alert")
    deliveries = Delivery.objects.filter(**mine).select_related("channel", "member")
    return {
        "memberships": memberships.order_by("left_at", "-joined_at")[:MOST_SHOWN],
        "changes": Transition.objects.filter(**mine).order_by("-id")[:MOST_SHOWN],
        "deliveries": deliveries.order_by("-created_at", "-id")[:MOST_SHOWN],
        "runs": Run.objects.filter(**mine).order_by("-created_at")[:10],
        "due_steps": DueStep.objects.filter(**mine, state="due").order_by("due_at"),
    }


admin.site.numbers.append(  # type: ignore[attr-defined]
    KeyNumber(
        gettext_lazy("open groups"),
        lambda tenant_id: Group.objects.filter(tenant_id=tenant_id).exclude(
            state="resolved"
        ),
        lambda: reverse("admin:alerts_group_changelist") + "?state=open",
        position=10,
    )
)
admin.site.numbers.append(  # type: ignore[attr-defined]
    KeyNumber(
        gettext_lazy("groups nobody has acknowledged"),
        lambda tenant_id: Group.objects.filter(tenant_id=tenant_id, state="firing"),
        lambda: reverse("admin:alerts_group_changelist") + "?state=firing",
        alarming=True,
        position=20,
    )
)
