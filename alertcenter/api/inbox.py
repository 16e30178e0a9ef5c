"""What does a press in Slack do? The engine takes stored callbacks and acts.

Each row is its own transaction: it acts and is done, or it is put off and blocks
nobody. A press goes through the same door as every other act.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import translation
from django.utils.translation import gettext as _

from alertcenter.alerts.models import Group
from alertcenter.api import telemetry
from alertcenter.api.models import SlackInbox
from alertcenter.common import tracing
from escalation import actions
from notifications import outbox
from notifications.message import Message
from notifications.models import Contact
from tenants import roles
from tenants.actors import MEMBER, Actor
from tenants.models import Member
from tenants.rls import tenant_context

log = logging.getLogger(__name__)

ACTS = ("acknowledge", "unacknowledge", "resolve", "snooze")
SNOOZE_SECONDS = 3600
MOST_ATTEMPTS = 5
MOST_ADDRESS = 400  # as long as a delivery's address
SLACKS_OWN = ("https://hooks.slack.com/", "https://hooks.slack-gov.com/")
LOOPBACK = "http://127.0.0.1:"

# A callback that failed is tried again after 5, 20, 45 and 80 seconds.
CLAIM = """
SELECT * FROM slack_inbox
WHERE done_at IS NULL AND attempts < %s
  AND received_at + attempts * attempts * interval '5 seconds' <= now()
ORDER BY attempts, id LIMIT 1 FOR UPDATE SKIP LOCKED
"""
# Slack's signature is good for five minutes; no replay can come later.
KEPT = timedelta(days=1)


@dataclass(frozen=True)
class Press:
    """One pressed button."""

    act: str
    group_id: UUID


def process_inbox(limit: int = 50) -> int:
    """Act on stored callbacks; return how many were taken. Role engine, no open
    transaction; any number of processes may do it at once."""
    taken = 0
    while taken < limit and _take_one():
        taken += 1
    return taken


def prune_inbox() -> int:
    """Delete what was done a day ago; return how many rows. Role engine."""
    return SlackInbox.objects.filter(done_at__lt=Now() - KEPT).delete()[0]


def _take_one() -> bool:
    with transaction.atomic():
        row = _claim()
        if row is None:
            return False
        with tracing.bind(tracing.accepted(row.correlation_id)):
            _try(row)
    return True


def _claim() -> SlackInbox | None:
    """Lock the oldest callback that is due; those that failed wait their turn."""
    return next(iter(SlackInbox.objects.raw(CLAIM, [MOST_ATTEMPTS])), None)


def _try(row: SlackInbox) -> None:
    """Act, or note why not; the row's lock is held by the caller's transaction."""
    mine = SlackInbox.objects.filter(pk=row.pk, tenant_id=row.tenant_id)
    try:
        with transaction.atomic(), tenant_context(row.tenant_id):
            act_on(row)
    except Exception as error:
        # Whatever it is, the next callback must not wait for it.
        log.exception("slack_callback_failed", extra={"tenant": row.tenant_id})
        telemetry.SLACK.labels("failed").inc()
        last = row.attempts + 1 >= MOST_ATTEMPTS
        mine.update(
            attempts=F("attempts") + 1,
            error=str(error)[:1000],
            done_at=Now() if last else None,
        )
    else:
        mine.update(done_at=Now(), error="")


def act_on(row: SlackInbox) -> None:
    """Do what the callback says, in its tenant's context."""
    user_id = str((row.body.get("user") or {}).get("id", ""))
    member = _member(row.tenant_id, user_id)
    language = member.language if member else _tenant_language(row)
    with translation.override(language):
        for press in presses(row.body):
            answer = _act(row.tenant_id, member, press)
            if answer:
                _tell(row, user_id, press, answer)


def presses(body: Mapping[str, Any]) -> Iterator[Press]:
    """Yield the buttons of ours that were pressed."""
    if body.get("type") != "block_actions":
        return
    for action in body.get("actions") or []:
        name = str(action.get("action_id", ""))
        if name in ACTS:
            yield Press(name, UUID(str(action.get("value", ""))))


def _member(tenant_id: UUID, user_id: str) -> Member | None:
    """Return the active member with this Slack user id."""
    contact = (
        Contact.objects.select_related("member__user")
        .filter(
            tenant_id=tenant_id,
            kind="slack",
            address=user_id,
            member__active=True,
            member__user__is_active=True,
        )
        .first()
    )
    return contact.member if contact else None


def _tenant_language(row: SlackInbox) -> str:
    language: str = row.tenant.language
    return language


def _act(tenant_id: UUID, member: Member | None, press: Press) -> str:
    """Act for the member; return what to tell him, "" when the message shows it."""
    if member is None:
        telemetry.SLACK.labels("unknown_user").inc()
        return _(
            "Your Slack account belongs to no member here. Ask an administrator to "
            "enter your Slack user id among your contacts."
        )
    if not roles.may(member.role, roles.ACT):
        telemetry.SLACK.labels("forbidden").inc()
        return _("Your role does not allow this.")
    actor = Actor(MEMBER, str(member.pk), member.name)
    extra = {"seconds": SNOOZE_SECONDS} if press.act == "snooze" else {}
    act = actions.DO[press.act]
    (outcome,) = act(tenant_id, [press.group_id], actor=actor, **extra)
    telemetry.SLACK.labels("done" if outcome.done else outcome.reason).inc()
    return "" if outcome.done else _explained(outcome)


def _explained(outcome: actions.Outcome) -> str:
    """Return why nothing was done, for the person who pressed."""
    if outcome.reason == "not_found":
        return _("This group no longer exists.")
    number = {"number": outcome.number}
    if outcome.reason == "resolved":
        return _("#%(number)s is already resolved.") % number
    if outcome.state == "acknowledged":
        return _("#%(number)s is already acknowledged.") % number
    return _("#%(number)s has changed meanwhile; nothing was done.") % number


def _tell(row: SlackInbox, user_id: str, press: Press, answer: str) -> None:
    """Queue words that only the one who pressed sees."""
    address = str(row.body.get("response_url", ""))
    if not _may_be_answered(address):
        return
    outbox.put(
        row.tenant_id,
        [
            outbox.Entry(
                idem=f"answer/{row.pk}/{press.group_id}/{press.act}",
                message=_message(row, press, answer),
                channel_id=row.channel_id,
                channel_kind="slack",
                address=address,
                kind="answer",
            )
        ],
    )


def _may_be_answered(address: str) -> bool:
    """Whether this is where Slack takes answers. Whoever knows a signing secret, and
    a tenant's administrator does, chooses the address: it must not lead elsewhere."""
    if len(address) > MOST_ADDRESS:
        return False
    rehearsal = settings.SIMULATION or settings.ENVIRONMENT == "test"
    return address.startswith((*SLACKS_OWN, LOOPBACK) if rehearsal else SLACKS_OWN)


def _message(row: SlackInbox, press: Press, answer: str) -> Message:
    """Return the answer as a message; its title is all there is to say."""
    found = Group.objects.filter(tenant_id=row.tenant_id, pk=press.group_id).first()
    return Message(
        kind="answer",
        tenant=row.tenant.name,
        title=answer,
        severity=found.severity if found else 2,
        state=found.state if found else "",
        number=found.number if found else 0,
        group_id=str(press.group_id),
        url="",
    )
