"""What changes a schedule for a while, over the documented API: overrides, swaps and
temporary schedules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from alertcenter.api.alerts import ErrorOut
from alertcenter.api.auth import Standing
from alertcenter.api.base import Pages, TenantAPIView, page_of
from alertcenter.api.on_call import schedule_of
from alertcenter.api.schedules import checked, known
from alertcenter.common.errors import Refused
from escalation import overriding, swapping
from escalation.models import Override, Swap
from escalation.models.changes import OverrideKind
from escalation.swapping import SwapError
from tenants import roles
from tenants.actors import MEMBER, Actor
from tenants.models.apikey import Scope

WRITING = dict.fromkeys(("POST", "PATCH", "DELETE"), Scope.ADMIN.value)
REFUSALS = {400: ErrorOut, 401: ErrorOut, 403: ErrorOut, 404: ErrorOut}
GONE = {204: None, 401: ErrorOut, 403: ErrorOut, 404: ErrorOut}


class StretchShape(serializers.Serializer):
    """From when until when, its end not included."""

    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len({"starts_at", "ends_at"} & set(attrs)) < 2:
            return attrs  # a change: the row is looked at as a whole
        if attrs["ends_at"] <= attrs["starts_at"]:
            raise serializers.ValidationError({"ends_at": "It ends before it begins."})
        return attrs


class NotedShape(StretchShape):
    """A stretch with a word about it."""

    note = serializers.CharField(required=False, allow_blank=True, max_length=200)


class OverrideIn(NotedShape):
    """`only`: `member` alone is on call; `add`: too; `replace`: in the place of
    `instead`; `remove`: `instead` is taken off."""

    kind = serializers.ChoiceField(choices=OverrideKind.values, required=False)
    member = serializers.UUIDField(required=False, allow_null=True)
    instead = serializers.UUIDField(required=False, allow_null=True)


class OverrideOut(NotedShape):
    """An override as it stands."""

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=OverrideKind.values)
    member = serializers.UUIDField(source="member_id", allow_null=True)
    instead = serializers.UUIDField(source="instead_id", allow_null=True)


class SwapIn(NotedShape):
    """Whose shifts somebody is to take, and who, if that is known."""

    beneficiary = serializers.UUIDField()
    benefactor = serializers.UUIDField(required=False, allow_null=True)


class SwapOut(NotedShape):
    """A request; `benefactor` is null while nobody has taken it."""

    id = serializers.UUIDField()
    beneficiary = serializers.UUIDField(source="beneficiary_id")
    benefactor = serializers.UUIDField(source="benefactor_id", allow_null=True)
    taken_at = serializers.DateTimeField(allow_null=True)


class TakeIn(serializers.Serializer):
    """Who takes them: oneself, where a person asks."""

    member = serializers.UUIDField(required=False)


class OverridesView(TenantAPIView):
    """The overrides of one schedule."""

    scopes = WRITING

    @extend_schema(
        operation_id="overrides_list",
        summary="List the overrides of a schedule",
        responses={200: page_of(OverrideOut), 401: ErrorOut, 404: ErrorOut},
    )
    def get(self, request: Request, pk: UUID, **_kwargs: Any) -> Response:
        row = schedule_of(self, request, pk)
        rows = Override.objects.filter(tenant_id=row.tenant_id, schedule=row)
        return Pages("-starts_at").answer(rows, self, OverrideOut)

    @extend_schema(
        operation_id="overrides_create",
        summary="Put somebody on call, or take somebody off, for a while",
        request=OverrideIn,
        responses={201: OverrideOut, **REFUSALS},
    )
    def post(self, request: Request, pk: UUID, **_kwargs: Any) -> Response:
        given = OverrideIn(data=request.data)
        given.is_valid(raise_exception=True)
        schedule = schedule_of(self, request, pk)
        values = with_ids(given.validated_data, schedule.tenant_id)
        row = Override(tenant_id=schedule.tenant_id, schedule=schedule, **values)
        checked(row)
        overriding.put(row, actor=self.standing(request).actor)
        return Response(OverrideOut(row).data, status=201)


class OverrideView(TenantAPIView):
    """One override."""

    scopes = WRITING

    @extend_schema(
        operation_id="overrides_update",
        summary="Change an override",
        request=OverrideIn(partial=True),
        responses={200: OverrideOut, **REFUSALS},
    )
    def patch(
        self, request: Request, pk: UUID, override: UUID, **_kwargs: Any
    ) -> Response:
        given = OverrideIn(data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        schedule = schedule_of(self, request, pk)
        row = one(Override, schedule, override)
        values = with_ids(given.validated_data, schedule.tenant_id)
        for name, value in values.items():
            setattr(row, name, value)
        checked(row)
        fields = sorted(given.validated_data)
        overriding.change(row, fields, actor=self.standing(request).actor)
        return Response(OverrideOut(row).data)

    @extend_schema(
        operation_id="overrides_destroy",
        summary="Take an override back",
        responses=GONE,
    )
    def delete(
        self, request: Request, pk: UUID, override: UUID, **_kwargs: Any
    ) -> Response:
        schedule = schedule_of(self, request, pk)
        row = one(Override, schedule, override)
        overriding.remove(row, actor=self.standing(request).actor)
        return Response(status=204)


class SwapsView(TenantAPIView):
    """The requests to take shifts of one schedule."""

    @extend_schema(
        operation_id="swaps_list",
        summary="List the shift swaps of a schedule",
        responses={200: page_of(SwapOut), 401: ErrorOut, 404: ErrorOut},
    )
    def get(self, request: Request, pk: UUID, **_kwargs: Any) -> Response:
        row = schedule_of(self, request, pk)
        rows = Swap.objects.filter(tenant_id=row.tenant_id, schedule=row)
        return Pages("-starts_at").answer(rows, self, SwapOut)

    @extend_schema(
        operation_id="swaps_create",
        summary="Ask for somebody to take shifts; a member only for his own",
        request=SwapIn,
        responses={201: SwapOut, **REFUSALS},
    )
    def post(self, request: Request, pk: UUID, **_kwargs: Any) -> Response:
        given = SwapIn(data=request.data)
        given.is_valid(raise_exception=True)
        schedule = schedule_of(self, request, pk)
        values = with_ids(given.validated_data, schedule.tenant_id)
        if values["beneficiary_id"] == values.get("benefactor_id"):
            raise Refused(400, "own", "These are the member's own shifts.")
        row = Swap(tenant_id=schedule.tenant_id, schedule=schedule, **values)
        checked(row)
        swapping.ask(row, by=caller(self.standing(request)))
        return Response(SwapOut(row).data, status=201)


class SwapView(TenantAPIView):
    """One shift swap."""

    @extend_schema(
        operation_id="swaps_destroy",
        summary="Take a request back; if somebody took it, that is undone",
        responses=GONE,
    )
    def delete(
        self, request: Request, pk: UUID, swap: UUID, **_kwargs: Any
    ) -> Response:
        row = one(Swap, schedule_of(self, request, pk), swap)
        swapping.remove(row, by=caller(self.standing(request)))
        return Response(status=204)


class SwapTakenView(TenantAPIView):
    """Who has taken one request."""

    @extend_schema(
        operation_id="swaps_take",
        summary="Take shifts that a member gives away",
        request=TakeIn,
        responses={200: SwapOut, **REFUSALS, 409: ErrorOut},
    )
    def post(self, request: Request, pk: UUID, swap: UUID, **_kwargs: Any) -> Response:
        given = TakeIn(data=request.data)
        given.is_valid(raise_exception=True)
        row = one(Swap, schedule_of(self, request, pk), swap)
        by = caller(self.standing(request))
        taker = given.validated_data.get("member") or by.member_id
        if taker is None:
            raise Refused(400, "member", "Say which member takes them.")
        known(row.tenant_id, [taker])
        try:
            swapping.take(row, taker, by=by)
        except SwapError as error:
            words = {
                "own": "These are the member's own shifts.",
                "taken": "Somebody has taken them.",
            }
            raise Refused(409, error.code, words[error.code]) from error
        return Response(SwapOut(row).data)

    @extend_schema(
        operation_id="swaps_give_back",
        summary="Give shifts back that were taken: the request is open again",
        responses=GONE,
    )
    def delete(
        self, request: Request, pk: UUID, swap: UUID, **_kwargs: Any
    ) -> Response:
        row = one(Swap, schedule_of(self, request, pk), swap)
        swapping.give_back(row, by=caller(self.standing(request)))
        return Response(status=204)


@dataclass(frozen=True)
class Caller:
    """Who acts: a member, or whoever holds a key, in terms of roles."""

    actor: Actor
    scopes: frozenset[str]
    member_id: UUID | None

    def may(self, what: str) -> bool:
        """Whether the scopes allow it; who may administer may configure."""
        needed = Scope.ACT if what == roles.ACT else Scope.ADMIN
        return needed.value in self.scopes


def caller(standing: Standing) -> Caller:
    own = UUID(standing.actor.id) if standing.actor.kind == MEMBER else None
    return Caller(standing.actor, standing.scopes, own)


def with_ids(given: dict[str, Any], tenant_id: UUID) -> dict[str, Any]:
    """Return the values by columns' names. Raises serializers.ValidationError for
    members that are not the tenant's."""
    members = ("member", "instead", "beneficiary", "benefactor")
    known(tenant_id, [given[name] for name in members if given.get(name)])
    return {
        f"{key}_id" if key in members else key: value for key, value in given.items()
    }


def one(model: Any, schedule: Any, pk: UUID) -> Any:
    """Return what is fastened to this schedule, to write it. Raises Http404."""
    rows = model.objects.select_for_update()
    return get_object_or_404(
        rows, tenant_id=schedule.tenant_id, schedule=schedule, pk=pk
    )
