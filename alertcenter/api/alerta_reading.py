"""What does Alerta's own command ask for? Alerts, counts, histories, and the server.

https://docs.alerta.io/api/reference.html
"""

from __future__ import annotations

import time
from typing import Any

from django.http import JsonResponse

from alertcenter.alerts.models import Transition
from alertcenter.api import alerta_search as search
from alertcenter.api import alerta_shapes as shapes
from alertcenter.api import asked
from alertcenter.api.alerta import NAME, Answer, Call, existing, noted, within
from alertcenter.api.opsgenie_shapes import as_time
from tenants.models.apikey import Scope

BEGUN = time.time()


@within(Scope.READ)
def get_alert(call: Call, identifier: str) -> JsonResponse:
    alert = existing(call, identifier)
    shown = shapes.as_alert(alert, whole=True)
    return call.respond(200, status="ok", total=1, alert=shown)


@within(Scope.READ)
def list_notes(call: Call, identifier: str) -> JsonResponse:
    alert = existing(call, identifier)
    notes = [shapes.as_note(alert, row) for row in noted(alert)[:100]]
    return call.respond(200, status="ok", notes=notes, total=len(notes))


@within(Scope.READ)
def list_alerts(call: Call) -> JsonResponse:
    page = search.page_of(call.request.GET)
    rows = search.found(call.key.tenant_id, call.request.GET)
    severity, states = counted(rows)
    alerts = [shapes.as_alert(one) for one in page.of(rows)]
    latest = max((one["lastReceiveTime"] for one in alerts), default=None)
    return call.respond(
        200,
        status="ok",
        alerts=alerts,
        severityCounts=severity,
        statusCounts=states,
        lastTime=latest or as_time(asked.now()),
        autoRefresh=True,
        **page.told(sum(states.values())),
    )


def counted(rows: Any) -> tuple[dict[str, int], dict[str, int]]:
    return search.counts(rows, "a_severity"), search.counts(rows, "a_status")


@within(Scope.READ)
def count(call: Call) -> JsonResponse:
    rows = search.found(call.key.tenant_id, call.request.GET)
    severity, states = counted(rows)
    return call.respond(
        200,
        status="ok",
        total=sum(states.values()),
        severityCounts=severity,
        statusCounts=states,
    )


@within(Scope.READ)
def history(call: Call) -> JsonResponse:
    page = search.page_of(call.request.GET)
    rows = search.found(call.key.tenant_id, call.request.GET)
    alerts = {one.pk: one for one in rows.order_by("-last_at")[: search.MOST_LISTED]}
    changes = Transition.objects.filter(
        tenant_id=call.key.tenant_id, alert_id__in=list(alerts), kind__in=shapes.KINDS
    ).order_by("-id")[: page.size]
    shown = [
        shapes.as_rich_change(alerts[row.alert_id], row)
        for row in changes
        if row.alert_id
    ]
    return call.respond(200, status="ok", history=shown, total=len(shown))


def listing(plural: str, field: str, *, many: bool = False) -> Answer:
    """Return an endpoint that tells which values of a field there are, and how many."""

    @within(Scope.READ)
    def run(call: Call) -> JsonResponse:
        rows = search.found(call.key.tenant_id, call.request.GET)
        found: dict[tuple[str, str], dict[str, Any]] = {}
        for row in rows.values_list("a_environment", field, "a_severity", "a_status"):
            place, value, severity, state = row
            for one in shapes.split(value) if many else [value]:
                kept = found.setdefault(
                    ("" if field == "a_environment" else place, one),
                    {"count": 0, "severityCounts": {}, "statusCounts": {}},
                )
                kept["count"] += 1
                for name, word in (
                    ("severityCounts", severity),
                    ("statusCounts", state),
                ):
                    kept[name][word] = kept[name].get(word, 0) + 1
        shown = [
            {"environment": place, field[2:].removesuffix("s"): value, **kept}
            if field != "a_environment"
            else {"environment": value, **kept}
            for (place, value), kept in sorted(found.items())
        ]
        return call.respond(200, status="ok", total=len(shown), **{plural: shown})

    return run


# --- about the server ---


def config(call: Call) -> JsonResponse:
    """GET /config, which the command reads before it sends its key."""
    endpoint_url = call.request.build_absolute_uri("/alerta")
    return call.respond(200, endpoint=endpoint_url, **shapes.CONFIG)


def index(call: Call) -> JsonResponse:
    return call.respond(200, status="ok", links=[], uri="/alerta/")


@within(Scope.READ)
def management(call: Call) -> JsonResponse:
    now = time.time()
    return call.respond(
        200,
        application=NAME,
        version=shapes.VERSION,
        time=int(now * 1000),
        uptime=int((now - BEGUN) * 1000),
        metrics=[],
    )
