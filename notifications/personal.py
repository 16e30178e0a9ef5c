"""Whom does a page to a person reach, by what, and after how long?

Each member may have two chains of steps, as in Grafana OnCall: the default one, and an
important one for what is severe. The whole chain is worked out when the person is to be
told, and its later calls are written as deliveries of the future in the transaction
that writes the first. So a crash loses none, and an acknowledgement cancels all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection

from alertcenter.common.clocks import as_utc
from notifications import recipients
from notifications.models.channel import Contact
from notifications.models.personal import (
    CRITICAL,
    DAY_NAMES,
    PersonalRule,
    PersonalStep,
    PersonalStepKind,
    QuietHours,
    QuietHow,
)
from notifications.recipients import Address
from tenants.models import Member

MAIL = "email"
UTC_ZONE = ZoneInfo("UTC")
# Quiet hours that cover the whole week end never; looked for no further than this.
LONGEST_HOLD = timedelta(days=8)


class Call(NamedTuple):
    """One message of a chain: by what, where, and how long after the first moment."""

    kind: str
    channel_id: UUID | None
    address: str
    seconds: int = 0
    step: int = 0  # 1 and up; 0 where the member wrote no steps


@dataclass(frozen=True)
class Person:
    """A member with all that decides how he is told; read once."""

    addresses: Sequence[tuple[UUID | None, Address]]  # with the contact's id
    steps: Sequence[PersonalStep] = ()
    hours: Sequence[QuietHours] = ()
    zone: ZoneInfo = UTC_ZONE
    important_from: int = CRITICAL
    quiet_below: int = CRITICAL
    quiet_how: str = QuietHow.HOLD

    def chain(self, *, important: bool) -> list[PersonalStep]:
        """Return the steps; the default ones where no important ones are written."""
        chosen = [s for s in self.steps if s.important == important]
        if important and not chosen:
            chosen = [s for s in self.steps if not s.important]
        return chosen

    def is_important(self, severity: int) -> bool:
        return severity >= self.important_from

    def reached_by(self, step: PersonalStep) -> list[Address]:
        """Return the addresses that one step notifies."""
        if step.kind == PersonalStepKind.CONTACT:
            return [a for pk, a in self.addresses if pk == step.contact_id]
        return [a for _pk, a in self.addresses if a[0] == step.by]

    def mailboxes(self) -> list[Address]:
        return [a for _pk, a in self.addresses if a[0] == MAIL]


def calls_for(
    tenant_id: UUID, member_id: UUID, *, severity: int, at: datetime
) -> list[Call]:
    """Return the calls that a page of this severity makes; [] for nobody."""
    person = read(tenant_id, member_id)
    return plan(person, severity=severity, at=at) if person else []


def read(tenant_id: UUID, member_id: UUID) -> Person | None:
    """Return an active member's wishes; None when there is no such member."""
    member = (
        Member.objects.filter(tenant_id=tenant_id, pk=member_id, active=True)
        .select_related("user")
        .first()
    )
    if member is None:
        return None
    mine = {"tenant_id": tenant_id, "member_id": member_id}
    contacts = Contact.objects.filter(**mine)
    found: list[tuple[UUID | None, Address]] = [
        (contact.pk, address)
        for contact in contacts
        for address in recipients.of_contact(contact)
    ]
    if not found and member.user.email:
        found = [(None, (MAIL, None, member.user.email))]
    rule = PersonalRule.objects.filter(**mine).first() or PersonalRule()
    return Person(
        addresses=found,
        steps=list(PersonalStep.objects.filter(**mine)),
        hours=list(QuietHours.objects.filter(**mine)),
        zone=ZoneInfo(rule.time_zone or member.time_zone),
        important_from=rule.important_from,
        quiet_below=rule.quiet_below,
        quiet_how=rule.quiet_how,
    )


def now() -> datetime:
    """Return the time by the database's clock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        moment: datetime = cursor.fetchone()[0]
        return moment


def plan(
    person: Person,
    *,
    severity: int,
    at: datetime,
    important: bool | None = None,
    quiet: bool = True,
) -> list[Call]:
    """Return the calls of a person's chain that begins at `at`, in their order.

    Without steps, and where the steps reach nobody, all contacts are called at once.
    With `quiet` false the quiet hours are passed over.
    """
    if important is None:
        important = person.is_important(severity)
    hushed = quiet and severity < person.quiet_below
    steps = person.chain(important=important)
    walk = Walk(person, at, hushed=hushed)
    for number, step in enumerate(steps, 1):
        if step.kind == PersonalStepKind.WAIT:
            walk.wait(step.wait_seconds or 0)
        else:
            walk.call(person.reached_by(step), number)
    if not walk.calls:
        walk = Walk(person, at, hushed=hushed)
        walk.call([address for _pk, address in person.addresses], 0)
    return walk.calls


def instead(
    tenant_id: UUID,
    member_id: UUID,
    left: Sequence[Address],
    *,
    severity: int,
    at: datetime,
) -> list[Call]:
    """Return by which of the addresses that are left a person is told of what did not
    arrive: the first, or what the quiet hours leave of them."""
    person = read(tenant_id, member_id) if left else None
    if person is None:
        return []
    if severity >= person.quiet_below or not is_quiet(person, at):
        return [Call(*left[0])]
    boxes = [address for address in left if address[0] == MAIL]
    over = end_of_quiet(person, at)
    if boxes and (over is None or person.quiet_how == QuietHow.MAIL):
        return [Call(*boxes[0])]
    seconds = round((over - at).total_seconds()) if over else 0
    return [Call(*left[0], seconds)]


class Walk:
    """A chain that is being walked: the moment it has come to, and its calls."""

    def __init__(self, person: Person, at: datetime, *, hushed: bool) -> None:
        self.person, self.begin, self.now = person, at, at
        self.hushed = hushed
        self.calls: list[Call] = []

    def wait(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    def call(self, addresses: Sequence[Address], step: int) -> None:
        """Call these, or what the quiet hours leave of them."""
        if self.hushed and is_quiet(self.person, self.now):
            addresses = self._in_quiet(addresses)
        seconds = round((self.now - self.begin).total_seconds())
        there = {call[:4] for call in self.calls}
        for kind, channel_id, address in addresses:
            if (kind, channel_id, address, seconds) not in there:
                self.calls.append(Call(kind, channel_id, address, seconds, step))

    def _in_quiet(self, addresses: Sequence[Address]) -> Sequence[Address]:
        """Go on when the quiet hours are over, or leave a mail for the morning.

        Whoever has no mailbox is called later rather than never; whose quiet hours
        never end, by mail.
        """
        boxes = self.person.mailboxes()
        over = end_of_quiet(self.person, self.now)
        if over and (self.person.quiet_how == QuietHow.HOLD or not boxes):
            self.now = over
            return addresses
        told = {call[:3] for call in self.calls}
        return [box for box in boxes if box not in told]


# --- quiet hours ---


def is_quiet(person: Person, at: datetime) -> bool:
    """Whether `at` lies in one of the person's quiet hours."""
    return bool(_ends(person, at))


def end_of_quiet(person: Person, at: datetime) -> datetime | None:
    """Return when the quiet that holds at `at` is over; None if it never is."""
    moment = at
    while ends := _ends(person, moment):
        moment = max(ends)
        if moment - at > LONGEST_HOLD:
            return None
    return moment


def _ends(person: Person, at: datetime) -> list[datetime]:
    """Return the ends of those quiet hours that `at` lies in."""
    today = at.astimezone(person.zone).date()
    spans = (
        span(hours, day, person.zone)
        for hours in person.hours
        for day in (today - timedelta(days=1), today)
        if DAY_NAMES[day.weekday()] in hours.days
    )
    return [ends for begins, ends in spans if begins <= at < ends]


def span(hours: QuietHours, day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return begin and end (UTC) of the quiet hours that begin on `day`."""
    over = day + timedelta(days=1) if hours.ends <= hours.begins else day
    return (
        as_utc(datetime.combine(day, hours.begins), zone, last=False),
        as_utc(datetime.combine(over, hours.ends), zone, last=True),
    )
