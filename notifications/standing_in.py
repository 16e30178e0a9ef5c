"""Who is told of what cannot be delivered?

A channel's fallback; for a person, the next of his own addresses, and when there is
none, his mailbox. Written in the transaction that gives the delivery up, or that sees
it in trouble for too long, so it leaves at once and nothing can forget it.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.db.utils import InterfaceError, OperationalError

from notifications import outbox, personal, recipients
from notifications.channels.registry import tools
from notifications.destinations import BREAKS_AT
from notifications.digests import pages_of
from notifications.message import Message
from notifications.models import Channel, Delivery
from notifications.personal import Call
from tenants.rls import tenant_context

log = logging.getLogger(__name__)

# A page that failed so often is told elsewhere too, while it goes on trying.
LATE_ATTEMPTS = 3
# Nobody is told by the sixth substitute what five could not.
MOST_STEPS = 5
# A page waits so long for a place in trouble; then others are told, too.
LATE_SECONDS = 20
MOST_AT_ONCE = 100
OVER = ("sent", "cancelled", "merged")
# Pages to all addresses of one person are made within so long.
TOGETHER = timedelta(seconds=5)


def pass_on(tenant_id: UUID, row: Delivery) -> list[UUID]:
    """Write the deliveries that stand in for a page; return their ids.

    Twice does nothing: a person whose page fails again and again is told by one other
    address, not by all of them one after the other. In the tenant's context.
    """
    if row.kind != "page" or not _first(tenant_id, row):
        return []
    before = _before(tenant_id, row)
    if len(before) > MOST_STEPS:
        return []
    entries = [
        outbox.Entry(
            idem=f"instead/{page.pk}/{one.channel_id or one.kind}:{one.address}",
            message=Message.from_json(page.message),
            channel_id=one.channel_id,
            channel_kind=one.kind,
            member_id=row.member_id,
            address=one.address,
            group_id=page.group_id,
            severity=page.severity,
            delay_seconds=one.seconds,
            correlation_id=page.correlation_id,
            instead_of=row.pk,
        )
        for one in _others(tenant_id, row, before)
        for page in _said(row, one.kind)
    ]
    return outbox.put(tenant_id, entries)


def _first(tenant_id: UUID, row: Delivery) -> bool:
    """Claim the passing on, which locks the row; False when it was done before, or
    when the page has left, or need not leave, by now."""
    rows = Delivery.objects.filter(
        tenant_id=tenant_id, pk=row.pk, passed_on_at__isnull=True
    ).exclude(state__in=OVER)
    return rows.update(passed_on_at=Now()) == 1


def _said(row: Delivery, kind: str) -> list[Delivery]:
    """Return what to say on this kind of channel: the page, or, to a tool, which makes
    nothing of a digest, each page that the digest holds."""
    if row.message.get("kind") != "digest" or kind not in tools():
        return [row]
    return list(pages_of(row).order_by("-severity", "id"))


def _before(tenant_id: UUID, row: Delivery) -> list[Delivery]:
    """Return the row and those in whose place it is, the first one last."""
    found = [row]
    while found[-1].instead_of is not None and len(found) <= MOST_STEPS:
        earlier = Delivery.objects.filter(tenant_id=tenant_id, pk=found[-1].instead_of)
        found += earlier[:1]
        if not earlier:
            break
    return found


# Pages behind a place that rests, or that asked for a long wait: nobody tries them one
# by one. What was put off, as a later step of a person's chain, waits from its time on.
STUCK = """
SELECT d.tenant_id, d.id FROM delivery d
JOIN destination x ON x.tenant_id = d.tenant_id AND x.key = d.destination
WHERE (d.state IN ('pending', 'ambiguous')
    OR d.state = 'leased' AND d.lease_until < now())
  AND d.kind = 'page' AND d.next_at IS NOT NULL
  AND (x.failures >= %(breaks)s
    OR x.asked_until > now() + %(late)s * interval '1 second')
  AND d.created_at < now() - %(late)s * interval '1 second'
  AND NOT (d.put_off AND d.attempts = 0
    AND d.next_at > now() - %(late)s * interval '1 second')
  AND d.passed_on_at IS NULL
ORDER BY d.id LIMIT %(most)s
"""


def sweep() -> int:
    """Pass on what has waited too long for a place in trouble; role engine."""
    values = {"breaks": BREAKS_AT, "late": LATE_SECONDS, "most": MOST_AT_ONCE}
    with connection.cursor() as cursor:
        cursor.execute(STUCK, values)
        stuck = cursor.fetchall()
    for tenant_id, pk in stuck:
        with transaction.atomic(), tenant_context(tenant_id):
            pass_on_safely(tenant_id, pk)
    return len(stuck)


def pass_on_safely(tenant_id: UUID, delivery_id: UUID) -> None:
    """Pass on a page; should that fail, all else that is done here stands.

    What cannot be passed on, such as a message that nobody can read, is not looked at
    again: it must hide no other. In the tenant's context, in a transaction.
    """
    rows = Delivery.objects.select_related("channel__fallback", "member")
    try:
        with transaction.atomic():
            row = rows.filter(tenant_id=tenant_id, pk=delivery_id).first()
            if row is not None:
                pass_on(tenant_id, row)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        log.exception("pass_on_failed", extra={"delivery": str(delivery_id)})
        rows = Delivery.objects.filter(tenant_id=tenant_id, pk=delivery_id)
        rows.update(passed_on_at=Now())


def _others(tenant_id: UUID, row: Delivery, before: Sequence[Delivery]) -> list[Call]:
    """Return what to call instead: nothing that this page has been sent to."""
    told = {(one.channel_kind, one.channel_id, one.address) for one in before}
    if row.member_id is not None:
        if row.group_id is not None:
            told |= _told_together(tenant_id, row.member_id, row, before[-1])
        own = recipients.for_member(tenant_id, row.member_id)
        own += recipients.mailbox_of(tenant_id, row.member_id)
        left = [address for address in own if address not in told]
        return personal.instead(
            tenant_id, row.member_id, left, severity=row.severity, at=personal.now()
        )
    channel = _fallback(row.channel)
    if channel is None:
        return []
    return [Call(*one) for one in recipients.for_channel(channel) if one not in told]


def _told_together(
    tenant_id: UUID, member_id: UUID, row: Delivery, first: Delivery
) -> set[recipients.Address]:
    """Return where else the person was told of this: all addresses may be told at
    once; later steps have told nobody yet."""
    pages = Delivery.objects.filter(
        tenant_id=tenant_id,
        group_id=row.group_id,
        member_id=member_id,
        kind="page",
        created_at__gte=first.created_at - TOGETHER,
    ).exclude(
        Q(state="cancelled")
        | Q(put_off=True, state="pending", attempts=0, next_at__gt=Now())
    )
    return set(pages.values_list("channel_kind", "channel_id", "address"))


def _fallback(channel: Channel | None) -> Channel | None:
    """Return the next channel that is switched on: one that is off passes on to its
    own fallback."""
    for _step in range(MOST_STEPS):
        channel = channel.fallback if channel else None
        if channel is None or channel.active:
            return channel
    return None


def place_of(tenant_id: UUID, delivery_id: UUID) -> str:
    """Return what people call the place in whose stead something is said."""
    row = (
        Delivery.objects.select_related("channel", "member")
        .filter(tenant_id=tenant_id, pk=delivery_id)
        .first()
    )
    if row is None:
        return ""
    if row.member is not None:
        return f"{row.member} ({row.get_channel_kind_display()})"
    return str(row.channel or row.address)
