"""How do our values look in the API's JSON?"""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from alertcenter.alerts import severity


@extend_schema_field({"type": "string", "enum": list(severity.NAMES.values())})
class SeverityField(serializers.Field):
    """A severity as its word."""

    def to_representation(self, value: int) -> str:
        return severity.NAMES[value]

    def to_internal_value(self, data: Any) -> int:
        return severity.parse(str(data))


@extend_schema_field({"type": "object", "additionalProperties": {"type": "string"}})
class LabelsField(serializers.DictField):
    """Names and values, both text."""

    child = serializers.CharField(allow_blank=True)


@extend_schema_field(OpenApiTypes.OBJECT)
class DetailsField(serializers.JSONField):
    """What belongs to one kind of entry only."""
