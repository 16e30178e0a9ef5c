"""Calendars that fill a schedule, over the documented API: name an address, read it
now, forget it. The address is stored sealed and never shown again."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from alertcenter.api.alerts import ErrorOut
from alertcenter.api.availability import LONGEST_URL, address
from alertcenter.api.base import Pages, TenantAPIView, page_of
from alertcenter.api.on_call import schedule_of
from alertcenter.api.schedules import checked
from escalation import calendar_words
from escalation.models import CalendarImport
from tenants import audit
from tenants.actors import Actor
from tenants.models.apikey import Scope

WRITING = dict.fromkeys(("POST", "DELETE"), Scope.ADMIN.value)
REFUSALS = {400: ErrorOut, 401: ErrorOut, 403: ErrorOut, 404: ErrorOut}
GONE = {204: None, 401: ErrorOut, 403: ErrorOut, 404: ErrorOut}
KIND = "calendarimport"


class CalendarImportIn(serializers.Serializer):
    """Where the calendar is; `overrides`: its events take over alone."""

    url = serializers.CharField(
        max_length=LONGEST_URL,
        write_only=True,
        help_text="https://, http:// or webcal://. It is never shown again.",
    )
    overrides = serializers.BooleanField(required=False)

    def validate_url(self, value: str) -> str:
        return address(value)


class CalendarImportOut(serializers.Serializer):
    """An imported calendar: when it was read, why it could not be, and which names in
    it are nobody's."""

    id = serializers.UUIDField()
    overrides = serializers.BooleanField()
    fetched_at = serializers.DateTimeField(allow_null=True)
    problem = serializers.SerializerMethodField()
    unknown = serializers.ListField(child=serializers.CharField())

    def get_problem(self, row: CalendarImport) -> str:
        return calendar_words.said(row.error)


class CalendarImportsView(TenantAPIView):
    """The imported calendars of one schedule."""

    scopes = WRITING

    @extend_schema(
        operation_id="calendar_imports_list",
        summary="List the imported calendars of a schedule, without their addresses",
        responses={200: page_of(CalendarImportOut), 401: ErrorOut, 404: ErrorOut},
    )
    def get(self, request: Request, pk: UUID, **_kwargs: Any) -> Response:
        row = schedule_of(self, request, pk)
        rows = CalendarImport.objects.filter(tenant_id=row.tenant_id, schedule=row)
        return Pages("created_at", "id").answer(rows, self, CalendarImportOut)

    @extend_schema(
        operation_id="calendar_imports_create",
        summary="Let a calendar's events be shifts of a schedule",
        request=CalendarImportIn,
        responses={201: CalendarImportOut, **REFUSALS},
    )
    def post(self, request: Request, pk: UUID, **_kwargs: Any) -> Response:
        given = CalendarImportIn(data=request.data)
        given.is_valid(raise_exception=True)
        schedule = schedule_of(self, request, pk)
        values = dict(given.validated_data)
        url = values.pop("url")
        row = CalendarImport(tenant_id=schedule.tenant_id, schedule=schedule, **values)
        checked(row, but=["url"])
        row.url = url  # sealed when it is saved
        row.save(force_insert=True)
        note(row, "create", self.standing(request).actor)
        return Response(CalendarImportOut(row).data, status=201)


class CalendarImportView(TenantAPIView):
    """One imported calendar."""

    scopes = WRITING

    @extend_schema(
        operation_id="calendar_imports_retrieve",
        summary="Read how it stands with an imported calendar",
        responses={200: CalendarImportOut, 401: ErrorOut, 404: ErrorOut},
    )
    def get(
        self, request: Request, pk: UUID, calendar: UUID, **_kwargs: Any
    ) -> Response:
        return Response(CalendarImportOut(one(self, request, pk, calendar)).data)

    @extend_schema(
        operation_id="calendar_imports_destroy",
        summary="Forget a calendar and the shifts that were read from it",
        responses=GONE,
    )
    def delete(
        self, request: Request, pk: UUID, calendar: UUID, **_kwargs: Any
    ) -> Response:
        row = one(self, request, pk, calendar)
        note(row, "delete", self.standing(request).actor)
        row.delete()
        return Response(status=204)


class CalendarFetchView(TenantAPIView):
    """The next reading of one imported calendar."""

    scopes = WRITING

    @extend_schema(
        operation_id="calendar_imports_fetch",
        summary="Read the calendar now: the engine does within its next seconds",
        request=None,
        responses={202: CalendarImportOut, 401: ErrorOut, 403: ErrorOut, 404: ErrorOut},
    )
    def post(
        self, request: Request, pk: UUID, calendar: UUID, **_kwargs: Any
    ) -> Response:
        row = one(self, request, pk, calendar)
        row.ask_anew()
        row.save()
        note(row, "read", self.standing(request).actor)
        return Response(CalendarImportOut(row).data, status=202)


def one(
    view: TenantAPIView, request: Request, pk: UUID, calendar: UUID
) -> CalendarImport:
    """Return what is fastened to the schedule, to write it. Raises Http404."""
    schedule = schedule_of(view, request, pk)
    rows = CalendarImport.objects.select_for_update()
    found: CalendarImport = get_object_or_404(
        rows, tenant_id=schedule.tenant_id, schedule=schedule, pk=calendar
    )
    return found


def note(row: CalendarImport, verb: str, actor: Actor) -> None:
    audit.record(
        row.tenant_id,
        actor,
        f"{KIND}.{verb}",
        kind=KIND,
        object_id=row.pk,
        schedule=str(row.schedule_id),
        overrides=row.overrides,
    )
