"""Deliveries over the documented API: what was sent to whom, and did it arrive?"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from alertcenter.api import filters
from alertcenter.api.alerts import ErrorOut
from alertcenter.api.base import Pages, TenantAPIView, page_of
from notifications.models import Attempt, Delivery
from notifications.models.delivery import DeliveryState


class DeliveryOut(serializers.Serializer):
    """One message to one recipient."""

    id = serializers.UUIDField()
    kind = serializers.CharField()
    channel_kind = serializers.CharField()
    channel_id = serializers.UUIDField(allow_null=True)
    member_id = serializers.UUIDField(allow_null=True)
    group_id = serializers.UUIDField(allow_null=True)
    state = serializers.ChoiceField(choices=DeliveryState.values)
    attempts = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    next_at = serializers.DateTimeField()
    sent_at = serializers.DateTimeField(allow_null=True)
    error = serializers.CharField()
    correlation_id = serializers.CharField()


class AttemptOut(serializers.Serializer):
    """One try."""

    at = serializers.DateTimeField()
    number = serializers.IntegerField()
    outcome = serializers.CharField()
    milliseconds = serializers.IntegerField()
    answer = serializers.CharField()


class DeliveryDetailOut(DeliveryOut):
    """One message with every try to send it."""

    tries = AttemptOut(many=True)


class DeliveriesView(TenantAPIView):
    """The tenant's deliveries, newest first."""

    @extend_schema(
        operation_id="deliveries_list",
        summary="List deliveries",
        parameters=filters.documented("state", "group"),
        responses={200: page_of(DeliveryOut), 400: ErrorOut, 401: ErrorOut},
    )
    def get(self, request: Request, **_kwargs: Any) -> Response:
        rows = Delivery.objects.filter(tenant_id=self.standing(request).tenant_id)
        if states := filters.states(request, DeliveryState.values):
            rows = rows.filter(state__in=states)
        if group := filters.identifier(request, "group"):
            rows = rows.filter(group_id=group)
        return Pages("-created_at", "-id").answer(rows, self, DeliveryOut)


class DeliveryView(TenantAPIView):
    """One delivery."""

    @extend_schema(
        operation_id="deliveries_retrieve",
        summary="Read one delivery",
        responses={200: DeliveryDetailOut, 401: ErrorOut, 404: ErrorOut},
    )
    def get(self, request: Request, pk: UUID, **_kwargs: Any) -> Response:
        tenant_id = self.standing(request).tenant_id
        delivery = get_object_or_404(Delivery, tenant_id=tenant_id, pk=pk)
        tries = Attempt.objects.filter(tenant_id=tenant_id, delivery_id=pk)
        body = DeliveryOut(delivery).data
        body["tries"] = AttemptOut(tries.order_by("id"), many=True).data
        return Response(body)
