"""Groups over the documented API: list, one in detail, act on them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from alertcenter.alerts.models import Alert, Group, Transition
from alertcenter.api import filters, urgent
from alertcenter.api.alerts import AlertOut, ErrorOut
from alertcenter.api.base import Pages, TenantAPIView, page_of
from alertcenter.api.fields import DetailsField, LabelsField, SeverityField
from alertcenter.common.errors import Refused
from escalation import actions
from tenants.models import Member

STATES = ("firing", "acknowledged", "snoozed", "resolved")
MOST_GROUPS = 500
MOST_ALERTS = 200
MOST_ENTRIES = 300


class ReasonOut(serializers.Serializer):
    """One part of why a group has its priority: docs/services.md."""

    code = serializers.ChoiceField(
        choices=("severity", "tier", "dependents", "size", "info")
    )
    value = serializers.IntegerField()
    by = serializers.IntegerField()


class GroupOut(serializers.Serializer):
    """One group as it stands."""

    id = serializers.UUIDField()
    number = serializers.IntegerField()
    state = serializers.ChoiceField(choices=STATES)
    severity = SeverityField()
    title = serializers.CharField()
    labels = LabelsField()
    opened_at = serializers.DateTimeField()
    changed_at = serializers.DateTimeField()
    resolved_at = serializers.DateTimeField(allow_null=True)
    acked_at = serializers.DateTimeField(allow_null=True)
    acked_by = serializers.CharField()
    snooze_until = serializers.DateTimeField(allow_null=True)
    firing_count = serializers.IntegerField()
    alert_count = serializers.IntegerField()
    flapping_since = serializers.DateTimeField(allow_null=True)
    storm_id = serializers.UUIDField(allow_null=True)
    version = serializers.IntegerField()
    priority = serializers.IntegerField(help_text="1 (most urgent) to 5.")
    priority_reason = ReasonOut(many=True)
    service = serializers.SerializerMethodField()

    def get_service(self, group: Group) -> str | None:
        """The short name of the service in trouble."""
        return group.service.slug if group.service else None


class EntryOut(serializers.Serializer):
    """One line of the timeline."""

    at = serializers.DateTimeField()
    kind = serializers.CharField()
    from_state = serializers.CharField()
    to_state = serializers.CharField()
    actor = serializers.CharField(source="actor_label")
    reason = serializers.CharField()
    data = DetailsField()  # type: ignore[assignment]  # our field


class GroupDetailOut(GroupOut):
    """One group with its alerts (200 at most) and its timeline (300 at most)."""

    alerts = AlertOut(many=True)
    timeline = EntryOut(many=True)


class GroupsView(TenantAPIView):
    """The tenant's groups, newest first, or the open ones by urgency."""

    @extend_schema(
        operation_id="groups_list",
        summary="List groups",
        parameters=filters.documented("state", "severity", "since", "service", "order"),
        responses={200: page_of(GroupOut), 400: ErrorOut, 401: ErrorOut},
    )
    def get(self, request: Request, **_kwargs: Any) -> Response:
        rows = Group.objects.filter(tenant_id=self.standing(request).tenant_id)
        rows = rows.select_related("service")
        states = filters.states(request, STATES)
        if severities := filters.severities(request):
            rows = rows.filter(severity__in=severities)
        if since := filters.since(request):
            rows = rows.filter(opened_at__gte=since)
        if service := filters.text(request, "service"):
            rows = rows.filter(service__slug=service)
        if filters.order(request) == "priority":
            return urgent.answer(rows, states, self, GroupOut)
        if states:
            rows = rows.filter(state__in=states)
        return Pages("-opened_at", "id").answer(rows, self, GroupOut)


class GroupView(TenantAPIView):
    """One group by its number."""

    @extend_schema(
        operation_id="groups_retrieve",
        summary="Read one group",
        responses={200: GroupDetailOut, 401: ErrorOut, 404: ErrorOut},
    )
    def get(self, request: Request, number: int, **_kwargs: Any) -> Response:
        tenant_id = self.standing(request).tenant_id
        group = get_object_or_404(Group, tenant_id=tenant_id, number=number)
        alerts = Alert.objects.filter(
            tenant_id=tenant_id, memberships__group_id=group.pk
        ).order_by("-severity", "-starts_at")
        entries = Transition.objects.filter(
            tenant_id=tenant_id, group_id=group.pk
        ).order_by("-id")
        body = GroupOut(group).data
        body["alerts"] = AlertOut(alerts[:MOST_ALERTS], many=True).data
        body["timeline"] = EntryOut(entries[:MOST_ENTRIES], many=True).data
        return Response(body)


class ActIn(serializers.Serializer):
    """What to do to which groups."""

    act = serializers.ChoiceField(choices=sorted(actions.DO))
    groups = serializers.ListField(
        child=serializers.UUIDField(), min_length=1, max_length=MOST_GROUPS
    )
    seconds = serializers.IntegerField(
        required=False,
        min_value=60,
        max_value=actions.LONGEST_SNOOZE,
        help_text="For snooze; an hour without it.",
    )
    member = serializers.UUIDField(required=False, help_text="For assign.")
    versions = serializers.DictField(
        child=serializers.IntegerField(),
        required=False,
        help_text="For escalate: the version seen of each group, by its id.",
    )
    as_of = serializers.DateTimeField(
        required=False,
        help_text="For escalate: refused as stale where the policy moved on since.",
    )


class OutcomeOut(serializers.Serializer):
    """What became of the act on one group."""

    group = serializers.UUIDField(source="group_id")
    number = serializers.IntegerField()
    done = serializers.BooleanField()
    reason = serializers.CharField()
    state = serializers.CharField()


class OutcomesOut(serializers.Serializer):
    """What became of the act, by group, in the order asked."""

    results = OutcomeOut(many=True)


class ActsView(TenantAPIView):
    """Acts on groups, in the caller's name."""

    @extend_schema(
        operation_id="acts_create",
        summary="Acknowledge, resolve, snooze, assign, escalate groups, or undo that",
        request=ActIn,
        responses={200: OutcomesOut, 400: ErrorOut, 401: ErrorOut, 403: ErrorOut},
    )
    def post(self, request: Request, **_kwargs: Any) -> Response:
        given = ActIn(data=request.data)
        given.is_valid(raise_exception=True)
        wanted = given.validated_data
        standing = self.standing(request)
        act = actions.DO[wanted["act"]]
        try:
            outcomes = act(
                standing.tenant_id,
                wanted["groups"],
                actor=standing.actor,
                **_details(wanted),
            )
        except Member.DoesNotExist as error:
            raise Refused(400, "bad_member", _("There is no such member.")) from error
        return Response({"results": OutcomeOut(outcomes, many=True).data})


def _details(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the act takes beyond its groups. Raises Refused."""
    if wanted["act"] == "snooze":
        return {"seconds": wanted.get("seconds", 3600)}
    if wanted["act"] == "assign":
        if "member" not in wanted:
            raise Refused(400, "bad_member", _("Name the member to assign to."))
        return {"member_id": wanted["member"]}
    if wanted["act"] == "escalate":
        found: dict[str, Any] = {"as_of": wanted.get("as_of")}
        if "versions" in wanted:
            found["versions"] = _versions(wanted["versions"])
        return found
    return {}


def _versions(given: Mapping[str, int]) -> dict[UUID, int]:
    try:
        return {UUID(group): version for group, version in given.items()}
    except ValueError as error:
        message = _("versions: give numbers by the groups' ids.")
        raise Refused(400, "bad_versions", message) from error
