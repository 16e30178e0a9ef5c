"""Teams over the documented API: list, make, read, change and delete them whole."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from alertcenter.api.alerts import ErrorOut
from alertcenter.api.base import Pages, TenantAPIView, page_of
from alertcenter.api.schedules import checked, known
from escalation import teams
from escalation.limits import MOST_TEAM_MEMBERS
from escalation.models import Team
from tenants.models.apikey import Scope

WRITING = dict.fromkeys(("POST", "PATCH", "DELETE"), Scope.ADMIN.value)
REFUSALS = {400: ErrorOut, 401: ErrorOut, 403: ErrorOut}


class TeamIn(serializers.Serializer):
    """A team. With `members` it has these and no others, in this order."""

    name = serializers.CharField(max_length=100)
    members = serializers.ListField(
        child=serializers.UUIDField(), required=False, max_length=MOST_TEAM_MEMBERS
    )


class TeamOut(serializers.Serializer):
    """A team as it stands."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    members = serializers.SerializerMethodField()

    def get_members(self, row: Team) -> list[UUID]:
        """In the order in which they are told."""
        places = sorted(row.memberships.all(), key=lambda one: (one.position, one.pk))
        return [place.member_id for place in places]


class TeamsView(TenantAPIView):
    """The tenant's teams."""

    scopes = WRITING

    @extend_schema(
        operation_id="teams_list",
        summary="List teams",
        responses={200: page_of(TeamOut), 401: ErrorOut},
    )
    def get(self, request: Request, **_kwargs: Any) -> Response:
        rows = whole(self.standing(request).tenant_id)
        return Pages("name").answer(rows, self, TeamOut)

    @extend_schema(
        operation_id="teams_create",
        summary="Make a team",
        request=TeamIn,
        responses={201: TeamOut, **REFUSALS},
    )
    def post(self, request: Request, **_kwargs: Any) -> Response:
        given = TeamIn(data=request.data)
        given.is_valid(raise_exception=True)
        standing = self.standing(request)
        row = Team(tenant_id=standing.tenant_id)
        write(row, given.validated_data)
        teams.note(row, "create", standing.actor)
        return Response(TeamOut(read(row)).data, status=201)


class TeamView(TenantAPIView):
    """One team."""

    scopes = WRITING

    @extend_schema(
        operation_id="teams_retrieve",
        summary="Read one team",
        responses={200: TeamOut, 401: ErrorOut, 404: ErrorOut},
    )
    def get(self, request: Request, pk: UUID, **_kwargs: Any) -> Response:
        rows = whole(self.standing(request).tenant_id)
        return Response(TeamOut(get_object_or_404(rows, pk=pk)).data)

    @extend_schema(
        operation_id="teams_update",
        summary="Change one team; members, if given, as a whole",
        request=TeamIn(partial=True),
        responses={200: TeamOut, **REFUSALS, 404: ErrorOut},
    )
    def patch(self, request: Request, pk: UUID, **_kwargs: Any) -> Response:
        given = TeamIn(data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        row = self.locked(request, pk)
        write(row, given.validated_data)
        fields = sorted(given.validated_data)
        teams.note(row, "change", self.standing(request).actor, fields=fields)
        return Response(TeamOut(read(row)).data)

    @extend_schema(
        operation_id="teams_destroy",
        summary="Delete one team; steps that name it tell nobody",
        responses={204: None, 401: ErrorOut, 403: ErrorOut, 404: ErrorOut},
    )
    def delete(self, request: Request, pk: UUID, **_kwargs: Any) -> Response:
        row = self.locked(request, pk)
        teams.note(row, "delete", self.standing(request).actor)
        row.delete()
        return Response(status=204)

    def locked(self, request: Request, pk: UUID) -> Team:
        """Return the team, to write it. Raises Http404."""
        rows = Team.objects.select_for_update()
        tenant_id = self.standing(request).tenant_id
        found: Team = get_object_or_404(rows, tenant_id=tenant_id, pk=pk)
        return found


def whole(tenant_id: UUID) -> QuerySet[Team]:
    rows = Team.objects.filter(tenant_id=tenant_id)
    return rows.prefetch_related("memberships")


def read(row: Team) -> Team:
    return whole(row.tenant_id).get(pk=row.pk)


def write(row: Team, given: dict[str, Any]) -> None:
    """Save what was given. Raises serializers.ValidationError."""
    if "name" in given:
        row.name = given["name"]
    people = given.get("members")
    known(row.tenant_id, people or [])
    checked(row)
    row.save()
    if people is not None:
        teams.set_members(row, people)
