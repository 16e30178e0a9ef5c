"""What does Alertmanager's GET /api/v2/alerts answer? (api/v2/openapi.yaml)

What keeps an alert quiet is read from the marks on its memberships (alerts.quiet).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from django.db import connection
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from alertcenter.alerts import routing
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
MEMBERSHIPS = """
SELECT m.alert_id, g.route_id, m.silenced_by, m.inhibited_by FROM group_alert m
JOIN alert_group g ON g.tenant_id = m.tenant_id AND g.id = m.group_id
WHERE m.tenant_id = %s AND m.left_at IS NULL
"""
NAMES = """
SELECT id, fingerprint, labels::text FROM alert
WHERE tenant_id = %s AND id = ANY (%s::uuid[])
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
    matchers, pattern = matchers_of(request), _pattern(request)
    # Whole labels are found by their index; all else is judged here.
    equal = [m for m in matchers if m.operator == "=" and m.value]
    whole = {m.name: m.value for m in equal}
    rest = [m for m in matchers if whole.get(m.name) != m.value or m.operator != "="]
    with connection.cursor() as cursor:
        cursor.execute(FIRING, [tenant_id, encode(whole).decode()])
        rows = cursor.fetchall()
    if rest:
        rows = [row for row in rows if all_match(rest, decode(row[1]))]
    standings = _standings(tenant_id, [row[0] for row in rows])
    wanted = [
        row
        for row in rows
        if _wanted(request, standings[row[0]])
        and (not pattern or any(map(pattern.fullmatch, standings[row[0]].receivers)))
    ]
    names = _names(
        tenant_id, {pk for row in wanted for pk in standings[row[0]].inhibited_by}
    )
    return [_shown(row, standings[row[0]], names) for row in wanted]


@dataclass
class Standing:
    """Who is told of an alert, and what keeps them from it."""

    receivers: set[str] = field(default_factory=set)
    silenced_by: set[UUID] = field(default_factory=set)
    inhibited_by: set[UUID] = field(default_factory=set)

    @property
    def state(self) -> str:
        if self.silenced_by or self.inhibited_by:
            return "suppressed"
        return "active" if self.receivers else "unprocessed"


def _wanted(request: Request, standing: Standing) -> bool:
    """Whether the flags let an alert in that stands so."""
    if standing.silenced_by and not flag(request, "silenced"):
        return False
    if standing.inhibited_by and not flag(request, "inhibited"):
        return False
    if standing.state == "unprocessed" and not flag(request, "unprocessed"):
        return False
    return standing.state == "suppressed" or flag(request, "active")


def handle(error: Exception, _context: dict[str, Any]) -> Response | None:
    """Refuse in go-openapi's shape; 400 as one JSON string."""
    refused = as_refused(error)
    if refused is None:
        return None
    body: Any = {"code": refused.status, "message": str(refused.message)}
    if refused.status == 400:
        body = str(refused.message)
    return Response(body, status=refused.status, headers=refused.headers)


def matchers_of(request: Request) -> list[Matcher]:
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


def flag(request: Request, name: str) -> bool:
    return request.GET.get(name, "true").lower() in TRUE


def _standings(tenant_id: UUID, alerts: list[UUID]) -> defaultdict[UUID, Standing]:
    """Return how each of these alerts stands in the groups that it is in."""
    found: defaultdict[UUID, Standing] = defaultdict(Standing)
    query = MEMBERSHIPS
    values: list[Any] = [tenant_id]
    if len(alerts) < SOME:
        query, values = MEMBERSHIPS + OF_SOME, [tenant_id, alerts]
    routes = {r.id: r.receiver for r in routing.walk(routing.load(tenant_id))}
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        for alert_id, route_id, silenced_by, inhibited_by in cursor.fetchall():
            standing = found[alert_id]
            if receiver := routes.get(route_id):
                standing.receivers.add(receiver)
            standing.silenced_by.update(silenced_by)
            standing.inhibited_by.update(inhibited_by)
    return found


def _names(tenant_id: UUID, alerts: set[UUID]) -> dict[UUID, str]:
    """Return the names on the wire of alerts that keep others quiet."""
    if not alerts:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(NAMES, [tenant_id, [str(pk) for pk in alerts]])
        return {
            pk: known or fingerprint(decode(labels))
            for pk, known, labels in cursor.fetchall()
        }


def _shown(row: tuple[Any, ...], standing: Standing, names: dict[UUID, str]) -> Listed:
    """Return one gettableAlert; generatorURL if there is one."""
    alert_id, labels, annotations, known, starts, ends, updated, link = row
    name = known or fingerprint(decode(labels))
    receivers = encode([{"name": one} for one in sorted(standing.receivers)]).decode()
    silences = encode(sorted(str(pk) for pk in standing.silenced_by)).decode()
    sources = sorted(names[pk] for pk in standing.inhibited_by if pk in names)
    more = f',"generatorURL":{encode(link).decode()}' if link else ""
    return Listed(
        alert_id,
        name,
        f'{{"annotations":{annotations},"endsAt":"{ends}","fingerprint":"{name}",'
        f'"receivers":{receivers},"startsAt":"{starts}","status":{{"inhibitedBy":'
        f'{encode(sources).decode()},"mutedBy":[],"silencedBy":{silences},'
        f'"state":"{standing.state}"}},"updatedAt":"{updated}",'
        f'"labels":{labels}{more}}}',
    )
