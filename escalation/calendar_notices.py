"""Who is told that a calendar cannot be read, and when? Whoever it concerns, once."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from alertcenter.alerts.severity import WARNING
from escalation import calendar_words
from escalation.models.calendars import Availability, CalendarImport
from notifications import outbox, recipients
from notifications.message import Message
from notifications.outbox import Entry
from tenants.models import Member, Tenant

KIND = "notice"
MOST_FAILURES = 3
LONGEST_SILENCE = timedelta(hours=24)


def is_to_be_told(row: CalendarImport | Availability, now: datetime) -> bool:
    """Whether it failed three times in a row, or was not read for a day."""
    known = row.fetched_at or row.created_at
    return row.failures >= MOST_FAILURES or now - known >= LONGEST_SILENCE


def tell(row: CalendarImport | Availability) -> None:
    """Promise a message to the schedule's owner, or to whose absences they are; in
    the transaction that notes that it was done."""
    if isinstance(row, CalendarImport):
        member: Member | None = row.schedule.owner
    else:
        member = row.member
    if member is None or not member.active:
        return
    message = message_of(row, member)
    # Since each reading that succeeds it is told of anew.
    idem = f"{KIND}/{row.pk}/{row.fetched_at.isoformat() if row.fetched_at else ''}"
    outbox.put(
        row.tenant_id,
        [
            Entry(
                idem=f"{idem}/{kind}/{address}",
                message=message,
                channel_id=channel_id,
                channel_kind=kind,
                member_id=member.pk,
                address=address,
                severity=WARNING,
            )
            for kind, channel_id, address in recipients.for_member(
                row.tenant_id, member.pk
            )
        ],
    )


def message_of(row: CalendarImport | Availability, member: Member) -> Message:
    """Return what is told, in the reader's language."""
    tenant = Tenant.objects.get(pk=row.tenant_id)
    with translation.override(member.language):
        why = calendar_words.said(row.error)
        if isinstance(row, CalendarImport):
            title = _(
                "The calendar of the schedule “%(name)s” cannot be read; the shifts "
                "read before still count. %(why)s"
            ) % {"name": row.schedule.name, "why": why}
            path = f"escalation/schedule/{row.schedule_id}/change/"
        else:
            title = _(
                "Your calendar of absences cannot be read; the absences read before "
                "still count. %(why)s"
            ) % {"why": why}
            path = "my-availability/"
    return Message(
        kind=KIND,
        tenant=tenant.name,
        title=title,
        severity=WARNING,
        state="firing",
        number=0,
        group_id="",
        url=f"{settings.BASE_URL}/admin/{path}",
        changed_at=(row.fetched_at or row.created_at).isoformat(),
    )
