"""What does Alertmanager's GET /api/v2/alerts answer? (api/v2/openapi.yaml)

Silences and inhibition come with a later issue: every listed alert is active.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Now
from drf_spectacular.utils import extend_schema
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from alertcenter.alerts.fingerprint import fingerprint
from alertcenter.alerts.matchers import MatcherError, all_match, compiled, parse
from alertcenter.alerts.models import Alert, GroupAlert
from alertcenter.api.base import TenantAPIView
from alertcenter.api.errors import as_refused
from alertcenter.common.errors import Refused

# go-openapi/swag, conv.ConvertBool: anything else is false.
TRUE = frozenset(
    ["1", "true", "yes", "ok", "y", "on", "selected", "checked", "t", "enabled"]
)
RESOLVE_TIMEOUT = timedelta(minutes=5)
FIELDS = (
    "id",
    "labels",
    "annotations",
    "fingerprint",
    "starts_at",
    "expires_at",
    "last_at",
    "link",
)


@extend_schema(exclude=True)
class AlertmanagerAlertsView(TenantAPIView):
    """The firing alerts in Alertmanager's shape."""

    renderer_classes = [JSONRenderer]

    def get_exception_handler(self) -> Callable[[Exception, Any], Response | None]:
        return handle

    def get(self, request: Request, **_kwargs: Any) -> Response:
        tenant_id = self.standing(request).tenant_id
        wanted = _filter(request)
        if not _flag(request, "active"):
            return Response([])
        receivers = _receivers(tenant_id)
        rows = Alert.objects.filter(
            Q(expires_at=None) | Q(expires_at__gt=Now()),
            tenant_id=tenant_id,
            state="firing",
        ).values(*FIELDS)
        shown = [
            _shown(row, receivers[row["id"]])
            for row in rows.iterator()
            if wanted(row["labels"], receivers[row["id"]])
        ]
        return Response(sorted(shown, key=lambda alert: alert["fingerprint"]))


def handle(error: Exception, _context: dict[str, Any]) -> Response | None:
    """Refuse in go-openapi's shape; 400 as one JSON string."""
    refused = as_refused(error)
    if refused is None:
        return None
    body: Any = {"code": refused.status, "message": str(refused.message)}
    if refused.status == 400:
        body = str(refused.message)
    return Response(body, status=refused.status, headers=refused.headers)


def _filter(request: Request) -> Callable[[dict[str, str], list[str]], bool]:
    """Return the test that `filter` and `receiver` write. Raises Refused."""
    matchers = []
    for text in request.GET.getlist("filter"):
        try:
            matchers.append(parse(text))
        except MatcherError as error:
            message = f"bad matcher format: {text}"
            raise Refused(400, "bad_matcher", message) from error
    pattern = _pattern(request.GET.get("receiver", ""))

    def wanted(labels: dict[str, str], receivers: list[str]) -> bool:
        if pattern and not any(pattern.fullmatch(name) for name in receivers):
            return False
        return all_match(matchers, labels)

    return wanted


def _pattern(text: str) -> Any:
    if not text:
        return None
    try:
        return compiled(text)
    except MatcherError as error:
        message = f"failed to parse receiver param: {error}"
        raise Refused(400, "bad_receiver", message) from error


def _flag(request: Request, name: str) -> bool:
    return request.GET.get(name, "true").lower() in TRUE


def _receivers(tenant_id: UUID) -> defaultdict[UUID, list[str]]:
    """Return the names of the routes that each firing alert took."""
    found: defaultdict[UUID, list[str]] = defaultdict(list)
    open_memberships = GroupAlert.objects.filter(
        tenant_id=tenant_id, left_at=None, group__route__isnull=False
    )
    for alert_id, name in open_memberships.values_list(
        "alert_id", "group__route__name"
    ):
        found[alert_id].append(name)
    return found


def _shown(row: dict[str, Any], receivers: list[str]) -> dict[str, Any]:
    """Return one gettableAlert; generatorURL is left out when empty."""
    ends_at = row["expires_at"] or row["last_at"] + RESOLVE_TIMEOUT
    alert = {
        "annotations": row["annotations"],
        "endsAt": _go_time(ends_at),
        "fingerprint": row["fingerprint"] or fingerprint(row["labels"]),
        "receivers": [{"name": name} for name in sorted(receivers)],
        "startsAt": _go_time(row["starts_at"]),
        "status": {
            "inhibitedBy": [],
            "mutedBy": [],
            "silencedBy": [],
            "state": "active" if receivers else "unprocessed",
        },
        "updatedAt": _go_time(row["last_at"]),
        "labels": row["labels"],
    }
    return alert | ({"generatorURL": row["link"]} if row["link"] else {})


def _go_time(moment: datetime) -> str:
    """Return RFC 3339 with milliseconds and Z, as Alertmanager prints it."""
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return re.sub(r"\+00:00$", "Z", text)
