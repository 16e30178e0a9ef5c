"""Services over the documented API: list, make, change, delete, connect, import."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.shortcuts import get_object_or_404
from django.utils.text import slugify
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from alertcenter.alerts import service_graph, service_import, weighing
from alertcenter.alerts.models import Service
from alertcenter.alerts.models.service import MOST_MATCHERS, Tier
from alertcenter.alerts.service_graph import MOST_NEEDS, Graph, ServiceError
from alertcenter.api.alerts import ErrorOut
from alertcenter.api.base import Pages, TenantAPIView, page_of
from alertcenter.api.fields import SeverityField
from alertcenter.common.errors import Refused
from tenants.models.apikey import Scope

WRITING = dict.fromkeys(("POST", "PUT", "PATCH", "DELETE"), Scope.ADMIN.value)
REFUSALS = {400: ErrorOut, 401: ErrorOut, 403: ErrorOut}


class ServiceIn(serializers.Serializer):
    """What a service is. Without conditions its alerts are those whose label `service`
    is its slug."""

    name = serializers.CharField(max_length=100)
    slug = serializers.CharField(
        max_length=63, required=False, help_text="Made of the name when it is missing."
    )
    description = serializers.CharField(
        required=False, allow_blank=True, max_length=4_000
    )
    team = serializers.CharField(required=False, allow_blank=True, max_length=100)
    owner = serializers.UUIDField(
        required=False, allow_null=True, help_text="A member of the tenant."
    )
    matchers = serializers.ListField(
        child=serializers.CharField(max_length=1_100),
        required=False,
        max_length=MOST_MATCHERS,
        help_text='Conditions such as `team="db"`; all must hold.',
    )
    position = serializers.IntegerField(
        required=False,
        min_value=0,
        max_value=2**31 - 1,
        help_text="Of services that take an alert, the lowest has it.",
    )
    tier = serializers.ChoiceField(
        choices=Tier.values, required=False, help_text="1 vital to 4 minor."
    )
    runbook_url = serializers.CharField(
        required=False, allow_blank=True, max_length=1_000
    )
    dashboard_url = serializers.CharField(
        required=False, allow_blank=True, max_length=1_000
    )
    active = serializers.BooleanField(required=False)


class ServiceOut(serializers.Serializer):
    """One service as it stands, with the ids of those it needs."""

    id = serializers.UUIDField()
    slug = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField()
    team = serializers.CharField()
    owner = serializers.UUIDField(source="owner_id", allow_null=True)
    matchers = serializers.ListField(child=serializers.CharField())
    position = serializers.IntegerField()
    tier = serializers.ChoiceField(choices=Tier.values)
    runbook_url = serializers.CharField()
    dashboard_url = serializers.CharField()
    active = serializers.BooleanField()
    needs = serializers.SerializerMethodField()

    def get_needs(self, row: Service) -> list[UUID]:
        """Those it needs itself; what these need is not said."""
        return sorted(edge.needs_id for edge in row.dependencies.all())


class DependentOut(serializers.Serializer):
    """A service that needs the one asked for, and by how many steps."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    steps = serializers.IntegerField()


class ServiceDetailOut(ServiceOut):
    """One service, what depends on it (500 at most, nearest first), and how it is."""

    needed_by = DependentOut(many=True)
    severity = SeverityField(allow_null=True, help_text="The worst of its open groups.")


class NeedsIn(serializers.Serializer):
    """All that the service needs; what is not named it needs no more."""

    needs = serializers.ListField(
        child=serializers.UUIDField(), max_length=MOST_NEEDS, allow_empty=True
    )


class PickIn(serializers.Serializer):
    """One proposal, by its label and value."""

    label = serializers.CharField(max_length=100)  # type: ignore[assignment]  # our field
    value = serializers.CharField(max_length=100, trim_whitespace=False)


class ImportIn(serializers.Serializer):
    """Which proposals to make services of."""

    picks = serializers.ListField(
        child=PickIn(), max_length=service_import.MOST_PROPOSED, allow_empty=False
    )


class ProposalOut(serializers.Serializer):
    """A value of a label that no service has yet."""

    label = serializers.CharField()  # type: ignore[assignment]  # our field
    value = serializers.CharField()
    alerts = serializers.IntegerField()
    firing = serializers.IntegerField()
    slug = serializers.CharField()
    name = serializers.CharField()
    matchers = serializers.ListField(child=serializers.CharField())


class ProposalsOut(serializers.Serializer):
    """What the last 5,000 alerts propose, the most frequent first: 200 at most."""

    proposals = ProposalOut(many=True)


class ImportedOut(serializers.Serializer):
    """The services that were made."""

    services = ServiceOut(many=True)


class ServicesView(TenantAPIView):
    """The tenant's services."""

    scopes = WRITING

    @extend_schema(
        operation_id="services_list",
        summary="List services",
        responses={200: page_of(ServiceOut), 401: ErrorOut},
    )
    def get(self, request: Request, **_kwargs: Any) -> Response:
        rows = Service.objects.filter(tenant_id=self.standing(request).tenant_id)
        rows = rows.prefetch_related("dependencies")
        return Pages("slug").answer(rows, self, ServiceOut)

    @extend_schema(
        operation_id="services_create",
        summary="Make a service",
        request=ServiceIn,
        responses={201: ServiceOut, **REFUSALS},
    )
    def post(self, request: Request, **_kwargs: Any) -> Response:
        given = ServiceIn(data=request.data)
        given.is_valid(raise_exception=True)
        values = columns(given.validated_data)
        values.setdefault("slug", slugify(values["name"])[:63])
        standing = self.standing(request)
        row = Service(tenant_id=standing.tenant_id, **values)
        guarded(service_graph.make_room, standing.tenant_id)
        checked(row)
        row.save(force_insert=True)
        service_import.note(row, "create", standing.actor, name=row.name)
        weighing.reweigh(standing.tenant_id)
        return Response(ServiceOut(row).data, status=201)


class ServiceView(TenantAPIView):
    """One service."""

    scopes = WRITING

    @extend_schema(
        operation_id="services_retrieve",
        summary="Read one service, and what depends on it",
        responses={200: ServiceDetailOut, 401: ErrorOut, 404: ErrorOut},
    )
    def get(self, request: Request, pk: UUID, **_kwargs: Any) -> Response:
        row = one(self, request, pk)
        graph = service_graph.load(row.tenant_id)
        body = ServiceOut(row).data
        body["needed_by"] = DependentOut(dependents(graph, pk), many=True).data
        trouble = service_graph.troubles(row.tenant_id, [pk]).get(pk)
        words = SeverityField()
        body["severity"] = trouble and words.to_representation(trouble.severity)
        return Response(body)

    @extend_schema(
        operation_id="services_update",
        summary="Change one service",
        request=ServiceIn(partial=True),
        responses={200: ServiceOut, **REFUSALS, 404: ErrorOut},
    )
    def patch(self, request: Request, pk: UUID, **_kwargs: Any) -> Response:
        given = ServiceIn(data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        row = one(self, request, pk, lock=True)
        values = columns(given.validated_data)
        if values:
            for name, value in values.items():
                setattr(row, name, value)
            checked(row)
            row.save(update_fields=list(values))
            fields = ", ".join(sorted(given.validated_data))
            actor = self.standing(request).actor
            service_import.note(row, "change", actor, fields=fields)
            weighing.reweigh(row.tenant_id)
        return Response(ServiceOut(row).data)

    @extend_schema(
        operation_id="services_destroy",
        summary="Delete one service; its groups stay",
        responses={204: None, 401: ErrorOut, 403: ErrorOut, 404: ErrorOut},
    )
    def delete(self, request: Request, pk: UUID, **_kwargs: Any) -> Response:
        row = one(self, request, pk, lock=True)
        actor = self.standing(request).actor
        service_import.note(row, "delete", actor, name=row.name)
        row.delete()
        weighing.reweigh(row.tenant_id)
        return Response(status=204)


class ServiceNeedsView(TenantAPIView):
    """What one service needs."""

    scopes = WRITING

    @extend_schema(
        operation_id="services_connect",
        summary="Say what a service needs; circles are refused",
        request=NeedsIn,
        responses={200: ServiceOut, **REFUSALS, 404: ErrorOut},
    )
    def put(self, request: Request, pk: UUID, **_kwargs: Any) -> Response:
        given = NeedsIn(data=request.data)
        given.is_valid(raise_exception=True)
        row = one(self, request, pk)
        needs = given.validated_data["needs"]
        if guarded(service_graph.set_needs, row.tenant_id, row.pk, needs):
            actor = self.standing(request).actor
            service_import.note(row, "connect", actor, needs=len(set(needs)))
            weighing.reweigh(row.tenant_id)
        return Response(ServiceOut(row).data)


class ServiceImportView(TenantAPIView):
    """Services that the labels of the last alerts propose."""

    scopes = WRITING

    @extend_schema(
        operation_id="services_proposals",
        summary="Which services do the last alerts' labels propose?",
        responses={200: ProposalsOut, 401: ErrorOut},
    )
    def get(self, request: Request, **_kwargs: Any) -> Response:
        found = service_import.proposals(self.standing(request).tenant_id)
        return Response({"proposals": ProposalOut(found, many=True).data})

    @extend_schema(
        operation_id="services_import",
        summary="Make services of proposals; what is none by now is left out",
        request=ImportIn,
        responses={201: ImportedOut, **REFUSALS},
    )
    def post(self, request: Request, **_kwargs: Any) -> Response:
        given = ImportIn(data=request.data)
        given.is_valid(raise_exception=True)
        picks = [(p["label"], p["value"]) for p in given.validated_data["picks"]]
        standing = self.standing(request)
        made = guarded(
            service_import.create, standing.tenant_id, picks, actor=standing.actor
        )
        weighing.reweigh(standing.tenant_id)
        return Response({"services": ServiceOut(made, many=True).data}, status=201)


def one(
    view: TenantAPIView, request: Request, pk: UUID, *, lock: bool = False
) -> Service:
    """Return the tenant's service; `lock`: to write it. Raises Http404."""
    tenant_id = view.standing(request).tenant_id
    if lock:  # the turn first: who sets dependencies has it and then needs the row
        service_graph.take_turn(tenant_id)
    rows = Service.objects.select_for_update() if lock else Service.objects.all()
    return get_object_or_404(rows, tenant_id=tenant_id, pk=pk)


def columns(given: dict[str, Any]) -> dict[str, Any]:
    """Return what was given by the names of the columns."""
    values = dict(given)
    if "owner" in values:
        values["owner_id"] = values.pop("owner")
    return values


def checked(row: Service) -> None:
    """Raise serializers.ValidationError for what a row may not hold."""
    try:
        row.full_clean()
    except ValidationError as error:
        raise serializers.ValidationError(
            serializers.as_serializer_error(error)
        ) from error


def guarded(act: Any, *given: Any, **named: Any) -> Any:
    """Do `act`. Raises Refused for what cannot be."""
    try:
        return act(*given, **named)
    except ServiceError as error:
        raise Refused(400, error.code, str(error)) from error


def dependents(graph: Graph, pk: UUID) -> Iterable[dict[str, Any]]:
    return [
        {"id": other, "name": graph.names[other], "steps": steps}
        for other, steps in graph.impact(pk)
    ]
