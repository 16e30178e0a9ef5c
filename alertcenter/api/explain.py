"""Why was somebody told, or why not, over the documented API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from alertcenter.alerts.models import Alert, Group
from alertcenter.alerts.pasting import LONGEST_TEXT, parse_event, parsed_event
from alertcenter.api.alerts import ErrorOut
from alertcenter.api.base import TenantAPIView
from alertcenter.api.fields import DetailsField
from alertcenter.common.errors import Refused
from escalation.explain import links, pasted, stored, words
from escalation.explain.trace import STEPS, Line, Trace
from tenants.models.apikey import Scope

UTC_ZONE = ZoneInfo("UTC")
VERDICTS = ("yes", "no", "info")


class ConditionOut(serializers.Serializer):
    """One condition, the value it saw ("" for none), and whether it holds."""

    condition = serializers.CharField(source="text")
    seen = serializers.CharField(allow_blank=True)
    holds = serializers.BooleanField()


class LinkOut(serializers.Serializer):
    """What a line is about; `url` is a path, empty where there is no page."""

    kind = serializers.CharField()
    id = serializers.CharField(help_text="Of a group: its number.")
    name = serializers.CharField()
    url = serializers.CharField()


class DecisionOut(serializers.Serializer):
    """One decision. `code` and `data` say what `text` says in words (times there are
    UTC); `verdict`: it speaks for somebody being told, against it, or neither."""

    step = serializers.ChoiceField(choices=[*STEPS, "conclusion"])
    code = serializers.CharField()
    verdict = serializers.ChoiceField(choices=VERDICTS)
    at = serializers.DateTimeField(allow_null=True)
    text = serializers.CharField()
    data = DetailsField()  # type: ignore[assignment]  # our field
    link = LinkOut(allow_null=True)
    conditions = ConditionOut(many=True)
    decides = serializers.BooleanField(help_text="The conclusion rests on this.")
    aside = serializers.BooleanField(help_text="Of interest to who looks closer.")
    group = serializers.IntegerField(allow_null=True)


class ExplanationOut(serializers.Serializer):
    """What it comes to, what comes next if anything, and every decision in order."""

    subject = LinkOut()
    at = serializers.DateTimeField()
    conclusion = DecisionOut()
    outlook = DecisionOut(allow_null=True)
    lines = DecisionOut(many=True)


class ExplainIn(serializers.Serializer):
    """An alert: its `text` as a person would paste it, or `alert` as JSON (our own
    event, or Alertmanager's webhook); and when, else now."""

    text = serializers.CharField(required=False, max_length=LONGEST_TEXT)
    alert = DetailsField(required=False)
    at = serializers.DateTimeField(required=False)


def body_of(trace: Trace, slug: str) -> dict[str, Any]:
    """Return the explanation as JSON values."""
    return {
        "subject": _link(trace.subject, slug),
        "at": trace.at,
        "conclusion": _line(trace.conclusion, slug),
        "outlook": _line(trace.outlook, slug) if trace.outlook else None,
        "lines": [_line(line, slug) for line in trace.lines],
    }


def _link(link: Any, slug: str) -> dict[str, str]:
    url = links.url_of(link, slug, staff=True)
    return {"kind": link.kind, "id": link.id, "name": link.name, "url": url}


def _line(line: Line, slug: str) -> dict[str, Any]:
    return {
        "step": line.step,
        "code": line.code,
        "verdict": line.verdict,
        "at": line.at,
        "text": words.say(line, UTC_ZONE),
        "data": dict(line.data),
        "link": _link(line.link, slug) if line.link else None,
        "conditions": ConditionOut(line.conditions, many=True).data,
        "decides": line.decides,
        "aside": line.aside,
        "group": line.group,
    }


class GroupExplainView(TenantAPIView):
    """Why a group was told of, or why not."""

    @extend_schema(
        operation_id="groups_explain",
        summary="Explain a group",
        description="Every decision about the group: identity, rules, route, silences, "
        "inhibition, time intervals, policy, messages and the providers' answers.",
        responses={200: ExplanationOut, 401: ErrorOut, 404: ErrorOut},
    )
    def get(self, request: Request, number: int, **_kwargs: Any) -> Response:
        standing = self.standing(request)
        rows = Group.objects.select_related("route")
        group = get_object_or_404(rows, tenant_id=standing.tenant_id, number=number)
        return Response(body_of(stored.of_group(group), standing.slug))


class AlertExplainView(TenantAPIView):
    """Why an alert was told of, or why not."""

    @extend_schema(
        operation_id="alerts_explain",
        summary="Explain an alert",
        description="As for a group, in each of the alert's last groups.",
        responses={200: ExplanationOut, 401: ErrorOut, 404: ErrorOut},
    )
    def get(self, request: Request, pk: UUID, **_kwargs: Any) -> Response:
        standing = self.standing(request)
        alert = get_object_or_404(Alert, tenant_id=standing.tenant_id, pk=pk)
        return Response(body_of(stored.of_alert(alert), standing.slug))


class ExplainView(TenantAPIView):
    """Who would be told of an alert. Stores nothing and tells nobody."""

    scopes: Mapping[str, str] = {"POST": Scope.READ.value}

    @extend_schema(
        operation_id="explain_create",
        summary="Explain what would become of an alert",
        description="Judges the alert by what is configured, at `at` or now. What "
        "fires and which groups are open is only known of now.",
        request=ExplainIn,
        responses={200: ExplanationOut, 400: ErrorOut, 401: ErrorOut},
        examples=[
            OpenApiExample(
                "tonight",
                request_only=True,
                value={
                    "alert": {"labels": {"alertname": "DiskFull", "team": "db"}},
                    "at": "2030-01-07T03:00:00Z",
                },
            )
        ],
    )
    def post(self, request: Request, **_kwargs: Any) -> Response:
        given = ExplainIn(data=request.data)
        given.is_valid(raise_exception=True)
        wanted = given.validated_data
        standing = self.standing(request)
        try:
            event = _event(wanted)
            trace = pasted.of_event(standing.tenant_id, event, wanted.get("at"))
        except ValidationError as error:
            raise Refused(400, "bad_alert", " ".join(error.messages)) from error
        return Response(body_of(trace, standing.slug))


def _event(wanted: Mapping[str, Any]) -> Any:
    """Return the event that is asked about. Raises ValidationError."""
    if wanted.get("alert") is not None:
        return parsed_event(wanted["alert"])
    if wanted.get("text", "").strip():
        return parse_event(wanted["text"])
    raise ValidationError(_("Give an alert, or its text."))
