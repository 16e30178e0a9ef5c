"""Who is told that a silence is about to end? Its owner, wherever they are reached."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from alertcenter.alerts.models import Silence
from alertcenter.alerts.severity import INFO
from notifications import localize, outbox, personal
from notifications.message import Hush, Message
from notifications.models.template import MessageKind
from notifications.outbox import Entry
from notifications.personal import Call
from tenants.models import Member, Tenant

KIND = MessageKind.REMINDER.value
LONGEST_NAME = 100
LONGEST_COMMENT = 2_000


def remind(silence: Silence) -> None:
    """Promise a message to the owner, by the owner's own chain and quiet hours; nobody
    is told where there is none.

    In the transaction that notes that it was done.
    """
    tenant_id, owner_id = silence.tenant_id, silence.owner_id
    if owner_id is None:
        return
    owner = Member.objects.filter(tenant_id=tenant_id, pk=owner_id, active=True).first()
    if owner is None:
        return
    message = message_of(silence, owner)
    # Prolonged, it is told of anew.
    idem = f"{KIND}/{silence.pk}/{silence.ends_at.isoformat()}"
    calls = personal.calls_for(tenant_id, owner.pk, severity=INFO, at=personal.now())
    outbox.put(
        tenant_id,
        [
            Entry(
                idem=f"{idem}/{call.kind}/{call.address}",
                message=message,
                channel_id=call.channel_id,
                channel_kind=call.kind,
                member_id=owner.pk,
                address=call.address,
                severity=INFO,
                delay_seconds=call.seconds,
            )
            for call in first_step(calls)
        ],
    )


def first_step(calls: Sequence[Call]) -> list[Call]:
    """Return what is called first. Later steps are for who does not answer, and a
    reminder cannot be answered."""
    return [call for call in calls if call.step == calls[0].step]


def message_of(silence: Silence, owner: Member) -> Message:
    """Return what the owner is told, in their language and zone."""
    tenant = Tenant.objects.get(pk=silence.tenant_id)
    ends = silence.ends_at.isoformat()
    with translation.override(owner.language):
        title = _("The silence “%(name)s” ends at %(time)s.") % {
            "name": str(silence)[:LONGEST_NAME],
            "time": localize.moment(ends, owner.language, owner.time_zone),
        }
    return Message(
        kind=KIND,
        tenant=tenant.name,
        title=title,
        severity=INFO,
        state="firing",
        number=0,
        group_id="",
        url=f"{settings.BASE_URL}/t/{tenant.slug}/silences",
        hush=Hush(
            str(silence)[:LONGEST_NAME],
            silence.comment[:LONGEST_COMMENT],
            "\n".join(map(str, silence.matchers))[:LONGEST_COMMENT],
            ends,
        ),
        changed_at=silence.updated_at.isoformat(),
    )
