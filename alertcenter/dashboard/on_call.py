"""Who is on call, for whoever holds a private address: a page for a phone or a wall.

The token is that of a calendar feed. Nothing can be done here, and nothing is said but
names and times; the page asks again by itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from alertcenter.alerts.lifecycle import database_time
from alertcenter.common.http import client_address
from alertcenter.common.shared_buckets import SharedBuckets
from alertcenter.dashboard.build import build_hash
from escalation import calendar_words, oncall, rota
from escalation.hours import Span
from escalation.models import CalendarFeed
from escalation.oncall import OnCall
from escalation.rota import Rota
from notifications import localize
from tenants.apikeys import lookup_hash
from tenants.models import Tenant
from tenants.rls import in_tenant

TOKEN = re.compile(r"[A-Za-z0-9_-]{20,100}")
GUESSES = SharedBuckets("on-call-guesses", rate=1 / 3, burst=60)
READINGS = SharedBuckets("on-call-readings", rate=1 / 5, burst=30)
TOO_MANY = 429
REFRESH_SECONDS = 60
AHEAD = timedelta(days=60)
MOST_SHIFTS = 10


@never_cache
@require_safe
def show(request: HttpRequest, token: str) -> HttpResponse:
    """Say who is on call by the schedules of a feed. Raises Http404."""
    address = client_address(
        request.META.get("REMOTE_ADDR", ""),
        [request.META.get("HTTP_X_FORWARDED_FOR", "")],
        settings.TRUSTED_PROXIES,
    )
    if wait := GUESSES.wait(address):
        return too_many(wait)
    found = resolved(token)
    if found is None:
        GUESSES.take(address)
        raise Http404
    if wait := READINGS.wait(found[1]):
        return too_many(wait)
    READINGS.take(found[1])
    with in_tenant(found[0]):
        return page(request, *found)


def resolved(token: str) -> tuple[UUID, UUID] | None:
    """Return (tenant, feed) of a token."""
    if not TOKEN.fullmatch(token):
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM resolve_calendar(%s)", [lookup_hash(token)])
        row: tuple[UUID, UUID] | None = cursor.fetchone()
    return row


def too_many(wait: float) -> HttpResponse:
    seconds = str(int(wait) + 1)
    return HttpResponse(status=TOO_MANY, headers={"Retry-After": seconds})


def page(request: HttpRequest, tenant_id: UUID, feed_id: UUID) -> HttpResponse:
    """Return the page; in the feed's tenant."""
    feed = (
        CalendarFeed.objects.filter(tenant_id=tenant_id, pk=feed_id)
        .select_related("schedule", "member")
        .first()
    )
    tenant = Tenant.objects.filter(pk=tenant_id).first()
    if feed is None or tenant is None:
        raise Http404
    if feed.member and not feed.member.active:
        raise Http404
    language = feed.member.language if feed.member else tenant.language
    with translation.override(localize.interface_language(language)):
        response = render(request, "dashboard/on_call.html", context(feed, tenant))
    response.headers["X-Robots-Tag"] = "noindex"
    # A log would name the address, which is as good as a password.
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


def context(feed: CalendarFeed, tenant: Tenant) -> dict[str, Any]:
    """Return what the page says, by the clock of the feed's member, or of the
    schedule."""
    now, tenant_id = database_time(), feed.tenant_id
    ids = [feed.schedule_id] if feed.schedule_id else None
    within = Span(now, now + AHEAD)
    rotas = oncall.load(tenant_id, ids, within)
    budget = rota.Budget()
    if feed.member_id and not feed.schedule_id:
        rotas = {
            pk: one for pk, one in rotas.items() if concerns(one, feed, within, budget)
        }
    orders = oncall.everyone_on_call(tenant_id, now, list(rotas))
    zone = feed.member.time_zone if feed.member else ""
    return {
        "tenant": tenant,
        "feed": feed,
        "build": build_hash(),
        "refresh": REFRESH_SECONDS,
        "now": now,
        "too_much": calendar_words.too_much(),
        "orders": [
            {
                "order": one,
                "zone": ZoneInfo(zone or one.schedule.time_zone),
                "shifts": coming(one, rotas[one.schedule.pk], within)
                if budget.takes(rotas[one.schedule.pk], within)
                else None,
            }
            for one in orders
        ],
    }


def concerns(
    given: Rota, feed: CalendarFeed, within: Span, budget: rota.Budget
) -> bool:
    """Whether the feed's member is on call by this schedule before long, or may be
    where that is too much to reckon."""
    if feed.member_id not in rota.people_of(given):
        return False
    if not budget.takes(given, within):
        return True
    return any(feed.member_id in shift.people for shift in rota.final(given, within))


def coming(one: OnCall, given: Rota, within: Span) -> Sequence[dict[str, Any]]:
    """Return the next shifts, with the gaps between them."""
    found = rota.final(given, within)
    gaps = rota.gaps_in(found, within)
    lines = [(s.starts_at, s.ends_at, s.people) for s in found]
    lines += [(gap.starts_at, gap.ends_at, ()) for gap in gaps]
    lines = sorted(lines)[:MOST_SHIFTS]
    members = oncall.members_of(one.schedule.tenant_id, [p for _b, _e, p in lines])
    return [
        {
            "now": begin <= within.starts_at,
            "starts_at": begin,
            "ends_at": end,
            "names": oncall.names_of(members[person] for person in people),
        }
        for begin, end, people in lines
    ]
