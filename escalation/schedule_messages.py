"""How is a member told something about a schedule? Wherever he is reached."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from django.conf import settings

from alertcenter.alerts.lifecycle import database_time
from alertcenter.alerts.severity import INFO
from escalation.models import Schedule
from notifications import localize, outbox, recipients
from notifications.message import AlertLine, Message
from notifications.outbox import Entry
from tenants.models import Member, Tenant

# The occasion, as the templates name it; the delivery itself is a reminder's.
KIND = "rota"
LONGEST_LINE = 300


class Lasting(Protocol):
    """Anything with a begin and an end."""

    @property
    def starts_at(self) -> datetime: ...
    @property
    def ends_at(self) -> datetime: ...


@dataclass(frozen=True)
class About:
    """What is said; `key` makes it one message for each address."""

    schedule: Schedule
    key: str
    title: str
    lines: Sequence[str] = ()
    path: str = ""


def tell(members: Iterable[Member], about: About) -> None:
    """Promise it to the members' contacts, in the transaction that notes it."""
    schedule = about.schedule
    tenant = Tenant.objects.get(pk=schedule.tenant_id)
    path = about.path or f"admin/escalation/schedule/{schedule.pk}/calendar/"
    message = Message(
        kind=KIND,
        tenant=tenant.name,
        title=about.title[:LONGEST_LINE],
        severity=INFO,
        state="firing",
        number=0,
        group_id="",
        url=f"{settings.BASE_URL}/{path}",
        alerts=tuple(
            AlertLine(line[:LONGEST_LINE], INFO, "firing") for line in about.lines
        ),
        changed_at=database_time().isoformat(),
    )
    outbox.put(
        schedule.tenant_id,
        [
            Entry(
                idem=f"{KIND}/{schedule.pk}/{about.key}/{kind}/{address}",
                message=message,
                channel_id=channel_id,
                channel_kind=kind,
                member_id=member.pk,
                address=address,
                severity=INFO,
            )
            for member in members
            for kind, channel_id, address in recipients.for_member(
                schedule.tenant_id, member.pk
            )
        ],
    )


def when(at: datetime | Lasting, member: Member) -> str:
    """Return a moment, or from when until when, by the member's clock."""
    moments = [at] if isinstance(at, datetime) else [at.starts_at, at.ends_at]
    return " – ".join(
        localize.moment(one.isoformat(), member.language, member.time_zone)
        for one in moments
    )
