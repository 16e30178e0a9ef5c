"""How a member is told, over the documented API: read and write it as a whole."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from alertcenter.api.alerts import ErrorOut
from alertcenter.api.base import TenantAPIView
from alertcenter.api.fields import SeverityField
from notifications import personal, personal_words, wishes
from notifications.models import Contact, PersonalRule, PersonalStep, QuietHours
from notifications.models.personal import DAY_NAMES, LONGEST_WAIT, QuietHow
from tenants.actors import MEMBER
from tenants.models import Member
from tenants.models.apikey import Scope

REFUSALS = {400: ErrorOut, 401: ErrorOut, 403: ErrorOut, 404: ErrorOut}


class PersonalContact(serializers.Serializer):
    """One address of the member; the order is that of the list."""

    kind = serializers.CharField(max_length=20)
    address = serializers.CharField(max_length=320)


class PersonalStepShape(serializers.Serializer):
    """One of the three: a contact as `kind:address`, all of a kind, or a wait."""

    contact = serializers.CharField(max_length=400, required=False)
    by = serializers.CharField(max_length=20, required=False)
    wait_seconds = serializers.IntegerField(
        min_value=1, max_value=LONGEST_WAIT, required=False
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs) != 1:
            raise serializers.ValidationError("Give one of contact, by, wait_seconds.")
        return attrs


class QuietSpan(serializers.Serializer):
    """A time of the week; it begins on these days and may end on the next."""

    days = serializers.ListField(
        child=serializers.ChoiceField(choices=list(DAY_NAMES)),
        min_length=1,
        max_length=len(DAY_NAMES),
    )
    begins = serializers.TimeField()
    ends = serializers.TimeField()


class QuietShape(serializers.Serializer):
    """When the member wants quiet, and from whom."""

    below = SeverityField(required=False)
    how = serializers.ChoiceField(choices=QuietHow.values, required=False)
    time_zone = serializers.CharField(max_length=64, allow_blank=True, required=False)
    hours = QuietSpan(many=True, required=False)


class PersonalIn(serializers.Serializer):
    """What is left out stays as it is; a list that is given takes the old one's place.

    Steps name contacts that exist, or that the same request gives.
    """

    contacts = PersonalContact(many=True, required=False)
    usual = PersonalStepShape(many=True, required=False)
    important = PersonalStepShape(many=True, required=False)
    important_from = SeverityField(required=False)
    quiet = QuietShape(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        for name, most in (
            ("contacts", wishes.MOST_CONTACTS),
            ("usual", wishes.MOST_STEPS),
            ("important", wishes.MOST_STEPS),
        ):
            if len(attrs.get(name) or ()) > most:
                raise serializers.ValidationError({name: f"At most {most}."})
        if len((attrs.get("quiet") or {}).get("hours") or ()) > wishes.MOST_HOURS:
            raise serializers.ValidationError({"quiet": "Too many hours."})
        return attrs


class PersonalWords(serializers.Serializer):
    """The same, as a person reads it, in the caller's language."""

    usual = serializers.CharField()
    important = serializers.CharField()
    quiet = serializers.CharField()


class PersonalOut(serializers.Serializer):
    """How one member is told."""

    member = serializers.UUIDField()
    name = serializers.CharField()
    contacts = PersonalContact(many=True)
    usual = PersonalStepShape(many=True)
    important = PersonalStepShape(many=True)
    important_from = SeverityField()
    quiet = QuietShape()
    words = PersonalWords()


class PersonalView(TenantAPIView):
    """One member's contacts, chains and quiet hours. One's own, or with the scope
    admin anybody's."""

    scopes = {"PUT": Scope.READ.value}  # writing one's own takes no more than a place

    def member(self, request: Request, pk: UUID | None) -> Member:
        """Return the member that is meant. Raises Http404, PermissionDenied."""
        standing = self.standing(request)
        own = standing.actor.id if standing.actor.kind == MEMBER else ""
        if pk is None and not own:
            raise Http404  # a key, or an operator: nobody who is told
        rows = Member.objects.filter(tenant_id=standing.tenant_id)
        found = get_object_or_404(rows, pk=pk or own)
        if str(found.pk) != own and Scope.ADMIN.value not in standing.scopes:
            raise PermissionDenied
        return found

    def read(self, request: Request, pk: UUID | None = None) -> Response:
        return Response(PersonalOut(facts(self.member(request, pk))).data)

    def write(self, request: Request, pk: UUID | None = None) -> Response:
        given = PersonalIn(data=request.data)
        given.is_valid(raise_exception=True)
        member = self.member(request, pk)
        standing = self.standing(request)
        try:
            wishes.write(
                member,
                wishes_of(given.validated_data),
                actor=standing.actor,
                administers=Scope.ADMIN.value in standing.scopes,
            )
        except ValidationError as error:
            raise serializers.ValidationError(
                serializers.as_serializer_error(error)
            ) from error
        return Response(PersonalOut(facts(member)).data)


class MyNotificationsView(PersonalView):
    """One's own."""

    @extend_schema(
        operation_id="my_notifications_retrieve",
        summary="Read how you are told",
        responses={200: PersonalOut, 401: ErrorOut, 404: ErrorOut},
    )
    def get(self, request: Request, **_kwargs: Any) -> Response:
        return self.read(request)

    @extend_schema(
        operation_id="my_notifications_update",
        summary="Write how you are told",
        request=PersonalIn,
        responses={200: PersonalOut} | REFUSALS,
    )
    def put(self, request: Request, **_kwargs: Any) -> Response:
        return self.write(request)


class MemberNotificationsView(PersonalView):
    """Anybody's, with the scope admin; one's own without."""

    @extend_schema(
        operation_id="member_notifications_retrieve",
        summary="Read how a member is told",
        responses={200: PersonalOut, 401: ErrorOut, 403: ErrorOut, 404: ErrorOut},
    )
    def get(self, request: Request, pk: UUID, **_kwargs: Any) -> Response:
        return self.read(request, pk)

    @extend_schema(
        operation_id="member_notifications_update",
        summary="Write how a member is told",
        request=PersonalIn,
        responses={200: PersonalOut} | REFUSALS,
    )
    def put(self, request: Request, pk: UUID, **_kwargs: Any) -> Response:
        return self.write(request, pk)


def wishes_of(given: dict[str, Any]) -> wishes.Wishes:
    """Return what a valid request asks for."""
    quiet = given.get("quiet") or {}
    rule = {
        name: values[key]
        for name, values, key in (
            ("important_from", given, "important_from"),
            ("quiet_below", quiet, "below"),
            ("quiet_how", quiet, "how"),
            ("time_zone", quiet, "time_zone"),
        )
        if key in values
    }
    contacts, hours = given.get("contacts"), quiet.get("hours")
    return wishes.Wishes(
        contacts=None
        if contacts is None
        else [(one["kind"], one["address"]) for one in contacts],
        usual=given.get("usual"),
        important=given.get("important"),
        rule=rule or None,
        hours=None
        if hours is None
        else [(one["days"], one["begins"], one["ends"]) for one in hours],
    )


def facts(member: Member) -> dict[str, Any]:
    """Return what the answer holds."""
    mine = {"tenant_id": member.tenant_id, "member_id": member.pk}
    rule = PersonalRule.objects.filter(**mine).first() or PersonalRule()
    person = personal.read(member.tenant_id, member.pk)
    steps = list(PersonalStep.objects.filter(**mine).select_related("contact"))
    return {
        "member": member.pk,
        "name": member.name,
        "contacts": list(Contact.objects.filter(**mine)),
        "usual": [_step(step) for step in steps if not step.important],
        "important": [_step(step) for step in steps if step.important],
        "important_from": rule.important_from,
        "quiet": {
            "below": rule.quiet_below,
            "how": rule.quiet_how,
            "time_zone": rule.time_zone,
            "hours": list(QuietHours.objects.filter(**mine)),
        },
        "words": {
            "usual": personal_words.chain_words(person, important=False),
            "important": personal_words.chain_words(person, important=True),
            "quiet": personal_words.quiet_words(person),
        }
        if person
        else {"usual": "", "important": "", "quiet": ""},
    }


def _step(step: PersonalStep) -> dict[str, Any]:
    if step.contact is not None:
        return {"contact": wishes.place_of(step.contact)}
    if step.by:
        return {"by": step.by}
    return {"wait_seconds": step.wait_seconds}
