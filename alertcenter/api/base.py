"""What does every view of the documented API do? Open one tenant, and only that."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.http import JsonResponse
from django.http.response import HttpResponseBase
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.pagination import CursorPagination
from rest_framework.renderers import BrowsableAPIRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from alertcenter.api import limits
from alertcenter.api.auth import Standing, standing_of
from alertcenter.api.errors import DATABASE_AWAY, as_refused
from alertcenter.common.errors import Refused
from alertcenter.common.http import POLICY
from tenants.apikeys import KeyInfo
from tenants.models.apikey import Scope
from tenants.rls import in_tenant

# DRF's own pages and Swagger style their elements in place.
DOCUMENTED_POLICY = POLICY.replace(
    "style-src 'self'", "style-src 'self' 'unsafe-inline'"
)
READING = ("GET", "HEAD", "OPTIONS")


class BrowsablePage(BrowsableAPIRenderer):
    """DRF's page for people, who may also come with a key that lacks a scope."""

    def show_form_for_method(self, *given: Any) -> bool:
        try:
            return bool(super().show_form_for_method(*given))
        except Refused:
            return False


class TenantAPIView(APIView):
    """A view at /t/<slug>/...: in one transaction, with that tenant's context.

    `scopes` says which scope each method takes (GET: read, others: act);
    a method in `without_database` gets neither transaction nor context.
    """

    scopes: Mapping[str, str] = {}
    without_database: frozenset[str] = frozenset()
    renderer_classes: Any = (JSONRenderer, BrowsablePage)

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            with ExitStack() as self._open:
                return super().dispatch(request, *args, **kwargs)
        except DATABASE_AWAY as error:  # at the commit, behind DRF's own handler
            refused = as_refused(error)
            assert refused is not None
            told = {"code": refused.code, "message": str(refused.message)}
            return JsonResponse(told, status=refused.status, headers=refused.headers)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.method not in self.without_database:
            if isinstance(request.auth, KeyInfo) and (
                refused := limits.LIMITS.call(request.auth)
            ):
                raise refused
            self._open.enter_context(in_tenant(self.standing(request).tenant_id))

    def handle_exception(self, exc: Exception) -> Response:
        if connection.in_atomic_block:
            transaction.set_rollback(True)
        return super().handle_exception(exc)

    def finalize_response(
        self, request: Request, response: Any, *args: Any, **kwargs: Any
    ) -> Response:
        finished = super().finalize_response(request, response, *args, **kwargs)
        finished.headers["Cache-Control"] = "no-store"
        # A view may answer in text of its own, which nobody browses.
        if str(getattr(finished, "accepted_media_type", "")).startswith("text/html"):
            finished.headers["Content-Security-Policy"] = DOCUMENTED_POLICY
        return finished

    def scope_of(self, request: Request) -> str:
        """Return the scope that this request takes."""
        method = request.method or "GET"
        usual = Scope.READ if method in READING else Scope.ACT
        return str(self.scopes.get(method, usual.value))

    def standing(self, request: Request) -> Standing:
        """Return the caller's place in this tenant, asked once. Raises Http404."""
        known: Standing | None = getattr(self, "_standing", None)
        if known is None:
            known = self._standing = standing_of(request, self.kwargs["slug"])
        return known


class Pages(CursorPagination):
    """Pages by position: quick at any depth, and stable while rows come in."""

    page_size = 50
    max_page_size = 500
    page_size_query_param = "page_size"

    def __init__(self, *ordering: str) -> None:
        self.ordering = ordering

    def answer(self, queryset: Any, view: APIView, serializer: Any) -> Response:
        """Return the page of `queryset` that the request asks for.

        Raises NotFound for a cursor that is none, as DRF does for most of them.
        """
        try:
            rows: Any = self.paginate_queryset(queryset, view.request, view=view)
        except ValidationError as error:  # its position is no moment
            raise NotFound(self.invalid_cursor_message) from error
        return self.get_paginated_response(serializer(rows, many=True).data)


def page_of(serializer: type[serializers.Serializer]) -> type[serializers.Serializer]:
    """Return the shape of `Pages.answer` for the OpenAPI document."""
    address = serializers.URLField(allow_null=True)
    fields = {"next": address, "previous": address, "results": serializer(many=True)}
    name = serializer.__name__.removesuffix("Out") + "Page"
    return type(name, (serializers.Serializer,), fields)
