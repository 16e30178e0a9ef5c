"""What else do Alertmanager's clients ask? Status, receivers, groups.

api/v2/openapi.yaml, and what amtool and karma read of it (reference/wire-protocols.md
3.1). Each route is a receiver of its own name.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from alertcenter.alerts import am_config, routing
from alertcenter.alerts.models import Alert, Group
from alertcenter.api.alertmanager import (
    AlertmanagerView,
    Listed,
    listed,
)
from escalation.am_export import config_text

# What karma and amtool compare; the shapes are those of this version.
VERSION = "0.34.0"
BUILD = {
    "version": VERSION,
    "revision": "alertcenter",
    "branch": "main",
    "buildUser": "alertcenter",
    "buildDate": "20260101-00:00:00",
    "goVersion": "go1.25",
}
STARTED = datetime.now(UTC)
ROOT = am_config.NOBODY

MEMBERS = """
SELECT g.id, m.alert_id FROM alert_group g
JOIN group_alert m ON m.tenant_id = g.tenant_id AND m.group_id = g.id
WHERE g.tenant_id = %s AND g.state <> 'resolved' AND m.left_at IS NULL
"""


def go_time(moment: datetime) -> str:
    """Return RFC 3339 with milliseconds and Z, as Alertmanager prints it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + (
        f"{moment.microsecond // 1000:03d}Z"
    )


@extend_schema(exclude=True)
class StatusView(AlertmanagerView):
    """GET /api/v2/status."""

    def get(self, request: Request, **_kwargs: Any) -> Response:
        tenant_id = self.standing(request).tenant_id
        return Response(
            {
                "cluster": {"peers": [], "status": "disabled"},
                "config": {"original": config_text(tenant_id)},
                "uptime": go_time(STARTED),
                "versionInfo": BUILD,
            }
        )


@extend_schema(exclude=True)
class ReceiversView(AlertmanagerView):
    """GET /api/v2/receivers."""

    def get(self, request: Request, **_kwargs: Any) -> Response:
        root = routing.load(self.standing(request).tenant_id)
        names = sorted({route.receiver or ROOT for route in routing.walk(root)})
        return Response([{"name": name} for name in names])


@extend_schema(exclude=True)
class GroupsView(AlertmanagerView):
    """GET /api/v2/alerts/groups: the groups that are not resolved, by label."""

    def get(self, request: Request, **_kwargs: Any) -> HttpResponse:
        tenant_id = self.standing(request).tenant_id
        shown = {one.id: one for one in listed(request, tenant_id)}
        members = members_of(tenant_id)
        groups = Group.objects.filter(tenant_id=tenant_id, pk__in=members)
        routes = {r.id: r for r in routing.walk(routing.load(tenant_id))}
        found = []
        for group in groups:
            alerts = sorted(
                (shown[one] for one in members[group.pk] if one in shown),
                key=lambda one: one.fingerprint,
            )
            if alerts:
                route = routes.get(group.route_id, routing.NOWHERE)
                found.append(as_group(group, route, alerts))
        text = ",".join(text for _order, text in sorted(found))
        return HttpResponse(f"[{text}]\n", content_type="application/json")


def members_of(tenant_id: UUID) -> dict[UUID, list[UUID]]:
    """Return the alerts in each open group."""
    members: dict[UUID, list[UUID]] = {}
    with connection.cursor() as cursor:
        cursor.execute(MEMBERS, [tenant_id])
        for group_id, alert_id in cursor.fetchall():
            members.setdefault(group_id, []).append(alert_id)
    return members


def as_group(
    group: Group, route: routing.CompiledRoute, alerts: Sequence[Listed]
) -> tuple[str, str]:
    """Return what groups are sorted by, and one alertGroup."""
    name = route.receiver or ROOT
    said = json.dumps(dict(route.labels), sort_keys=True)
    labels = json.dumps(group.labels, sort_keys=True)
    inner = ",".join(one.text for one in alerts)
    text = (
        f'{{"alerts":[{inner}],"labels":{labels},"receiver":{{"name":{json.dumps(name)}}},'
        f'"routeLabels":{said}}}'
    )
    return f"{labels}{name}", text


@extend_schema(exclude=True)
class MetricsView(AlertmanagerView):
    """GET /metrics of one tenant, as karma reads it."""

    def get(self, request: Request, **_kwargs: Any) -> HttpResponse:
        tenant_id = self.standing(request).tenant_id
        firing = Alert.objects.filter(tenant_id=tenant_id, state="firing").count()
        labels = ",".join(
            f'{name}="{BUILD[key]}"'
            for name, key in (
                ("branch", "branch"),
                ("goversion", "goVersion"),
                ("revision", "revision"),
                ("version", "version"),
            )
        )
        return HttpResponse(
            "# HELP alertmanager_build_info Whose interface this is.\n"
            "# TYPE alertmanager_build_info gauge\n"
            f"alertmanager_build_info{{{labels}}} 1\n"
            "# HELP alertmanager_alerts How many alerts by state.\n"
            "# TYPE alertmanager_alerts gauge\n"
            f'alertmanager_alerts{{state="active"}} {firing}\n'
            'alertmanager_alerts{state="suppressed"} 0\n',
            content_type="text/plain; version=0.0.4; charset=utf-8",
        )
