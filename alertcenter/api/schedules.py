"""Schedules over the documented API: list, make, read, change and delete them whole,
layers and turns with them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from alertcenter.alerts.lifecycle import database_time
from alertcenter.api.alerts import ErrorOut
from alertcenter.api.base import Pages, TenantAPIView, page_of
from alertcenter.api.fields import DetailsField
from alertcenter.api.on_call import schedule_of
from escalation import layering
from escalation.hours import DAY_NAMES, MOST_HOURS
from escalation.limits import MOST_LAYERS, MOST_PLACES, MOST_TOGETHER, MOST_TURNS
from escalation.models import Layer, Schedule
from escalation.models.schedule import (
    HIGHEST_LEVEL,
    LONGEST_NOTICE,
    LONGEST_SHIFT,
    LONGEST_TURN,
    Frequency,
    OnHolidays,
)
from tenants import audit
from tenants.actors import Actor
from tenants.models import Member
from tenants.models.apikey import Scope

WRITING = dict.fromkeys(("POST", "PATCH", "DELETE"), Scope.ADMIN.value)
REFUSALS = {400: ErrorOut, 401: ErrorOut, 403: ErrorOut}
OF_LAYER = (
    "name",
    "level",
    "time_zone",
    "frequency",
    "every",
    "starts_on",
    "handoff",
    "ends_on",
    "lasts_minutes",
    "weekdays",
    "hours",
    "holidays",
)
OF_SCHEDULE = (
    "name",
    "time_zone",
    "holiday_country",
    "holiday_subdivision",
    "stand_in",
    "remind_minutes",
)


class LayerShape(serializers.Serializer):
    """A rotation. `turns` are lists of members who are on call together; times are by
    the clock of its zone, or the schedule's."""

    id = serializers.UUIDField(
        required=False, help_text="A layer that is there; without it a new one."
    )
    name = serializers.CharField(required=False, allow_blank=True, max_length=100)
    level = serializers.IntegerField(
        required=False,
        min_value=0,
        max_value=HIGHEST_LEVEL,
        help_text="The highest wins; equal ones are on call together.",
    )
    time_zone = serializers.CharField(required=False, allow_blank=True, max_length=64)
    frequency = serializers.ChoiceField(choices=Frequency.values, required=False)
    every = serializers.IntegerField(
        required=False, min_value=1, max_value=LONGEST_TURN
    )
    starts_on = serializers.DateField()
    handoff = serializers.TimeField(required=False)
    ends_on = serializers.DateField(required=False, allow_null=True)
    lasts_minutes = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, max_value=LONGEST_SHIFT
    )
    weekdays = serializers.ListField(
        child=serializers.ChoiceField(choices=list(DAY_NAMES)),
        required=False,
        min_length=1,
        max_length=len(DAY_NAMES),
    )
    hours = serializers.ListField(
        child=DetailsField(),
        required=False,
        max_length=MOST_HOURS,
        help_text='Such as {"days": ["mon"], "begins": "09:00", "ends": "17:00"}.',
    )
    holidays = serializers.ChoiceField(choices=OnHolidays.values, required=False)
    turns = serializers.ListField(
        child=serializers.ListField(
            child=serializers.UUIDField(), min_length=1, max_length=MOST_TOGETHER
        ),
        max_length=MOST_TURNS,
    )

    def validate_turns(self, value: list[list[UUID]]) -> list[list[UUID]]:
        """Turns of many are fewer."""
        if sum(map(len, value)) > MOST_PLACES:
            raise serializers.ValidationError(
                f"At most {MOST_PLACES} members in all turns together."
            )
        return value


class ScheduleIn(serializers.Serializer):
    """A schedule. With `layers` it has these and no others; whoever is on call now
    stays so, whatever turns are added or removed."""

    name = serializers.CharField(max_length=100)
    time_zone = serializers.CharField(required=False, max_length=64)
    owner = serializers.UUIDField(required=False, allow_null=True)
    holiday_country = serializers.CharField(
        required=False, allow_blank=True, max_length=2
    )
    holiday_subdivision = serializers.CharField(
        required=False, allow_blank=True, max_length=10
    )
    stand_in = serializers.BooleanField(required=False)
    remind_minutes = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, max_value=LONGEST_NOTICE
    )
    layers = LayerShape(  # type: ignore[call-arg]  # DRF hands it to the list
        many=True, required=False, max_length=MOST_LAYERS
    )


class ScheduleOut(serializers.Serializer):
    """A schedule as it stands."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    time_zone = serializers.CharField()
    owner = serializers.UUIDField(source="owner_id", allow_null=True)
    holiday_country = serializers.CharField()
    holiday_subdivision = serializers.CharField()
    stand_in = serializers.BooleanField()
    remind_minutes = serializers.IntegerField(allow_null=True)
    layers = serializers.SerializerMethodField()

    def get_layers(self, row: Schedule) -> list[dict[str, Any]]:
        return [layer_body(layer) for layer in row.layers.all()]


def layer_body(layer: Layer) -> dict[str, Any]:
    """Return a layer in the shape in which it is written."""
    turns: dict[int, list[UUID]] = {}
    for turn in sorted(layer.turns.all(), key=lambda one: (one.position, one.pk)):
        turns.setdefault(turn.position, []).append(turn.member_id)
    values = {name: getattr(layer, name) for name in OF_LAYER}
    people = [members for _place, members in sorted(turns.items())]
    return dict(LayerShape({"id": layer.pk, **values, "turns": people}).data)


class SchedulesView(TenantAPIView):
    """The tenant's schedules."""

    scopes = WRITING

    @extend_schema(
        operation_id="schedules_list",
        summary="List schedules",
        responses={200: page_of(ScheduleOut), 401: ErrorOut},
    )
    def get(self, request: Request, **_kwargs: Any) -> Response:
        rows = whole(self.standing(request).tenant_id)
        return Pages("name").answer(rows, self, ScheduleOut)

    @extend_schema(
        operation_id="schedules_create",
        summary="Make a schedule",
        request=ScheduleIn,
        responses={201: ScheduleOut, **REFUSALS},
    )
    def post(self, request: Request, **_kwargs: Any) -> Response:
        given = ScheduleIn(data=request.data)
        given.is_valid(raise_exception=True)
        standing = self.standing(request)
        row = Schedule(tenant_id=standing.tenant_id)
        write(row, given.validated_data)
        note(row, "create", standing.actor)
        return Response(ScheduleOut(read(row)).data, status=201)


class ScheduleView(TenantAPIView):
    """One schedule."""

    scopes = WRITING

    @extend_schema(
        operation_id="schedules_retrieve",
        summary="Read one schedule with its layers and turns",
        responses={200: ScheduleOut, 401: ErrorOut, 404: ErrorOut},
    )
    def get(self, request: Request, pk: UUID, **_kwargs: Any) -> Response:
        return Response(ScheduleOut(read(schedule_of(self, request, pk))).data)

    @extend_schema(
        operation_id="schedules_update",
        summary="Change one schedule; layers, if given, as a whole",
        request=ScheduleIn(partial=True),
        responses={200: ScheduleOut, **REFUSALS, 404: ErrorOut},
    )
    def patch(self, request: Request, pk: UUID, **_kwargs: Any) -> Response:
        given = ScheduleIn(data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        tenant_id = self.standing(request).tenant_id
        schedule_of(self, request, pk)
        row = Schedule.objects.select_for_update().get(tenant_id=tenant_id, pk=pk)
        write(row, given.validated_data)
        fields = sorted(given.validated_data)
        note(row, "change", self.standing(request).actor, fields=fields)
        return Response(ScheduleOut(read(row)).data)

    @extend_schema(
        operation_id="schedules_destroy",
        summary="Delete one schedule",
        responses={204: None, 401: ErrorOut, 403: ErrorOut, 404: ErrorOut},
    )
    def delete(self, request: Request, pk: UUID, **_kwargs: Any) -> Response:
        row = schedule_of(self, request, pk)
        note(row, "delete", self.standing(request).actor)
        row.delete()
        return Response(status=204)


def whole(tenant_id: UUID) -> QuerySet[Schedule]:
    rows = Schedule.objects.filter(tenant_id=tenant_id)
    return rows.prefetch_related("layers__turns")


def read(row: Schedule) -> Schedule:
    return whole(row.tenant_id).get(pk=row.pk)


def write(row: Schedule, given: dict[str, Any]) -> None:
    """Save what was given. Raises serializers.ValidationError."""
    for name in OF_SCHEDULE:
        if name in given:
            setattr(row, name, given[name])
    if "owner" in given:
        known(row.tenant_id, [given["owner"]] if given["owner"] else [])
        row.owner_id = given["owner"]
    checked(row)
    row.save()
    if "layers" in given:
        write_layers(row, given["layers"])


def write_layers(schedule: Schedule, given: list[dict[str, Any]]) -> None:
    """Let the schedule have these layers and no others."""
    # A change may leave out what a schedule has; a layer is always whole.
    if any("turns" not in one for one in given):
        raise serializers.ValidationError({"layers": "A layer needs its turns."})
    known(
        schedule.tenant_id,
        [person for one in given for turn in one["turns"] for person in turn],
    )
    rows = Layer.objects.filter(tenant_id=schedule.tenant_id, schedule=schedule)
    there = {row.pk: row for row in rows}
    named = [one["id"] for one in given if "id" in one]
    if len(named) != len(set(named)) or set(named) - set(there):
        raise serializers.ValidationError({"layers": "No layers of this schedule."})
    now = database_time()
    rows.exclude(pk__in=named).delete()
    for one in given:
        layer = there[one["id"]] if "id" in one else None
        before = layering.stored(layer) if layer else None
        layer = layer or Layer(tenant_id=schedule.tenant_id)
        layer.schedule = schedule
        for name in OF_LAYER:
            if name in one:
                setattr(layer, name, one[name])
        checked(layer)
        layer.save()
        layering.set_turns(layer, [list(dict.fromkeys(t)) for t in one["turns"]])
        if before is not None:
            layering.keep_on_call(layer, before, now)


def known(tenant_id: UUID, people: list[UUID]) -> None:
    """Raise serializers.ValidationError for members that are not the tenant's."""
    rows = Member.objects.filter(tenant_id=tenant_id, pk__in=set(people))
    if missing := set(people) - set(rows.values_list("pk", flat=True)):
        raise serializers.ValidationError({"members": f"No member {min(missing)}."})


def checked(row: Any, but: Collection[str] = ()) -> None:
    """Raise serializers.ValidationError for what a row may not hold; `but` fields
    that are judged elsewhere, such as secrets."""
    try:
        row.full_clean(exclude=but)
    except ValidationError as error:
        raise serializers.ValidationError(
            serializers.as_serializer_error(error)
        ) from error


def note(row: Schedule, verb: str, actor: Actor, **data: Any) -> None:
    audit.record(
        row.tenant_id,
        actor,
        f"schedule.{verb}",
        kind="schedule",
        object_id=row.pk,
        name=row.name,
        **data,
    )
