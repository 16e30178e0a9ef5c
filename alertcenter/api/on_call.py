"""Who is on call, over the documented API: now, at a moment, and in shifts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from alertcenter.alerts.lifecycle import database_time
from alertcenter.api.alerts import ErrorOut
from alertcenter.api.base import TenantAPIView
from escalation import oncall, rota
from escalation.hours import Span
from escalation.models import Schedule
from escalation.models.schedule import EARLIEST, LATEST
from escalation.shifts import Shift, shifts
from tenants.models import Member

LONGEST = timedelta(days=400)
USUAL = timedelta(days=28)
REFUSALS = {400: ErrorOut, 401: ErrorOut}
AT = OpenApiParameter("at", datetime, description="A moment; now when it is missing.")
FROM = OpenApiParameter("from", datetime, description="Now when it is missing.")
UNTIL = OpenApiParameter(
    "until", datetime, description="28 days later when it is missing; 400 at most."
)


class AtIn(serializers.Serializer):
    """A moment."""

    at = serializers.DateTimeField(required=False)


class RangeIn(serializers.Serializer):
    """A stretch of time."""

    until = serializers.DateTimeField(required=False)

    def get_fields(self) -> dict[str, Any]:
        return {
            "from": serializers.DateTimeField(required=False),
            **super().get_fields(),
        }

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        begin = attrs.get("from") or database_time()
        try:
            end = attrs.get("until") or begin + USUAL
        except OverflowError as error:
            raise serializers.ValidationError("Too late.") from error
        if not timedelta() < end - begin <= LONGEST:
            raise serializers.ValidationError("until: after from, by 400 days at most.")
        in_reach("from", begin)
        return {"within": Span(begin, end)}


class PersonOut(serializers.Serializer):
    """A member, by name."""

    id = serializers.UUIDField(source="pk")
    name = serializers.CharField()


class OnCallOut(serializers.Serializer):
    """Who is on call by one schedule, until when, and who comes then. `too_much`: the
    last two are left out, since the schedule has too many turns to reckon them."""

    schedule = serializers.UUIDField(source="schedule.pk")
    name = serializers.CharField(source="schedule.name")
    on_call = PersonOut(source="members", many=True)
    until = serializers.DateTimeField(allow_null=True)
    next = PersonOut(source="next_members", many=True)
    too_much = serializers.BooleanField()


class AllOnCallOut(serializers.Serializer):
    """Every schedule of the tenant, by name."""

    schedules = OnCallOut(many=True)


class ShiftOut(serializers.Serializer):
    """Who is on call from when until when."""

    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    members = PersonOut(many=True)


class GapOut(serializers.Serializer):
    """A stretch of time, its end not included."""

    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()


class LayerShiftsOut(serializers.Serializer):
    """What one layer says, before anything changes it."""

    layer = serializers.UUIDField()
    name = serializers.CharField()
    level = serializers.IntegerField()
    shifts = ShiftOut(many=True)


class ShiftsOut(serializers.Serializer):
    """A schedule over a stretch of time: at last, when nobody is there, by layer."""

    final = ShiftOut(many=True)
    gaps = GapOut(many=True)
    layers = LayerShiftsOut(many=True)


class AllOnCallView(TenantAPIView):
    """Who is on call by every schedule."""

    @extend_schema(
        operation_id="on_call_list",
        summary="Who is on call by every schedule, and who is next?",
        parameters=[AT],
        responses={200: AllOnCallOut, **REFUSALS},
    )
    def get(self, request: Request, **_kwargs: Any) -> Response:
        tenant_id = self.standing(request).tenant_id
        found = oncall.everyone_on_call(tenant_id, moment(request))
        return Response({"schedules": OnCallOut(found, many=True).data})


class OnCallView(TenantAPIView):
    """Who is on call by one schedule."""

    @extend_schema(
        operation_id="schedules_on_call",
        summary="Who is on call by one schedule, and who is next?",
        parameters=[AT],
        responses={200: OnCallOut, **REFUSALS, 404: ErrorOut},
    )
    def get(self, request: Request, pk: UUID, **_kwargs: Any) -> Response:
        row = schedule_of(self, request, pk)
        (found,) = oncall.everyone_on_call(row.tenant_id, moment(request), [pk])
        return Response(OnCallOut(found).data)


class ShiftsView(TenantAPIView):
    """The shifts of one schedule."""

    @extend_schema(
        operation_id="schedules_shifts",
        summary="The shifts of one schedule: at last, gaps, and by layer",
        parameters=[FROM, UNTIL],
        responses={200: ShiftsOut, **REFUSALS, 404: ErrorOut},
    )
    def get(self, request: Request, pk: UUID, **_kwargs: Any) -> Response:
        row = schedule_of(self, request, pk)
        given = RangeIn(data=request.query_params)
        given.is_valid(raise_exception=True)
        within: Span = given.validated_data["within"]
        found = oncall.load(row.tenant_id, [pk], within)[pk]
        if not rota.Budget().takes(found, within):
            wrong = {"until": "Too many turns: ask for a shorter stretch."}
            raise serializers.ValidationError(wrong)
        final = rota.final(found, within)
        layers = [
            (
                layer,
                shifts(layer, within, holidays=found.holidays, away=found.away),
            )
            for layer in found.layers
        ]
        everything = [*final, *(shift for _layer, own in layers for shift in own)]
        people = oncall.members_of(row.tenant_id, (s.people for s in everything))
        body = {
            "final": shown(final, people),
            "gaps": [span._asdict() for span in rota.gaps_in(final, within)],
            "layers": [
                {
                    "layer": layer.key,
                    "name": layer.name,
                    "level": layer.level,
                    "shifts": shown(own, people),
                }
                for layer, own in layers
            ],
        }
        return Response(ShiftsOut(body).data)


def shown(
    found: Iterable[Shift], people: Mapping[UUID, Member]
) -> list[dict[str, Any]]:
    """Return shifts with members in place of ids."""
    return [
        {
            "starts_at": shift.starts_at,
            "ends_at": shift.ends_at,
            "members": [people[person] for person in shift.people],
        }
        for shift in found
    ]


def moment(request: Request) -> datetime:
    """Return ?at=, or now."""
    given = AtIn(data=request.query_params)
    given.is_valid(raise_exception=True)
    at: datetime = given.validated_data.get("at") or database_time()
    in_reach("at", at)
    return at


def in_reach(name: str, at: datetime) -> None:
    """Raise serializers.ValidationError for a moment that no layer reaches."""
    if not EARLIEST.year <= at.year <= LATEST.year:
        raise serializers.ValidationError({name: "Out of reach."})


def schedule_of(view: TenantAPIView, request: Request, pk: UUID) -> Schedule:
    """Return the tenant's schedule. Raises Http404."""
    tenant_id = view.standing(request).tenant_id
    found: Schedule = get_object_or_404(Schedule, tenant_id=tenant_id, pk=pk)
    return found
