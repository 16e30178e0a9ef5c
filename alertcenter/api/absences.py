"""When members are away, over the documented API: a member writes his own, with the
scope admin everybody's."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from alertcenter.api import filters
from alertcenter.api.alerts import ErrorOut
from alertcenter.api.base import Pages, page_of
from alertcenter.api.own_rows import OwnRowsView
from alertcenter.api.schedule_changes import NotedShape
from alertcenter.api.schedules import checked
from alertcenter.common.errors import Refused
from escalation import presence
from escalation.models import Absence

REFUSALS = {400: ErrorOut, 401: ErrorOut, 403: ErrorOut, 404: ErrorOut}
GONE = {204: None, 401: ErrorOut, 403: ErrorOut, 404: ErrorOut, 409: ErrorOut}
MEMBER = OpenApiParameter("member", OpenApiTypes.UUID, description="Of this member.")


class AbsenceIn(NotedShape):
    """Who is away from when until when; oneself where a person asks."""

    member = serializers.UUIDField(required=False)


class AbsenceOut(NotedShape):
    """An absence. `from_calendar`: it is changed there. The note is shown to the
    member himself and with the scope admin."""

    id = serializers.UUIDField()
    member = serializers.UUIDField(source="member_id")
    note = serializers.CharField()
    from_calendar = serializers.SerializerMethodField()

    def get_from_calendar(self, row: Absence) -> bool:
        return bool(row.uid)


class AbsencesView(OwnRowsView):
    """When members are away."""

    @extend_schema(
        operation_id="absences_list",
        summary="List when members are away, the latest first",
        parameters=[MEMBER],
        responses={200: page_of(AbsenceOut), 400: ErrorOut, 401: ErrorOut},
    )
    def get(self, request: Request, **_kwargs: Any) -> Response:
        rows = Absence.objects.filter(tenant_id=self.standing(request).tenant_id)
        if (member := filters.identifier(request, "member")) is not None:
            rows = rows.filter(member_id=member)
        answer = Pages("-starts_at", "id").answer(rows, self, AbsenceOut)
        for one in answer.data["results"]:
            # What a private calendar calls an absence is no colleague's business.
            if not self.may_write(request, UUID(one["member"])):
                one["note"] = ""
        return answer

    @extend_schema(
        operation_id="absences_create",
        summary="Say that a member is away",
        request=AbsenceIn,
        responses={201: AbsenceOut, **REFUSALS},
    )
    def post(self, request: Request, **_kwargs: Any) -> Response:
        given = AbsenceIn(data=request.data)
        given.is_valid(raise_exception=True)
        values = dict(given.validated_data)
        whose = values.pop("member", None) or self.own_id(request)
        if whose is None:
            raise Refused(400, "member", "Say which member is away.")
        member = self.writable(request, whose)
        row = Absence(tenant_id=member.tenant_id, member=member, **values)
        checked(row)
        presence.add(row, actor=self.standing(request).actor)
        return Response(AbsenceOut(row).data, status=201)


class AbsenceView(OwnRowsView):
    """One absence."""

    @extend_schema(
        operation_id="absences_destroy",
        summary="Say that a member is there after all",
        responses=GONE,
    )
    def delete(self, request: Request, pk: UUID, **_kwargs: Any) -> Response:
        rows = Absence.objects.select_for_update()
        tenant_id = self.standing(request).tenant_id
        row = get_object_or_404(rows, tenant_id=tenant_id, pk=pk)
        if not self.may_write(request, row.member_id):
            raise PermissionDenied
        if row.uid:
            words = "It was read from the member's calendar: change it there."
            raise Refused(409, "calendar", words)
        presence.remove(row, actor=self.standing(request).actor)
        return Response(status=204)
