"""Silences and maintenance over the documented API: preview, make, change, expire."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from alertcenter.alerts import lifecycle, silence_preview, silences, windows
from alertcenter.alerts.matchers import LONGEST_PATTERN
from alertcenter.alerts.models import Silence
from alertcenter.alerts.models.silence import SilenceKind
from alertcenter.alerts.silence_drafts import (
    LONGEST_COMMENT,
    LONGEST_NAME,
    LONGEST_REMINDER,
    MOST_MATCHERS,
    checked,
    window_of,
)
from alertcenter.alerts.silences import ACTIVE, EXPIRED, PENDING, Draft, SilenceError
from alertcenter.alerts.windows import WindowError
from alertcenter.api import filters
from alertcenter.api.alerts import ErrorOut
from alertcenter.api.base import Pages, TenantAPIView, page_of
from alertcenter.api.fields import LabelsField, SeverityField
from alertcenter.common.errors import Refused
from tenants.models.apikey import Scope

STATES = (ACTIVE, PENDING, EXPIRED)
LONGEST_SECONDS = 10 * 366 * 24 * 3600
MOST_COMING = 5
STATUSES = {"not_found": 404, "broad": 409, "many": 409}
REFUSALS = {400: ErrorOut, 401: ErrorOut, 403: ErrorOut, 409: ErrorOut}
# What clients call otherwise than the row.
RENAMED = {"route": "route_id", "group": "group_id", "owner": "owner_id"}


class SilenceIn(serializers.Serializer):
    """What to hear nothing of, and until when: `ends_at` or `lasts_seconds`."""

    kind = serializers.ChoiceField(choices=SilenceKind.values, required=False)
    title = serializers.CharField(
        required=False, allow_blank=True, max_length=LONGEST_NAME
    )
    matchers = serializers.ListField(
        child=serializers.CharField(max_length=LONGEST_PATTERN + 200),
        min_length=1,
        max_length=MOST_MATCHERS,
        help_text='Conditions such as `team="db"` or `env=~"prod|stage"`; all hold.',
    )
    starts_at = serializers.DateTimeField(
        required=False,
        help_text="Now when it is missing; of one that recurs, the first occurrence.",
    )
    ends_at = serializers.DateTimeField(required=False)
    lasts_seconds = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=LONGEST_SECONDS,
        help_text="Instead of `ends_at`: from the start, or from now if that is over.",
    )
    comment = serializers.CharField(
        required=False, allow_blank=True, max_length=LONGEST_COMMENT
    )
    created_by = serializers.CharField(
        required=False, allow_blank=True, max_length=LONGEST_NAME
    )
    annotations = LabelsField(required=False)
    recurrence = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=windows.LONGEST_RULE,
        help_text="An RRULE by day, week, month or year: `FREQ=WEEKLY;BYDAY=SA,SU`.",
    )
    time_zone = serializers.CharField(
        required=False, allow_blank=True, max_length=64, help_text="Of the recurrence."
    )
    duration_seconds = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=windows.SHORTEST,
        max_value=windows.LONGEST,
        help_text="Of one occurrence.",
    )
    until_gone = serializers.BooleanField(
        required=False, help_text="It ends when nothing that it mutes fires any more."
    )
    route = serializers.UUIDField(
        required=False, allow_null=True, help_text="Only for this route."
    )
    group = serializers.UUIDField(
        required=False, allow_null=True, help_text="Only for this group."
    )
    owner = serializers.UUIDField(
        required=False, allow_null=True, help_text="A member; you, if you are one."
    )
    remind_seconds = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=0,
        max_value=LONGEST_REMINDER,
        help_text="The owner is told so long before its end.",
    )
    confirm = serializers.BooleanField(
        required=False,
        help_text="Needed for one that would mute over half of what is open (409).",
    )


class SpanOut(serializers.Serializer):
    """One occurrence."""

    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()


class SilenceOut(serializers.Serializer):
    """One silence as it stands."""

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=SilenceKind.values)
    state = serializers.SerializerMethodField()
    title = serializers.CharField()
    matchers = serializers.ListField(child=serializers.CharField())
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    comment = serializers.CharField()
    created_by = serializers.CharField()
    owner = serializers.UUIDField(source="owner_id", allow_null=True)
    annotations = LabelsField()
    recurrence = serializers.CharField()
    time_zone = serializers.CharField()
    duration_seconds = serializers.IntegerField(allow_null=True)
    until_gone = serializers.BooleanField()
    route = serializers.UUIDField(source="route_id", allow_null=True)
    group = serializers.UUIDField(source="group_id", allow_null=True)
    remind_seconds = serializers.IntegerField(allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()

    def get_state(self, row: Silence) -> str:
        """Active, pending or expired; between two occurrences it is pending."""
        asked_at = getattr(row, "asked_at", None)  # by lists, for all rows at once
        return silences.state_of(row, asked_at or lifecycle.database_time())


class SilenceDetailOut(SilenceOut):
    """One silence with its next occurrences."""

    coming = SpanOut(many=True)


class ExampleOut(serializers.Serializer):
    """One open alert that would fall quiet."""

    id = serializers.UUIDField()
    title = serializers.CharField()
    severity = SeverityField()
    labels = LabelsField()


class PreviewOut(serializers.Serializer):
    """What a silence would mute. With `at_least` there is more than was looked at."""

    now = serializers.IntegerField(help_text="Open alerts that would fall quiet.")
    open = serializers.IntegerField(help_text="All open alerts.")
    share = serializers.FloatField(help_text="From 0 to 1.")
    week = serializers.IntegerField(
        help_text="Times that what it matches began to fire in the last seven days."
    )
    at_least = serializers.BooleanField()
    needs_confirm = serializers.BooleanField()
    examples = ExampleOut(many=True)
    coming = SpanOut(many=True)


class SilencesView(TenantAPIView):
    """The tenant's silences and maintenance."""

    @extend_schema(
        operation_id="silences_list",
        summary="List silences, what ends last first",
        parameters=[
            *filters.documented("state"),
            OpenApiParameter("kind", OpenApiTypes.STR, enum=SilenceKind.values),
        ],
        responses={200: page_of(SilenceOut), 400: ErrorOut, 401: ErrorOut},
    )
    def get(self, request: Request, **_kwargs: Any) -> Response:
        rows = Silence.objects.filter(tenant_id=self.standing(request).tenant_id)
        wanted = filters.states(request, STATES)
        if wanted:
            rows = in_states(rows, wanted, lifecycle.database_time())
        kind = request.GET.get("kind", "")
        if kind and kind not in SilenceKind.values:
            words = ", ".join(SilenceKind.values)
            raise filters.bad("kind", _("one of %(words)s") % {"words": words})
        if kind:
            rows = rows.filter(kind=kind)
        rows = rows.annotate(asked_at=Now())
        return Pages("-ends_at", "id").answer(rows, self, SilenceOut)

    @extend_schema(
        operation_id="silences_create",
        summary="Make a silence",
        request=SilenceIn,
        responses={201: SilenceOut, **REFUSALS},
    )
    def post(self, request: Request, **_kwargs: Any) -> Response:
        standing = self.standing(request)
        values = given(request)
        draft = drafted(values, lifecycle.database_time())
        row = keep(standing.tenant_id, draft, values, actor=standing.actor)
        return Response(SilenceOut(row).data, status=201)


class SilencePreviewView(TenantAPIView):
    """What a silence would do, before anybody makes it."""

    scopes = {"POST": Scope.READ.value}

    @extend_schema(
        operation_id="silences_preview",
        summary="Say what a silence would mute; nothing is kept",
        request=SilenceIn,
        responses={200: PreviewOut, 400: ErrorOut, 401: ErrorOut, 403: ErrorOut},
    )
    def post(self, request: Request, **_kwargs: Any) -> Response:
        tenant_id = self.standing(request).tenant_id
        now = lifecycle.database_time()
        try:
            draft = checked(tenant_id, drafted(given(request), now), now)
        except SilenceError as error:
            raise refused(error) from error
        draft = replace(draft, starts_at=draft.starts_at or now)
        found = silence_preview.preview(
            tenant_id, draft.matchers, route_id=draft.route_id, group_id=draft.group_id
        )
        body = {
            "now": found.now.muted,
            "open": found.now.open,
            "share": round(found.now.share, 4),
            "week": found.week,
            "at_least": found.now.cut or found.week_cut,
            "needs_confirm": found.now.is_broad,
            "examples": found.now.examples,
            "coming": coming(draft, now),
        }
        return Response(PreviewOut(body).data)


class SilenceView(TenantAPIView):
    """One silence."""

    @extend_schema(
        operation_id="silences_retrieve",
        summary="Read one silence",
        responses={200: SilenceDetailOut, 401: ErrorOut, 404: ErrorOut},
    )
    def get(self, request: Request, pk: UUID, **_kwargs: Any) -> Response:
        row = one(self.standing(request).tenant_id, pk)
        body = SilenceOut(row).data
        spans = coming(row, lifecycle.database_time())
        body["coming"] = SpanOut(spans, many=True).data
        return Response(body)

    @extend_schema(
        operation_id="silences_update",
        summary="Change one silence",
        description=(
            "Conditions, scope, recurrence and the start of one that has begun are not "
            "changed in place: it ends and another one takes its place, whose `id` is "
            "in the answer."
        ),
        request=SilenceIn(partial=True),
        responses={200: SilenceOut, **REFUSALS, 404: ErrorOut},
    )
    def patch(self, request: Request, pk: UUID, **_kwargs: Any) -> Response:
        standing = self.standing(request)
        values = given(request, partial=True)
        known = one(standing.tenant_id, pk)
        draft = drafted(values, lifecycle.database_time(), known=known)
        row = keep(standing.tenant_id, draft, values, actor=standing.actor, pk=pk)
        return Response(SilenceOut(row).data)

    @extend_schema(
        operation_id="silences_expire",
        summary="End one silence now; it stays in the list for five days",
        responses={204: None, 401: ErrorOut, 403: ErrorOut, 404: ErrorOut},
    )
    def delete(self, request: Request, pk: UUID, **_kwargs: Any) -> Response:
        standing = self.standing(request)
        try:
            silences.expire(standing.tenant_id, pk, actor=standing.actor)
        except SilenceError as error:
            raise refused(error) from error
        return Response(status=204)


def one(tenant_id: UUID, pk: UUID) -> Silence:
    """Return the tenant's silence. Raises Http404."""
    return get_object_or_404(Silence, tenant_id=tenant_id, pk=pk)


def given(request: Request, *, partial: bool = False) -> dict[str, Any]:
    """Return what the body says. Raises ValidationError."""
    read = SilenceIn(data=request.data, partial=partial)
    read.is_valid(raise_exception=True)
    return dict(read.validated_data)


def drafted(
    values: Mapping[str, Any], now: datetime, *, known: Silence | None = None
) -> Draft:
    """Return what is asked for, on top of what is known. Raises Refused."""
    draft = silences.draft_of(known) if known else Draft((), now)
    named = {
        RENAMED.get(name, name): value
        for name, value in values.items()
        if name not in ("confirm", "lasts_seconds")
    }
    draft = replace(draft, **named)
    seconds = values.get("lasts_seconds")
    if seconds is not None and "ends_at" not in values:
        begin = max(draft.starts_at or now, now)
        try:
            return replace(draft, ends_at=begin + timedelta(seconds=seconds))
        except OverflowError as error:
            message = _("A silence cannot end that late.")
            raise Refused(400, "silence_order", message) from error
    if known is None and "ends_at" not in values:
        raise Refused(400, "silence_end", _("Say until when: ends_at, lasts_seconds."))
    return draft


def keep(
    tenant_id: UUID,
    draft: Draft,
    values: Mapping[str, Any],
    *,
    actor: Any,
    pk: UUID | None = None,
) -> Silence:
    """Save it. Raises Refused."""
    try:
        return silences.save(
            tenant_id,
            draft,
            actor=actor,
            silence_id=pk,
            confirm=values.get("confirm", False),
        )
    except SilenceError as error:
        raise refused(error) from error


def refused(error: SilenceError) -> Refused:
    """Return a silence's refusal as the API's."""
    status = STATUSES.get(error.code, 400)
    return Refused(status, f"silence_{error.code}", error.message)


def coming(what: Draft | Silence, now: datetime) -> list[windows.Span]:
    """Return its next occurrences."""
    try:
        return list(islice(windows.spans(window_of(what), now), MOST_COMING))
    except WindowError:
        return []


def in_states(
    rows: QuerySet[Silence], wanted: list[str], now: datetime
) -> QuerySet[Silence]:
    """Return those in these states; one that recurs as the engine saw it last."""
    holds = Q(recurrence="", starts_at__lte=now) | (
        ~Q(recurrence="") & Q(in_force=True)
    )
    every = {
        ACTIVE: Q(ends_at__gt=now) & holds,
        PENDING: Q(ends_at__gt=now) & ~holds,
        EXPIRED: Q(ends_at__lte=now),
    }
    chosen = Q()
    for state in wanted:
        chosen |= every[state]
    return rows.filter(chosen)
