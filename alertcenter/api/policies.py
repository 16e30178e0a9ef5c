"""Policies over the documented API: list, read, write, and what each would do."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import models
from django.shortcuts import get_object_or_404
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiParameter,
    extend_schema,
    extend_schema_field,
)
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from alertcenter.alerts import lifecycle, severity
from alertcenter.api import filters
from alertcenter.api.alerts import ErrorOut
from alertcenter.api.base import Pages, TenantAPIView, page_of
from alertcenter.api.fields import DetailsField
from escalation import oncall, policies, runs
from escalation.explain import planned
from escalation.limits import MOST_STEPS
from escalation.models import Policy
from escalation.policies import StepsError
from escalation.steps.base import Supposed, WaitUntil
from escalation.steps.fields import LONGEST_WAIT
from escalation.steps.registry import kinds, words
from escalation.steps.walk import Event
from escalation.weaknesses import Weakness, of_policies
from tenants.models.apikey import Scope

WRITING = dict.fromkeys(("POST", "PATCH", "DELETE"), Scope.ADMIN.value)
REFUSALS = {400: ErrorOut, 401: ErrorOut, 403: ErrorOut}


class StepIn(serializers.Serializer):
    """One step: its kind, and what that is told (docs/policies.md)."""

    kind = serializers.ChoiceField(choices=sorted(kinds()))
    channel = serializers.UUIDField(required=False, allow_null=True)
    member = serializers.UUIDField(required=False, allow_null=True)
    schedule = serializers.UUIDField(required=False, allow_null=True)
    wait_seconds = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, max_value=LONGEST_WAIT
    )
    params = DetailsField(required=False, help_text="An object; depends on the kind.")

    def validate_params(self, value: Any) -> Any:
        """It is an object."""
        if not isinstance(value, dict):
            raise serializers.ValidationError(_("Details are an object."))
        return value


class PolicyIn(serializers.Serializer):
    """A policy with all its steps, in their order."""

    name = serializers.CharField(max_length=100)
    ack_timeout_seconds = serializers.IntegerField(
        required=False,
        min_value=0,
        max_value=LONGEST_WAIT,
        help_text="An acknowledgement lasts so long; 0: for ever.",
    )
    steps = serializers.ListField(
        child=StepIn(), min_length=1, max_length=MOST_STEPS, allow_empty=False
    )


class StepOut(serializers.Serializer):
    """One step as it stands."""

    id = serializers.UUIDField()
    position = serializers.IntegerField()
    kind = serializers.CharField()
    channel = serializers.UUIDField(source="channel_id", allow_null=True)
    member = serializers.UUIDField(source="member_id", allow_null=True)
    schedule = serializers.UUIDField(source="schedule_id", allow_null=True)
    wait_seconds = serializers.IntegerField(allow_null=True)
    params = DetailsField()


class WeaknessOut(serializers.Serializer):
    """Why the policy may end in nobody: which step (0: the whole), and a code."""

    step = serializers.IntegerField()
    code = serializers.CharField()
    who = serializers.CharField()
    at = serializers.DateTimeField(allow_null=True)


class PolicyOut(serializers.Serializer):
    """One policy with its steps."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    ack_timeout_seconds = serializers.IntegerField()
    steps = serializers.SerializerMethodField()

    @extend_schema_field(StepOut(many=True))
    def get_steps(self, row: Policy) -> Any:
        """In their order."""
        found = sorted(row.steps.all(), key=lambda step: (step.position, step.pk))
        return StepOut(found, many=True).data


class PolicyDetailOut(PolicyOut):
    """One policy, in words, and why it may end in nobody."""

    sentences = serializers.ListField(child=serializers.CharField())
    weaknesses = WeaknessOut(many=True)


class EventOut(serializers.Serializer):
    """What a step would do at a moment: `who` is told by `kinds` of channels; `reason`
    says why nobody, or what happens instead; `until`: it waits so long."""

    at = serializers.DateTimeField()
    seconds = serializers.FloatField()
    policy = serializers.CharField()
    step = serializers.IntegerField()
    kind = serializers.CharField()
    round = serializers.IntegerField()
    who = serializers.CharField()
    members = serializers.ListField(child=serializers.UUIDField())
    kinds = serializers.ListField(child=serializers.CharField())
    reason = serializers.CharField()
    until = serializers.DateTimeField(allow_null=True)


class CourseOut(serializers.Serializer):
    """All that the policy would do. `ends`: end, waits (for what no clock decides), or
    long (there is more)."""

    events = EventOut(many=True)
    ends = serializers.ChoiceField(choices=("end", "waits", "long"))
    tells_somebody = serializers.BooleanField()


class PoliciesView(TenantAPIView):
    """The tenant's policies."""

    scopes = WRITING

    @extend_schema(
        operation_id="policies_list",
        summary="List policies",
        responses={200: page_of(PolicyOut), 401: ErrorOut},
    )
    def get(self, request: Request, **_kwargs: Any) -> Response:
        rows = Policy.objects.filter(tenant_id=self.standing(request).tenant_id)
        return Pages("name").answer(rows.prefetch_related("steps"), self, PolicyOut)

    @extend_schema(
        operation_id="policies_create",
        summary="Make a policy",
        request=PolicyIn,
        responses={201: PolicyDetailOut, **REFUSALS},
    )
    def post(self, request: Request, **_kwargs: Any) -> Response:
        given = PolicyIn(data=request.data)
        given.is_valid(raise_exception=True)
        standing = self.standing(request)
        row = Policy(tenant_id=standing.tenant_id)
        change(row, given.validated_data, new=True)
        policies.note(row, "create", standing.actor, name=row.name)
        return Response(detail(row), status=201)


class PolicyView(TenantAPIView):
    """One policy."""

    scopes = WRITING

    @extend_schema(
        operation_id="policies_retrieve",
        summary="Read one policy, in words, and whether it may end in nobody",
        responses={200: PolicyDetailOut, 401: ErrorOut, 404: ErrorOut},
    )
    def get(self, request: Request, pk: UUID, **_kwargs: Any) -> Response:
        return Response(detail(one(self, request, pk)))

    @extend_schema(
        operation_id="policies_update",
        summary="Change one policy; runs under way keep their steps",
        request=PolicyIn(partial=True),
        responses={200: PolicyDetailOut, **REFUSALS, 404: ErrorOut},
    )
    def patch(self, request: Request, pk: UUID, **_kwargs: Any) -> Response:
        given = PolicyIn(data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        row = one(self, request, pk, lock=True)
        values = given.validated_data
        if values:
            change(row, values)
            fields = ", ".join(sorted(values))
            policies.note(row, "change", self.standing(request).actor, fields=fields)
        return Response(detail(row))

    @extend_schema(
        operation_id="policies_destroy",
        summary="Delete one policy, unless a route names it",
        responses={204: None, **REFUSALS, 404: ErrorOut},
    )
    def delete(self, request: Request, pk: UUID, **_kwargs: Any) -> Response:
        row = one(self, request, pk, lock=True)
        actor = self.standing(request).actor
        policies.note(row, "delete", actor, name=row.name)
        try:
            row.delete()
        except models.ProtectedError as error:
            raise filters.bad("policy", _("A route names it.")) from error
        return Response(status=204)


class PolicyCourseView(TenantAPIView):
    """What one policy would do."""

    @extend_schema(
        operation_id="policies_timeline",
        summary="Who would be told when, if something opened at a moment?",
        parameters=[
            OpenApiParameter(
                "at", OpenApiTypes.DATETIME, description="Now without it."
            ),
            OpenApiParameter(
                "severity", enum=list(severity.NAMES.values()), default="critical"
            ),
            OpenApiParameter("label", many=True, description="name=value"),
        ],
        responses={200: CourseOut, 400: ErrorOut, 401: ErrorOut, 404: ErrorOut},
    )
    def get(self, request: Request, pk: UUID, **_kwargs: Any) -> Response:
        row = one(self, request, pk)
        at = moment(request)
        pairs = (text.partition("=") for text in request.GET.getlist("label")[:50])
        labels = {name: value for name, sign, value in pairs if sign}
        word = request.GET.get("severity", "critical")
        group = Supposed(severity.parse(word), labels)
        found = planned.course(row.tenant_id, row.pk, at, group)
        body = {
            "events": [event(one_, at) for one_ in found.events] if found else [],
            "ends": found.ends if found else "end",
            "tells_somebody": bool(found and found.tells),
        }
        return Response(CourseOut(body).data)


def moment(request: Request) -> datetime:
    """Return the moment asked about. Raises Refused."""
    text = request.GET.get("at")
    now = lifecycle.database_time()
    if not text:
        return now
    try:
        at = parse_datetime(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None or abs(at - now) > oncall.LONGEST_LOOK:
        raise filters.bad("at", _("A moment with its zone, a year ahead at the most."))
    return at


def event(found: Event, begin: datetime) -> Mapping[str, Any]:
    """Return what an event is called in the answer."""
    then = found.found.then
    return {
        "at": found.at,
        "seconds": (found.at - begin).total_seconds(),
        "policy": found.policy,
        "step": found.position + 1,
        "kind": found.plan["kind"],
        "round": found.round,
        "who": found.found.who or planned.said(found.plan),
        "members": list(found.found.members),
        "kinds": sorted({target.kind for target in found.found.targets}),
        "reason": found.found.reason,
        "until": then.moment if isinstance(then, WaitUntil) else None,
    }


def one(
    view: TenantAPIView, request: Request, pk: UUID, *, lock: bool = False
) -> Policy:
    """Return the tenant's policy. Raises Http404."""
    rows = Policy.objects.select_for_update() if lock else Policy.objects.all()
    tenant_id = view.standing(request).tenant_id
    found: Policy = get_object_or_404(rows, tenant_id=tenant_id, pk=pk)
    return found


def change(row: Policy, given: Mapping[str, Any], *, new: bool = False) -> None:
    """Write what was given. Raises serializers.ValidationError."""
    values = dict(given)
    steps = values.pop("steps", None)
    for name, value in values.items():
        setattr(row, name, value)
    try:
        row.full_clean()
    except ValidationError as error:
        raise serializers.ValidationError(
            serializers.as_serializer_error(error)
        ) from error
    row.save(force_insert=new)
    if steps is None:
        return
    try:
        policies.set_steps(row, [columns(step) for step in steps])
    except StepsError as error:
        raise serializers.ValidationError({"steps": error.wrong}) from error


def columns(step: Mapping[str, Any]) -> dict[str, Any]:
    """Return a step by the names of its columns."""
    names = {"channel": "channel_id", "member": "member_id", "schedule": "schedule_id"}
    return {names.get(name, name): value for name, value in step.items()}


def detail(row: Policy) -> dict[str, Any]:
    """Return a policy with what there is to say of it."""
    fresh = Policy.objects.prefetch_related("steps").get(pk=row.pk)
    ids = Policy.objects.filter(tenant_id=row.tenant_id).values_list("pk", flat=True)
    snapshots = runs.snapshots(row.tenant_id, {row.pk, *ids[:200]})
    now = lifecycle.database_time()
    weak: list[Weakness] = of_policies(row.tenant_id, snapshots, now)[row.pk]
    return dict(PolicyOut(fresh).data) | {
        "sentences": [words(plan) for plan in snapshots[row.pk]["steps"]],
        "weaknesses": WeaknessOut(weak, many=True).data,
    }
