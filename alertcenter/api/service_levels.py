"""Service levels over the documented API: within how long groups of a severity are to
be acknowledged and resolved."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from alertcenter.alerts import severity as severities
from alertcenter.api.alerts import ErrorOut
from alertcenter.api.base import Pages, TenantAPIView, page_of
from alertcenter.api.fields import SeverityField
from escalation.models import SlaTarget
from escalation.steps.fields import LONGEST_WAIT
from tenants import audit
from tenants.actors import Actor
from tenants.models.apikey import Scope

WRITING = dict.fromkeys(("PUT", "DELETE"), Scope.ADMIN.value)
REFUSALS = {400: ErrorOut, 401: ErrorOut, 403: ErrorOut, 404: ErrorOut}
KIND = "slatarget"
NUMBERS = {name: number for number, name in severities.NAMES.items()}
SEVERITY = OpenApiParameter(
    "severity", OpenApiTypes.STR, OpenApiParameter.PATH, enum=list(NUMBERS)
)


class ServiceLevelIn(serializers.Serializer):
    """Seconds from the opening of a group; null or left out: no such target."""

    acknowledge_seconds = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, max_value=LONGEST_WAIT
    )
    resolve_seconds = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, max_value=LONGEST_WAIT
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not any(attrs.values()):
            raise serializers.ValidationError("Give one of the two, or delete it.")
        return attrs


class ServiceLevelOut(serializers.Serializer):
    """The targets of one severity."""

    severity = SeverityField()
    acknowledge_seconds = serializers.IntegerField(allow_null=True)
    resolve_seconds = serializers.IntegerField(allow_null=True)


class ServiceLevelsView(TenantAPIView):
    """The tenant's service levels."""

    @extend_schema(
        operation_id="service_levels_list",
        summary="List service levels, the worst severity first",
        responses={200: page_of(ServiceLevelOut), 401: ErrorOut},
    )
    def get(self, request: Request, **_kwargs: Any) -> Response:
        rows = SlaTarget.objects.filter(tenant_id=self.standing(request).tenant_id)
        return Pages("-severity").answer(rows, self, ServiceLevelOut)


class ServiceLevelView(TenantAPIView):
    """The service level of one severity."""

    scopes = WRITING

    @extend_schema(
        operation_id="service_levels_update",
        summary="Say within how long groups of a severity are dealt with",
        parameters=[SEVERITY],
        request=ServiceLevelIn,
        responses={200: ServiceLevelOut, **REFUSALS},
    )
    def put(self, request: Request, severity: str, **_kwargs: Any) -> Response:
        number = number_of(severity)
        given = ServiceLevelIn(data=request.data)
        given.is_valid(raise_exception=True)
        standing = self.standing(request)
        values = {
            name: given.validated_data.get(name)
            for name in ("acknowledge_seconds", "resolve_seconds")
        }
        row, made = SlaTarget.objects.update_or_create(
            tenant_id=standing.tenant_id, severity=number, defaults=values
        )
        note(row, "create" if made else "change", standing.actor, **values)
        return Response(ServiceLevelOut(row).data)

    @extend_schema(
        operation_id="service_levels_destroy",
        summary="Let groups of a severity have no service level",
        parameters=[SEVERITY],
        responses={204: None, 401: ErrorOut, 403: ErrorOut, 404: ErrorOut},
    )
    def delete(self, request: Request, severity: str, **_kwargs: Any) -> Response:
        standing = self.standing(request)
        rows = SlaTarget.objects.select_for_update()
        row = get_object_or_404(
            rows, tenant_id=standing.tenant_id, severity=number_of(severity)
        )
        note(row, "delete", standing.actor)
        row.delete()
        return Response(status=204)


def number_of(word: str) -> int:
    """Return the severity in an address. Raises Http404."""
    if word not in NUMBERS:
        raise Http404
    return NUMBERS[word]


def note(row: SlaTarget, verb: str, actor: Actor, **data: Any) -> None:
    audit.record(
        row.tenant_id,
        actor,
        f"{KIND}.{verb}",
        kind=KIND,
        object_id=row.pk,
        severity=severities.NAMES[row.severity],
        **data,
    )
