"""How does the documented API say no? `{"code", "message"}`, one mapping for all."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import Http404
from django.utils.translation import gettext_lazy as _
from rest_framework import exceptions
from rest_framework.response import Response

from alertcenter.alerts.sources.adapter import storable, storable_data
from alertcenter.api import refusals
from alertcenter.common.errors import Refused

DATABASE_AWAY = (OperationalError, InterfaceError)
FORBIDDEN = _("Your role does not allow this.")


def handle(error: Exception, _context: dict[str, Any]) -> Response | None:
    """Return the answer to `error`; None for what is a fault of ours."""
    refused = as_refused(error)
    if refused is None:
        return None
    # A complaint may quote what no answer can be written with.
    message = storable(str(refused.message))
    body: dict[str, Any] = {"code": refused.code, "message": message}
    if isinstance(error, exceptions.ValidationError):
        body["errors"] = storable_data(error.detail)
    return Response(body, status=refused.status, headers=refused.headers)


def as_refused(error: Exception) -> Refused | None:
    """Return `error` as a refusal, or None."""
    if isinstance(error, Refused):
        return error
    if isinstance(error, DATABASE_AWAY):
        return refusals.away()
    if isinstance(error, (Http404, exceptions.NotFound)):
        return refusals.not_found()
    if isinstance(error, (PermissionDenied, exceptions.PermissionDenied)):
        return Refused(403, "forbidden", FORBIDDEN)
    if isinstance(
        error, (exceptions.NotAuthenticated, exceptions.AuthenticationFailed)
    ):
        return refusals.no_key()
    if isinstance(error, exceptions.ValidationError):
        return Refused(400, "invalid", _first_words(error.detail))
    if isinstance(error, exceptions.APIException):
        return Refused(error.status_code, error.default_code, str(error.detail))
    return None


def _first_words(detail: Any, path: str = "") -> str:
    """Return the first of DRF's nested complaints as one sentence."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            if inner:
                return _first_words(inner, name if name != "non_field_errors" else path)
    if isinstance(detail, list):
        for inner in detail:
            if inner:
                return _first_words(inner, path)
    return f"{path}: {detail}" if path else str(detail)
