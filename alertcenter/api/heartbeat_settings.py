"""Heartbeats over the documented API: list, make, read, change and delete them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.shortcuts import get_object_or_404
from django.utils.text import slugify
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from alertcenter.alerts import heartbeats
from alertcenter.alerts.models import Heartbeat
from alertcenter.alerts.models.heartbeat import HeartbeatState, PingKind
from alertcenter.api.alerts import ErrorOut
from alertcenter.api.base import Pages, TenantAPIView, page_of
from alertcenter.api.fields import LabelsField, SeverityField
from tenants.models.apikey import Scope

MOST_PINGS = 100
WRITING = dict.fromkeys(("POST", "PATCH", "DELETE"), Scope.ADMIN.value)


class HeartbeatIn(serializers.Serializer):
    """What to expect: a period, or a cron expression in a time zone."""

    name = serializers.CharField(max_length=100)
    slug = serializers.CharField(
        max_length=50, required=False, help_text="Made of the name when it is missing."
    )
    period_seconds = serializers.IntegerField(
        required=False, allow_null=True, min_value=10
    )
    cron = serializers.CharField(required=False, allow_blank=True, max_length=100)
    time_zone = serializers.CharField(required=False, max_length=64)
    grace_seconds = serializers.IntegerField(required=False, min_value=0)
    severity = SeverityField(required=False)
    labels = LabelsField(required=False)
    message = serializers.CharField(required=False, allow_blank=True, max_length=4_000)
    match = serializers.ListField(
        child=serializers.CharField(max_length=1_000),
        required=False,
        max_length=20,
        help_text="Conditions; firing alerts that meet them all count as pings.",
    )
    enabled = serializers.BooleanField(
        required=False, help_text="False pauses it, true resumes it."
    )


class HeartbeatOut(serializers.Serializer):
    """One heartbeat as it stands."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    slug = serializers.CharField()
    period_seconds = serializers.IntegerField(allow_null=True)
    cron = serializers.CharField()
    time_zone = serializers.CharField()
    grace_seconds = serializers.IntegerField()
    severity = SeverityField()
    labels = LabelsField()
    message = serializers.CharField()
    match = serializers.ListField(child=serializers.CharField())
    enabled = serializers.BooleanField()
    state = serializers.ChoiceField(choices=HeartbeatState.values)
    last_ping_at = serializers.DateTimeField(allow_null=True)
    last_start_at = serializers.DateTimeField(allow_null=True)
    last_exit = serializers.IntegerField(allow_null=True)
    expected_at = serializers.DateTimeField(allow_null=True)
    due_at = serializers.DateTimeField(allow_null=True)


class PingOut(serializers.Serializer):
    """One ping."""

    at = serializers.DateTimeField()
    kind = serializers.ChoiceField(choices=PingKind.values)
    exit_code = serializers.IntegerField(allow_null=True)
    body = serializers.CharField()


class HeartbeatDetailOut(HeartbeatOut):
    """One heartbeat with its last output and its last hundred pings."""

    last_body = serializers.CharField()
    pings = PingOut(many=True)


class HeartbeatMadeOut(HeartbeatOut):
    """A new heartbeat; its address is shown this once."""

    ping_url = serializers.URLField()


class AddressOut(serializers.Serializer):
    """A new address, shown this once; the old one is gone."""

    ping_url = serializers.URLField()


class HeartbeatsView(TenantAPIView):
    """The tenant's heartbeats."""

    scopes = WRITING

    @extend_schema(
        operation_id="heartbeats_list",
        summary="List heartbeats",
        responses={200: page_of(HeartbeatOut), 401: ErrorOut},
    )
    def get(self, request: Request, **_kwargs: Any) -> Response:
        rows = Heartbeat.objects.filter(tenant_id=self.standing(request).tenant_id)
        return Pages("-created_at", "id").answer(rows, self, HeartbeatOut)

    @extend_schema(
        operation_id="heartbeats_create",
        summary="Make a heartbeat; the answer holds its address",
        request=HeartbeatIn,
        responses={
            201: HeartbeatMadeOut,
            400: ErrorOut,
            401: ErrorOut,
            403: ErrorOut,
        },
    )
    def post(self, request: Request, **_kwargs: Any) -> Response:
        given = HeartbeatIn(data=request.data)
        given.is_valid(raise_exception=True)
        values = dict(given.validated_data)
        values.setdefault("slug", slugify(values["name"])[:50])
        enabled = values.pop("enabled", True)
        standing = self.standing(request)
        row = Heartbeat(tenant_id=standing.tenant_id, **values)
        token = heartbeats.give_address(row)
        checked(row)
        row.save()
        heartbeats.note(row, "create", standing.actor, name=row.name)
        if not enabled:
            heartbeats.pause(row, actor=standing.actor)
        body = HeartbeatOut(row).data | {"ping_url": address_of(token)}
        return Response(body, status=201)


class HeartbeatView(TenantAPIView):
    """One heartbeat."""

    scopes = WRITING

    @extend_schema(
        operation_id="heartbeats_retrieve",
        summary="Read one heartbeat",
        responses={200: HeartbeatDetailOut, 401: ErrorOut, 404: ErrorOut},
    )
    def get(self, request: Request, pk: UUID, **_kwargs: Any) -> Response:
        row = one(self, request, pk)
        body = HeartbeatOut(row).data
        body["last_body"] = row.last_body
        pings = row.pings.order_by("-id")[:MOST_PINGS]
        body["pings"] = PingOut(pings, many=True).data
        return Response(body)

    @extend_schema(
        operation_id="heartbeats_update",
        summary="Change, pause or resume one heartbeat",
        request=HeartbeatIn(partial=True),
        responses={
            200: HeartbeatOut,
            400: ErrorOut,
            401: ErrorOut,
            403: ErrorOut,
            404: ErrorOut,
        },
    )
    def patch(self, request: Request, pk: UUID, **_kwargs: Any) -> Response:
        given = HeartbeatIn(data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        values = dict(given.validated_data)
        enabled = values.pop("enabled", None)
        actor = self.standing(request).actor
        row = one(self, request, pk, lock=True)
        change(row, values)
        if values:
            heartbeats.note(row, "change", actor, fields=", ".join(sorted(values)))
        if enabled is not None and enabled != row.enabled:
            act = heartbeats.resume if enabled else heartbeats.pause
            act(row, actor=actor)
        row.refresh_from_db()
        return Response(HeartbeatOut(row).data)

    @extend_schema(
        operation_id="heartbeats_destroy",
        summary="Delete one heartbeat; its open alert is resolved",
        responses={204: None, 401: ErrorOut, 403: ErrorOut, 404: ErrorOut},
    )
    def delete(self, request: Request, pk: UUID, **_kwargs: Any) -> Response:
        row = one(self, request, pk, lock=True)
        heartbeats.remove(row, actor=self.standing(request).actor)
        return Response(status=204)


class AddressView(TenantAPIView):
    """Where one heartbeat is pinged."""

    scopes = WRITING

    @extend_schema(
        operation_id="heartbeats_renew",
        summary="Give a heartbeat a new address",
        request=None,
        responses={200: AddressOut, 401: ErrorOut, 403: ErrorOut, 404: ErrorOut},
    )
    def post(self, request: Request, pk: UUID, **_kwargs: Any) -> Response:
        row = one(self, request, pk, lock=True)
        token = heartbeats.renew_address(row, actor=self.standing(request).actor)
        return Response({"ping_url": address_of(token)})


def one(
    view: TenantAPIView, request: Request, pk: UUID, *, lock: bool = False
) -> Heartbeat:
    """Return the tenant's heartbeat. Raises Http404."""
    rows = Heartbeat.objects.select_for_update() if lock else Heartbeat.objects.all()
    tenant_id = view.standing(request).tenant_id
    return get_object_or_404(rows, tenant_id=tenant_id, pk=pk)


def change(row: Heartbeat, values: Mapping[str, Any]) -> None:
    """Write new values of a locked row. A period takes the place of a cron expression
    and the other way round. Raises serializers.ValidationError."""
    wanted = dict(values)
    if wanted.get("period_seconds") and "cron" not in wanted:
        wanted["cron"] = ""
    if wanted.get("cron") and "period_seconds" not in wanted:
        wanted["period_seconds"] = None
    if not wanted:
        return
    for name, value in wanted.items():
        setattr(row, name, value)
    checked(row)
    row.save(update_fields=list(wanted))
    heartbeats.reschedule(row)


def checked(row: Heartbeat) -> None:
    """Raise serializers.ValidationError for what a row may not hold."""
    try:
        row.full_clean()
    except ValidationError as error:
        raise serializers.ValidationError(
            serializers.as_serializer_error(error)
        ) from error


def address_of(token: str) -> str:
    return f"{settings.BASE_URL}/h/{token}"
