"""What does Alertmanager's GET /api/v2/alerts answer? (api/v2/openapi.yaml)

Silences and inhibition come with a later issue: every listed alert is active.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from django.db import connection
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from alertcenter.alerts.fingerprint import fingerprint
from alertcenter.alerts.matchers import (
    Matcher,
    MatcherError,
    all_match,
    compiled,
    parse,
)
from alertcenter.api.base import TenantAPIView
from alertcenter.api.errors import as_refused
from alertcenter.common.errors import Refused

# go-openapi/swag, conv.ConvertBool: anything else is false.
TRUE = frozenset(
    ["1", "true", "yes", "ok", "y", "on", "selected", "checked", "t", "enabled"]
)
# RFC 3339 with milliseconds and Z, as Alertmanager prints it.
GO_TIME = """to_char(({}) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')"""
# PostgreSQL writes the labels as JSON already: no list is too long to be shown whole.
FIRING = f"""
SELECT id, labels::text, annotations::text, fingerprint,
  {GO_TIME.format("starts_at")},
  {GO_TIME.format("coalesce(expires_at, last_at + interval '5 minutes')")},
  {GO_TIME.format("last_at")}, link
FROM alert
WHERE tenant_id = %s AND state = 'firing' AND labels @> %s::jsonb
  AND (expires_at IS NULL OR expires_at > now())
"""
RECEIVERS = """
SELECT m.alert_id, r.name FROM group_alert m
JOIN alert_group g ON g.tenant_id = m.tenant_id AND g.id = m.group_id
JOIN route r ON r.tenant_id = g.tenant_id AND r.id = g.route_id
WHERE m.tenant_id = %s AND m.left_at IS NULL
"""
OF_SOME = " AND m.alert_id = ANY(%s::uuid[])"
SOME = 5_000

encode = msgspec.json.encode
decode = msgspec.json.decode


class Listed(NamedTuple):
    """One firing alert: its id, its name on the wire, and its JSON."""

    id: UUID
    fingerprint: str
    text: str


class AlertmanagerView(TenantAPIView):
    """A view that answers and refuses in Alertmanager's words."""

    renderer_classes = [JSONRenderer]

    def get_exception_handler(self) -> Callable[[Exception, Any], Response | None]:
        return handle


@extend_schema(exclude=True)
class AlertmanagerAlertsView(AlertmanagerView):
    """The firing alerts in Alertmanager's shape."""

    def get(self, request: Request, **_kwargs: Any) -> HttpResponse | Response:
        found = listed(request, self.standing(request).tenant_id)
        shown = sorted(found, key=lambda one: one.fingerprint)
        text = ",".join([one.text for one in shown])
        return HttpResponse(f"[{text}]\n", content_type="application/json")


def listed(request: Request, tenant_id: UUID) -> list[Listed]:
    """Return the alerts that the request's parameters choose. Raises Refused."""
    matchers, pattern = _matchers(request), _pattern(request)
    if not _flag(request, "active"):
        return []
    # Whole labels are found by their index; all else is judged here.
    equal = [m for m in matchers if m.operator == "=" and m.value]
    whole = {m.name: m.value for m in equal}
    rest = [m for m in matchers if whole.get(m.name) != m.value or m.operator != "="]
    with connection.cursor() as cursor:
        cursor.execute(FIRING, [tenant_id, encode(whole).decode()])
        rows = cursor.fetchall()
    if rest:
        rows = [row for row in rows if all_match(rest, decode(row[1]))]
    receivers = _receivers(tenant_id, [row[0] for row in rows])
    if pattern:
        rows = [
            row
            for row in rows
            if any(pattern.fullmatch(name) for name in receivers[row[0]])
        ]
    return [_shown(row, receivers[row[0]]) for row in rows]


def handle(error: Exception, _context: dict[str, Any]) -> Response | None:
    """Refuse in go-openapi's shape; 400 as one JSON string."""
    refused = as_refused(error)
    if refused is None:
        return None
    body: Any = {"code": refused.status, "message": str(refused.message)}
    if refused.status == 400:
        body = str(refused.message)
    return Response(body, status=refused.status, headers=refused.headers)


def _matchers(request: Request) -> list[Matcher]:
    """Return what `filter` writes. Raises Refused."""
    matchers = []
    for text in request.GET.getlist("filter"):
        try:
            matchers.append(parse(text))
        except MatcherError as error:
            message = f"bad matcher format: {text}"
            raise Refused(400, "bad_matcher", message) from error
    return matchers


def _pattern(request: Request) -> Any:
    """Return what `receiver` writes, None for nothing. Raises Refused."""
    text = request.GET.get("receiver", "")
    if not text:
        return None
    try:
        return compiled(text)
    except MatcherError as error:
        message = f"failed to parse receiver param: {error}"
        raise Refused(400, "bad_receiver", message) from error


def _flag(request: Request, name: str) -> bool:
    return request.GET.get(name, "true").lower() in TRUE


def _receivers(tenant_id: UUID, alerts: list[UUID]) -> defaultdict[UUID, list[str]]:
    """Return the names of the routes that each of these alerts took."""
    found: defaultdict[UUID, list[str]] = defaultdict(list)
    query = RECEIVERS
    values: list[Any] = [tenant_id]
    if len(alerts) < SOME:
        query, values = RECEIVERS + OF_SOME, [tenant_id, alerts]
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        for alert_id, name in cursor.fetchall():
            found[alert_id].append(name)
    return found


def _shown(row: tuple[Any, ...], receivers: list[str]) -> Listed:
    """Return one gettableAlert; generatorURL if there is one."""
    alert_id, labels, annotations, known, starts, ends, updated, link = row
    name = known or fingerprint(decode(labels))
    names = encode([{"name": one} for one in sorted(receivers)]).decode()
    state = "active" if receivers else "unprocessed"
    more = f',"generatorURL":{encode(link).decode()}' if link else ""
    return Listed(
        alert_id,
        name,
        f'{{"annotations":{annotations},"endsAt":"{ends}","fingerprint":"{name}",'
        f'"receivers":{names},"startsAt":"{starts}","status":{{"inhibitedBy":[],'
        f'"mutedBy":[],"silencedBy":[],"state":"{state}"}},"updatedAt":"{updated}",'
        f'"labels":{labels}{more}}}',
    )
