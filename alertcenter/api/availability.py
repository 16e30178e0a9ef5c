"""When members work and what they can do, over the documented API: all see it, a
member writes his own, with the scope admin everybody's."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from alertcenter.api.alerts import ErrorOut
from alertcenter.api.base import Pages, page_of
from alertcenter.api.fields import DetailsField
from alertcenter.api.own_rows import OwnRowsView
from alertcenter.api.schedules import checked
from escalation import calendar_reading, calendar_words, holidays
from escalation.calendar_fetch import checked_url
from escalation.hours import MOST_HOURS
from escalation.models import Availability
from escalation.models.calendars import LONGEST_SKILL, MOST_SKILLS
from tenants import audit
from tenants.actors import Actor
from tenants.models import Member

REFUSALS = {400: ErrorOut, 401: ErrorOut, 403: ErrorOut, 404: ErrorOut}
KIND = "availability"
LONGEST_URL = 2_000


class AvailabilityIn(serializers.Serializer):
    """When a member works. What is left out is empty; only the calendar stays as it is
    when it is left out, and is forgotten with what was read from it when it is null."""

    hours = serializers.ListField(
        child=DetailsField(),
        required=False,
        max_length=MOST_HOURS,
        help_text='Such as {"days": ["mon"], "begins": "09:00", "ends": "17:00"}.',
    )
    holiday_country = serializers.CharField(
        required=False, allow_blank=True, max_length=2
    )
    holiday_subdivision = serializers.CharField(
        required=False, allow_blank=True, max_length=10
    )
    skills = serializers.ListField(
        child=serializers.CharField(max_length=LONGEST_SKILL),
        required=False,
        max_length=MOST_SKILLS,
    )
    absences_url = serializers.CharField(
        required=False,
        allow_null=True,
        max_length=LONGEST_URL,
        write_only=True,
        help_text="A private iCal address. It is stored sealed and never shown.",
    )

    def validate_absences_url(self, value: str | None) -> str | None:
        return address(value) if value else None

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        country = attrs.get("holiday_country", "")
        region = attrs.get("holiday_subdivision", "")
        try:
            country, region = holidays.region(country, region)
        except holidays.HolidaysError as error:
            wrong = {"holiday_country": f"Not known: {error}"}
            raise serializers.ValidationError(wrong) from error
        return attrs | {"holiday_country": country, "holiday_subdivision": region}


class AvailabilityOut(serializers.Serializer):
    """When a member works. `calendar`: he named one of absences; `problem` is told
    only to who may mend it."""

    member = serializers.UUIDField(source="member_id")
    hours = serializers.ListField(child=DetailsField())
    holiday_country = serializers.CharField()
    holiday_subdivision = serializers.CharField()
    skills = serializers.ListField(child=serializers.CharField())
    calendar = serializers.SerializerMethodField()
    fetched_at = serializers.DateTimeField(allow_null=True)
    problem = serializers.SerializerMethodField()

    def get_calendar(self, row: Availability) -> bool:
        return bool(row.absences_url)

    def get_problem(self, row: Availability) -> str:
        return calendar_words.said(row.error)


class AvailabilityView(OwnRowsView):
    """One member's availability."""

    def row_of(self, member: Member) -> Availability:
        """Return the stored row, or a new one that is not saved."""
        mine = {"tenant_id": member.tenant_id, "member": member}
        return Availability.objects.filter(**mine).first() or Availability(**mine)

    def shown(self, request: Request, answer: Response) -> Response:
        """Return the answer, with what may be said to who asks."""
        for body in answer.data.get("results", [answer.data]):
            if not self.may_write(request, UUID(body["member"])):
                body["problem"] = ""
        return answer

    def read(self, request: Request, pk: UUID | None = None) -> Response:
        row = self.row_of(self.member(request, pk))
        return self.shown(request, Response(dict(AvailabilityOut(row).data)))

    def write(self, request: Request, pk: UUID | None = None) -> Response:
        given = AvailabilityIn(data=request.data)
        given.is_valid(raise_exception=True)
        # The member's row first: two who write a new availability wait for each other.
        member = self.writable(request, pk)
        Member.objects.select_for_update().get(pk=member.pk)
        row = self.row_of(member)
        new = row._state.adding
        put(row, given.validated_data)
        note(row, "create" if new else "change", self.standing(request).actor)
        return Response(AvailabilityOut(row).data)


class AvailabilitiesView(AvailabilityView):
    """Everybody's."""

    @extend_schema(
        operation_id="availability_list",
        summary="List when members work and what they can do",
        responses={200: page_of(AvailabilityOut), 401: ErrorOut},
    )
    def get(self, request: Request, **_kwargs: Any) -> Response:
        rows = Availability.objects.filter(tenant_id=self.standing(request).tenant_id)
        answer = Pages("member_id").answer(rows, self, AvailabilityOut)
        return self.shown(request, answer)


class MyAvailabilityView(AvailabilityView):
    """One's own."""

    @extend_schema(
        operation_id="my_availability_retrieve",
        summary="Read when you work",
        responses={200: AvailabilityOut, 401: ErrorOut, 404: ErrorOut},
    )
    def get(self, request: Request, **_kwargs: Any) -> Response:
        return self.read(request)

    @extend_schema(
        operation_id="my_availability_update",
        summary="Write when you work",
        request=AvailabilityIn,
        responses={200: AvailabilityOut} | REFUSALS,
    )
    def put(self, request: Request, **_kwargs: Any) -> Response:
        return self.write(request)


class MemberAvailabilityView(AvailabilityView):
    """A member's; writing it takes the scope admin, or that it is one's own."""

    @extend_schema(
        operation_id="member_availability_retrieve",
        summary="Read when a member works",
        responses={200: AvailabilityOut, 401: ErrorOut, 404: ErrorOut},
    )
    def get(self, request: Request, pk: UUID, **_kwargs: Any) -> Response:
        return self.read(request, pk)

    @extend_schema(
        operation_id="member_availability_update",
        summary="Write when a member works",
        request=AvailabilityIn,
        responses={200: AvailabilityOut} | REFUSALS,
    )
    def put(self, request: Request, pk: UUID, **_kwargs: Any) -> Response:
        return self.write(request, pk)

    @extend_schema(
        operation_id="member_availability_destroy",
        summary="Delete it, with what was read from a calendar: works at all hours",
        responses={204: None, 401: ErrorOut, 403: ErrorOut, 404: ErrorOut},
    )
    def delete(self, request: Request, pk: UUID, **_kwargs: Any) -> Response:
        member = self.writable(request, pk)
        rows = Availability.objects.select_for_update()
        row = get_object_or_404(rows, tenant_id=member.tenant_id, member=member)
        note(row, "delete", self.standing(request).actor)
        calendar_reading.forget_absences(row)
        row.delete()
        return Response(status=204)


def put(row: Availability, given: dict[str, Any]) -> None:
    """Save what was given. Raises serializers.ValidationError."""
    row.hours = given.get("hours", [])
    row.skills = list(dict.fromkeys(given.get("skills", [])))
    row.holiday_country = given["holiday_country"]
    row.holiday_subdivision = given["holiday_subdivision"]
    checked(row, but=["absences_url"])
    if "absences_url" in given:
        row.absences_url = given["absences_url"]
        row.ask_anew()
    row.save()
    if not row.absences_url:
        calendar_reading.forget_absences(row)


def address(url: str) -> str:
    """Return a calendar's address. Raises serializers.ValidationError."""
    try:
        return checked_url(url)
    except ValidationError as error:
        raise serializers.ValidationError(error.messages) from error


def note(row: Availability, verb: str, actor: Actor) -> None:
    audit.record(
        row.tenant_id,
        actor,
        f"{KIND}.{verb}",
        kind=KIND,
        object_id=row.pk,
        member=str(row.member_id),
    )
