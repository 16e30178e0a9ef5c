"""Temporary schedules over the documented API: ranges in which only shifts of their
own count."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from alertcenter.api.alerts import ErrorOut
from alertcenter.api.base import Pages, TenantAPIView, page_of
from alertcenter.api.on_call import in_reach, schedule_of
from alertcenter.api.schedule_changes import (
    GONE,
    REFUSALS,
    WRITING,
    NotedShape,
    StretchShape,
    one,
)
from alertcenter.api.schedules import checked, known
from escalation.limits import MOST_SHIFTS
from escalation.models import TemporarySchedule, TemporaryShift
from tenants import audit
from tenants.actors import Actor


class TemporaryShiftShape(StretchShape):
    """A member's shift."""

    member = serializers.UUIDField(source="member_id")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """A change of the range may leave out what it has; a shift is always whole."""
        if len(attrs) < len(self.fields):
            raise serializers.ValidationError("Give member, starts_at and ends_at.")
        return super().validate(attrs)


class TemporaryIn(NotedShape):
    """A range in which only these shifts count."""

    shifts = TemporaryShiftShape(  # type: ignore[call-arg]  # DRF hands it to the list
        many=True, max_length=MOST_SHIFTS
    )


class TemporaryOut(NotedShape):
    """A temporary schedule as it stands."""

    id = serializers.UUIDField()
    shifts = TemporaryShiftShape(many=True)


class TemporariesView(TenantAPIView):
    """The temporary schedules of one schedule."""

    scopes = WRITING

    @extend_schema(
        operation_id="temporary_schedules_list",
        summary="List the temporary schedules of a schedule",
        responses={200: page_of(TemporaryOut), 401: ErrorOut, 404: ErrorOut},
    )
    def get(self, request: Request, pk: UUID, **_kwargs: Any) -> Response:
        row = schedule_of(self, request, pk)
        rows = TemporarySchedule.objects.filter(tenant_id=row.tenant_id, schedule=row)
        rows = rows.prefetch_related("shifts")
        return Pages("-starts_at").answer(rows, self, TemporaryOut)

    @extend_schema(
        operation_id="temporary_schedules_create",
        summary="Let only these shifts count in a range",
        request=TemporaryIn,
        responses={201: TemporaryOut, **REFUSALS},
    )
    def post(self, request: Request, pk: UUID, **_kwargs: Any) -> Response:
        given = TemporaryIn(data=request.data)
        given.is_valid(raise_exception=True)
        schedule = schedule_of(self, request, pk)
        row = TemporarySchedule(tenant_id=schedule.tenant_id, schedule=schedule)
        write(row, given.validated_data)
        note(row, "create", self.standing(request).actor)
        return Response(TemporaryOut(row).data, status=201)


class TemporaryView(TenantAPIView):
    """One temporary schedule."""

    scopes = WRITING

    @extend_schema(
        operation_id="temporary_schedules_update",
        summary="Change a temporary schedule; shifts, if given, as a whole",
        request=TemporaryIn(partial=True),
        responses={200: TemporaryOut, **REFUSALS},
    )
    def patch(
        self, request: Request, pk: UUID, temporary: UUID, **_kwargs: Any
    ) -> Response:
        given = TemporaryIn(data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        row = one(TemporarySchedule, schedule_of(self, request, pk), temporary)
        write(row, given.validated_data)
        fields = sorted(given.validated_data)
        note(row, "change", self.standing(request).actor, fields=fields)
        return Response(TemporaryOut(row).data)

    @extend_schema(
        operation_id="temporary_schedules_destroy",
        summary="Delete a temporary schedule; the layers count again",
        responses=GONE,
    )
    def delete(
        self, request: Request, pk: UUID, temporary: UUID, **_kwargs: Any
    ) -> Response:
        row = one(TemporarySchedule, schedule_of(self, request, pk), temporary)
        note(row, "delete", self.standing(request).actor)
        row.delete()
        return Response(status=204)


def write(row: TemporarySchedule, given: dict[str, Any]) -> None:
    """Save what was given. Raises serializers.ValidationError."""
    values = dict(given)
    shifts = values.pop("shifts", None)
    known(row.tenant_id, [shift["member_id"] for shift in shifts or ()])
    for shift in shifts or ():
        in_reach("shifts", shift["starts_at"])
        in_reach("shifts", shift["ends_at"])
    for name, value in values.items():
        setattr(row, name, value)
    checked(row)
    row.save()
    if shifts is not None:
        mine = {"tenant_id": row.tenant_id, "temporary": row}
        TemporaryShift.objects.filter(**mine).delete()
        TemporaryShift.objects.bulk_create(
            TemporaryShift(**mine, **shift) for shift in shifts
        )


def note(row: TemporarySchedule, verb: str, actor: Actor, **more: Any) -> None:
    audit.record(
        row.tenant_id,
        actor,
        f"temporaryschedule.{verb}",
        kind="temporaryschedule",
        object_id=row.pk,
        schedule=str(row.schedule_id),
        starts_at=row.starts_at.isoformat(),
        ends_at=row.ends_at.isoformat(),
        **more,
    )
