"""Which rows does the query string ask for? Read once, refused with a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from alertcenter.alerts import severity
from alertcenter.common.errors import Refused

MOST_LABELS = 10
ORDERS = ("newest", "priority")


def bad(name: str, message: Any) -> Refused:
    """Return the refusal of query parameter `name`."""
    return Refused(400, "bad_parameter", f"{name}: {message}")


def states(request: Request, allowed: Sequence[str]) -> list[str]:
    """Return the states asked for; none means all."""
    given = request.GET.getlist("state")
    for state in given:
        if state not in allowed:
            raise bad("state", _("one of %(words)s") % {"words": ", ".join(allowed)})
    return given


def severities(request: Request) -> list[int]:
    """Return the severities asked for, as numbers; none means all."""
    numbers = {name: number for number, name in severity.NAMES.items()}
    given = request.GET.getlist("severity")
    for word in given:
        if word not in numbers:
            words = ", ".join(severity.NAMES.values())
            raise bad("severity", _("one of %(words)s") % {"words": words})
    return [numbers[word] for word in given]


def labels(request: Request) -> dict[str, str]:
    """Return the labels asked for, given as `label=name:value`."""
    found: dict[str, str] = {}
    for text in request.GET.getlist("label")[:MOST_LABELS]:
        name, colon, value = text.partition(":")
        if not colon or not name or "\0" in text:
            raise bad("label", _("write name:value"))
        found[name] = value
    return found


def since(request: Request) -> datetime | None:
    """Return the moment asked for."""
    text = request.GET.get("since")
    if not text:
        return None
    try:
        moment = parse_datetime(text.replace(" ", "+"))
    except ValueError as error:
        raise bad("since", error) from error
    if moment is None:
        raise bad("since", _("write a time such as 2026-01-31T12:00:00Z"))
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        # PostgreSQL knows no zone further than 16 hours from Greenwich.
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise bad("since", error) from error


def identifier(request: Request, name: str) -> UUID | None:
    """Return the id asked for."""
    text = request.GET.get(name)
    if not text:
        return None
    try:
        return UUID(text)
    except ValueError as error:
        raise bad(name, _("that is no id")) from error


def text(request: Request, name: str) -> str:
    """Return the text asked for, "" for none."""
    given = request.GET.get(name, "")
    if "\0" in given:
        raise bad(name, _("that is no text"))
    return given


def order(request: Request) -> str:
    """Return the order asked for."""
    given = request.GET.get("order") or ORDERS[0]
    if given not in ORDERS:
        raise bad("order", _("one of %(words)s") % {"words": ", ".join(ORDERS)})
    return given


# --- the same for the OpenAPI document ---


def documented(*names: str) -> list[OpenApiParameter]:
    """Return the parameters of these names, with those of paging."""
    return [PARAMETERS[name] for name in (*names, "cursor", "page_size")]


def _parameter(
    name: str, kind: Any, text: str, *, many: bool = False, enum: Any = None
) -> OpenApiParameter:
    return OpenApiParameter(
        name, kind, description=text, many=many, enum=enum, required=False
    )


PARAMETERS = {
    parameter.name: parameter
    for parameter in (
        _parameter(
            "severity",
            OpenApiTypes.STR,
            "May be repeated.",
            many=True,
            enum=list(severity.NAMES.values()),
        ),
        _parameter("state", OpenApiTypes.STR, "May be repeated.", many=True),
        _parameter(
            "label", OpenApiTypes.STR, "`name:value`; all given must hold.", many=True
        ),
        _parameter("since", OpenApiTypes.DATETIME, "That began then or later."),
        _parameter("service", OpenApiTypes.STR, "Of the service with this slug."),
        _parameter(
            "order",
            OpenApiTypes.STR,
            "`priority`: open groups only, the most urgent first.",
            enum=list(ORDERS),
        ),
        _parameter("group", OpenApiTypes.UUID, "Of this group."),
        _parameter("cursor", OpenApiTypes.STR, "From `next` or `previous`."),
        _parameter("page_size", OpenApiTypes.INT, "50, at most 500."),
    )
}
