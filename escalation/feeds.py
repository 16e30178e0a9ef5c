"""Which private addresses show shifts to calendar clients, and what do they show?"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from django.db.models import Q
from django.utils import translation
from django.utils.translation import gettext as _

from alertcenter.alerts.lifecycle import database_time
from escalation import ical_out, oncall, rota
from escalation.hours import ONE_DAY, Span
from escalation.ical_out import Event
from escalation.models import CalendarFeed, Schedule
from tenants import audit
from tenants.actors import Actor
from tenants.apikeys import lookup_hash
from tenants.models import Member, Tenant

BEFORE, AHEAD = timedelta(days=30), timedelta(days=180)
# Of a member's place, or of a schedule's: more are a mistake.
MOST_FEEDS = 20
USED_AGAIN = timedelta(hours=1)


class TooManyFeeds(Exception):
    """There are as many already as may be."""


class TooMuch(Exception):
    """To reckon these shifts would keep everybody else waiting."""


@dataclass(frozen=True)
class Feed:
    """What a calendar client is shown."""

    name: str
    events: list[Event]
    at: datetime

    @property
    def tag(self) -> str:
        return ical_out.tag_of(self.name, self.events)

    def text(self) -> bytes:
        return ical_out.write(self.name, self.events, at=self.at)


def address_of(token: str) -> str:
    return f"{settings.BASE_URL}/calendar/{token}.ics"


def make(
    tenant_id: UUID,
    *,
    schedule: Schedule | None,
    member: Member | None,
    actor: Actor,
) -> tuple[CalendarFeed, str]:
    """Return a new feed and its token, known this once. Raises TooManyFeeds."""
    scope = {"tenant_id": tenant_id, "schedule": schedule, "member": member}
    if CalendarFeed.objects.filter(**scope).count() >= MOST_FEEDS:
        raise TooManyFeeds
    token = secrets.token_urlsafe(32)
    feed = CalendarFeed.objects.create(**scope, lookup_hash=lookup_hash(token))
    note(feed, "create", actor)
    return feed, token


def revoke(feed: CalendarFeed, *, actor: Actor) -> None:
    """Let the address show nothing from now on."""
    note(feed, "revoke", actor)
    feed.delete()


def note(feed: CalendarFeed, verb: str, actor: Actor) -> None:
    audit.record(
        feed.tenant_id,
        actor,
        f"calendarfeed.{verb}",
        kind="calendarfeed",
        object_id=feed.pk,
        schedule=str(feed.schedule or ""),
        member=str(feed.member or ""),
    )


def find(token: str) -> tuple[UUID, UUID] | None:
    """Return (tenant, feed) that the token stands for. Needs no context."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM resolve_calendar(%s)", [lookup_hash(token)])
        found: tuple[UUID, UUID] | None = cursor.fetchone()
    return found


def opened(tenant_id: UUID, feed_id: UUID) -> CalendarFeed | None:
    """Return the feed, and note at most once an hour that it is used; None for that
    of a member who is no more (needs the tenant's context)."""
    rows = CalendarFeed.objects.filter(tenant_id=tenant_id, pk=feed_id)
    feed = rows.select_related("schedule", "member").first()
    if feed is None or (feed.member is not None and not feed.member.active):
        return None
    now = database_time()
    long_ago = Q(last_used_at=None) | Q(last_used_at__lt=now - USED_AGAIN)
    rows.filter(long_ago).update(last_used_at=now)
    return feed


def show(feed: CalendarFeed, *, gaps: bool = False) -> Feed:
    """Return what a feed shows now; with `gaps` also when nobody is on call. Raises
    TooMuch."""
    now = database_time()
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    shown = Span(today - BEFORE, today + AHEAD + ONE_DAY)
    tenant = Tenant.objects.get(pk=feed.tenant_id)
    language = feed.member.language if feed.member else tenant.language
    with translation.override(language):
        schedules = _schedules(feed)
        events = [
            event
            for found, members in _looked_up(feed, schedules, shown)
            for event in _events(feed, found, members, shown)
        ]
        if gaps and feed.member is None:
            events += _gaps(feed, schedules, shown)
        return Feed(_name(feed, tenant), events, now)


def _name(feed: CalendarFeed, tenant: Tenant) -> str:
    if feed.schedule is not None and feed.member is None:
        return _("On call: %(schedule)s") % {"schedule": feed.schedule.name}
    if feed.schedule is not None:
        return _("My shifts: %(schedule)s") % {"schedule": feed.schedule.name}
    return _("My shifts: %(schedule)s") % {"schedule": tenant.name}


def _schedules(feed: CalendarFeed) -> list[Schedule]:
    if feed.schedule is not None:
        return [feed.schedule]
    return list(Schedule.objects.filter(tenant_id=feed.tenant_id))


@dataclass(frozen=True)
class _Found:
    schedule: Schedule
    spans: dict[UUID, list[Span]]


def _looked_up(
    feed: CalendarFeed, schedules: list[Schedule], shown: Span
) -> Iterator[tuple[_Found, dict[UUID, Member]]]:
    within = ical_out.around(shown)
    rotas = oncall.load(feed.tenant_id, [one.pk for one in schedules], within)
    budget = rota.Budget()
    for schedule in schedules:
        given = rotas[schedule.pk]
        if feed.member_id is not None and feed.member_id not in rota.people_of(given):
            continue
        if not budget.takes(given, within):
            raise TooMuch
        shifts = rota.final(given, within)
        zone = ZoneInfo(schedule.time_zone)
        spans = ical_out.own_spans(shifts, shown, zone)
        if feed.member_id is not None:
            spans = {p: s for p, s in spans.items() if p == feed.member_id}
        members = oncall.members_of(feed.tenant_id, [tuple(spans)])
        yield _Found(schedule, spans), members


def _events(
    feed: CalendarFeed, found: _Found, members: dict[UUID, Member], shown: Span
) -> Iterator[Event]:
    """Yield one event for each shift of each person. In a schedule's feed it is called
    as the person is, so that it can be imported again (escalation/ical_in.py)."""
    schedule = found.schedule
    for person, spans in found.spans.items():
        if feed.member_id is None:
            summary = members[person].name
        else:
            summary = _("On call: %(schedule)s") % {"schedule": schedule.name}
        for begin, end in spans:
            uid = ical_out.uid_of(schedule.pk, person, begin)
            yield Event(uid, summary, begin, end, schedule.name)


def _gaps(
    feed: CalendarFeed, schedules: Iterable[Schedule], shown: Span
) -> Iterator[Event]:
    rotas = oncall.load(feed.tenant_id, [one.pk for one in schedules], shown)
    for schedule in schedules:
        zone = ZoneInfo(schedule.time_zone)
        gaps = rota.gaps(rotas[schedule.pk], shown)
        for begin, end in ical_out.whole(gaps, shown, zone):
            uid = ical_out.uid_of(schedule.pk, "gap", begin)
            yield Event(uid, _("Nobody is on call"), begin, end, schedule.name)
