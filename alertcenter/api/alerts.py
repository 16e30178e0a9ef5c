"""Alerts over the documented API: list them, send events.

Sending shares parser and writer with the fast road, and touches no ORM.
"""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from alertcenter.alerts.fingerprint import fingerprint
from alertcenter.alerts.models import Alert
from alertcenter.api import filters, ingest, limits, protocols, raw, refusals
from alertcenter.api.base import Pages, TenantAPIView, page_of
from alertcenter.api.fields import LabelsField, SeverityField
from alertcenter.api.parsers import UntouchedJSON
from alertcenter.common import tracing
from tenants.models.apikey import Scope

STATES = ("firing", "resolved")


class AlertOut(serializers.Serializer):
    """One alert as it stands."""

    id = serializers.UUIDField()
    episode_id = serializers.UUIDField(allow_null=True)
    fingerprint = serializers.SerializerMethodField()
    state = serializers.ChoiceField(choices=STATES)
    severity = SeverityField()
    title = serializers.CharField()
    labels = LabelsField()
    annotations = LabelsField()
    link = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]  # our field
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField(allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True)
    last_at = serializers.DateTimeField()
    count = serializers.IntegerField()
    closed_by = serializers.CharField()

    def get_fingerprint(self, alert: Alert) -> str:
        """Computed where it was not yet filled in."""
        return alert.fingerprint or fingerprint(alert.labels)


class EventIn(serializers.Serializer):
    """One event. Only a title, a label or a key is required. With a `key`, that is the
    alert's identity; without one its labels are."""

    title = serializers.CharField(required=False)
    severity = SeverityField(required=False)
    status = serializers.ChoiceField(choices=STATES, default="firing")
    key = serializers.CharField(required=False)
    labels = LabelsField(required=False)
    annotations = LabelsField(required=False)
    starts_at = serializers.DateTimeField(required=False)
    ends_at = serializers.DateTimeField(required=False)
    expires_in = serializers.IntegerField(required=False, min_value=1)
    link = serializers.URLField(required=False)


class RefusedEventOut(serializers.Serializer):
    """One event that was not kept."""

    index = serializers.IntegerField()
    reason = serializers.CharField()


class ResultOut(serializers.Serializer):
    """What became of the events, after the commit."""

    accepted = serializers.IntegerField()
    dropped = serializers.IntegerField(required=False)
    errors = RefusedEventOut(many=True)  # type: ignore[assignment]  # our field
    code = serializers.CharField(required=False)
    message = serializers.CharField(required=False)


class ErrorOut(serializers.Serializer):
    """Why a request was refused."""

    code = serializers.CharField()
    message = serializers.CharField()


class AlertsView(TenantAPIView):
    """The tenant's alerts, newest first; POST takes events."""

    scopes = {"POST": Scope.INGEST.value}
    without_database = frozenset({"POST"})
    parser_classes = [UntouchedJSON]

    @extend_schema(
        operation_id="alerts_list",
        summary="List alerts",
        parameters=filters.documented("state", "severity", "label", "since"),
        responses={200: page_of(AlertOut), 400: ErrorOut, 401: ErrorOut},
    )
    def get(self, request: Request, **_kwargs: Any) -> Response:
        rows = Alert.objects.filter(tenant_id=self.standing(request).tenant_id)
        if states := filters.states(request, STATES):
            rows = rows.filter(state__in=states)
        if severities := filters.severities(request):
            rows = rows.filter(severity__in=severities)
        if labels := filters.labels(request):
            rows = rows.filter(labels__contains=labels)
        if since := filters.since(request):
            rows = rows.filter(starts_at__gte=since)
        return Pages("-starts_at", "id").answer(rows, self, AlertOut)

    @extend_schema(
        operation_id="alerts_create",
        summary="Send events",
        description="One event or a list of them. Answered after the commit; "
        "events that are not kept are named by their index, the others are kept.",
        request=EventIn(many=True),
        responses={200: ResultOut, 400: ResultOut, 401: ErrorOut, 413: ErrorOut},
        examples=[
            OpenApiExample(
                "disk",
                request_only=True,
                value=[
                    {
                        "title": "Disk is full",
                        "severity": "critical",
                        "labels": {"host": "db1", "team": "db"},
                    }
                ],
            )
        ],
    )
    def post(self, request: Request, **_kwargs: Any) -> Response:
        key = self.standing(request).key
        address = limits.address_of_request(request)
        if refused := limits.LIMITS.refusal(key, address):
            raise refused
        sent = ingest.Sent(
            protocols.DOCUMENTED,
            key,
            tracing.current(),
            address,
            self._body(request),
            request.headers.get("Idempotency-Key", ""),
        )
        result = ingest.kept_now(sent)
        told = result.as_dict()
        headers = {"Idempotency-Replayed": "true"} if result.replayed else None
        if result.errors:
            told |= protocols.some_refused(result)
            return Response(told, status=400, headers=headers)
        return Response(told, headers=headers)

    def _body(self, request: Request) -> bytes:
        """Return the body. Raises Refused: DRF lets an empty one pass untyped."""
        if isinstance(request.data, bytes):
            encoding = request.headers.get("Content-Encoding", "").encode()
            return raw.unpacked({b"content-encoding": encoding}, request.data)
        if not str(request.content_type).startswith(UntouchedJSON.media_type):
            raise refusals.wrong_type(str(request.content_type))
        return b""
