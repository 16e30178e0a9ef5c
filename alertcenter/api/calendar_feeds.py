"""Private calendar addresses over the documented API: list, make and revoke them.

One's own shifts need no more than a place in the tenant; a schedule's, and other
members', the scope admin.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from alertcenter.api.alerts import ErrorOut
from alertcenter.api.base import Pages, TenantAPIView, page_of
from escalation import feeds
from escalation.models import CalendarFeed, Schedule
from tenants.actors import MEMBER
from tenants.models import Member
from tenants.models.apikey import Scope

# Making one's own takes no more than a place.
WRITING = dict.fromkeys(("POST", "DELETE"), Scope.READ.value)
REFUSALS = {400: ErrorOut, 401: ErrorOut, 403: ErrorOut, 404: ErrorOut}


class CalendarFeedIn(serializers.Serializer):
    """Whose shifts, by which schedule: one of the two, or both."""

    schedule = serializers.UUIDField(required=False, allow_null=True)
    member = serializers.UUIDField(required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs.get("schedule") and not attrs.get("member"):
            raise serializers.ValidationError("Give a schedule, a member, or both.")
        return attrs


class CalendarFeedOut(serializers.Serializer):
    """One feed; its address was shown when it was made."""

    id = serializers.UUIDField()
    schedule = serializers.UUIDField(source="schedule_id", allow_null=True)
    member = serializers.UUIDField(source="member_id", allow_null=True)
    made_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(allow_null=True)


class CalendarFeedMadeOut(CalendarFeedOut):
    """A new feed; its address is shown this once."""

    url = serializers.URLField()


class Own(TenantAPIView):
    """What a caller may see: all with the scope admin, else his own."""

    scopes = WRITING

    def own_id(self, request: Request) -> str:
        actor = self.standing(request).actor
        return actor.id if actor.kind == MEMBER else ""

    def administers(self, request: Request) -> bool:
        return Scope.ADMIN.value in self.standing(request).scopes

    def rows(self, request: Request) -> QuerySet[CalendarFeed]:
        rows = CalendarFeed.objects.filter(tenant_id=self.standing(request).tenant_id)
        if self.administers(request):
            return rows
        own = self.own_id(request)
        return rows.filter(member_id=own) if own else rows.none()


class FeedsView(Own):
    """Private calendar addresses."""

    @extend_schema(
        operation_id="calendars_list",
        summary="List private calendar addresses, without the addresses",
        responses={200: page_of(CalendarFeedOut), 401: ErrorOut},
    )
    def get(self, request: Request, **_kwargs: Any) -> Response:
        return Pages("-made_at", "id").answer(self.rows(request), self, CalendarFeedOut)

    @extend_schema(
        operation_id="calendars_create",
        summary="Make a private calendar address; the answer holds it",
        request=CalendarFeedIn,
        responses={201: CalendarFeedMadeOut} | REFUSALS,
    )
    def post(self, request: Request, **_kwargs: Any) -> Response:
        given = CalendarFeedIn(data=request.data)
        given.is_valid(raise_exception=True)
        wanted = given.validated_data
        standing = self.standing(request)
        mine = {"tenant_id": standing.tenant_id}
        whose, which = wanted.get("member"), wanted.get("schedule")
        own = str(whose) == self.own_id(request)
        schedule = member = None
        if whose:
            member = get_object_or_404(Member.objects.filter(**mine), pk=whose)
        if which:
            schedule = get_object_or_404(Schedule.objects.filter(**mine), pk=which)
        if not own and not self.administers(request):
            raise PermissionDenied
        try:
            feed, token = feeds.make(
                standing.tenant_id,
                schedule=schedule,
                member=member,
                actor=standing.actor,
            )
        except feeds.TooManyFeeds as error:
            raise serializers.ValidationError(
                f"There are {feeds.MOST_FEEDS} already."
            ) from error
        feed.refresh_from_db()
        body = CalendarFeedOut(feed).data | {"url": feeds.address_of(token)}
        return Response(body, status=201)


class FeedView(Own):
    """One private calendar address."""

    @extend_schema(
        operation_id="calendars_destroy",
        summary="Revoke a private calendar address",
        responses={204: None, 401: ErrorOut, 403: ErrorOut, 404: ErrorOut},
    )
    def delete(self, request: Request, pk: UUID, **_kwargs: Any) -> Response:
        feed = get_object_or_404(self.rows(request).select_for_update(), pk=pk)
        feeds.revoke(feed, actor=self.standing(request).actor)
        return Response(status=204)
