"""What does a call from Slack do? Stored callbacks are taken and acted on.

Each row is its own transaction: it acts and is done, or it is put off and blocks
nobody. A press goes through the same door as every other act.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import translation
from django.utils.translation import gettext as _

from alertcenter.alerts.models import Group
from alertcenter.api import slack_commands, slack_dialogs, slack_story, telemetry
from alertcenter.api.models import SlackInbox
from alertcenter.api.slack_people import Stranger, actor_of, invitation, member_of
from alertcenter.api.slack_said import Said, not_done
from alertcenter.api.slack_signing import actions_of, clean, dialog_of, part, user_of
from alertcenter.common import tracing
from escalation import actions
from notifications import outbox
from notifications.message import Message
from tenants import roles
from tenants.models import Member
from tenants.rls import in_tenant, tenant_context

log = logging.getLogger(__name__)

ACTS = ("acknowledge", "unacknowledge", "resolve", "snooze", "escalate", "assign")
SNOOZE_SECONDS = 3600
# A card in Slack is as old as that when it is pressed: of a double click the second
# finds that the policy has moved on.
SEEN_BEFORE = timedelta(seconds=5)
MOST_ATTEMPTS = 5
MOST_ADDRESS = 400  # as long as a delivery's address
SLACKS_OWN = ("https://hooks.slack.com/", "https://hooks.slack-gov.com/")
LOOPBACK = "http://127.0.0.1:"
# Slack gives up after three seconds: what waits longer than this for a lock or a scan
# is left to the engine. https://docs.slack.dev/interactivity/implementing-slash-commands
PATIENCE = "2000ms"
# Who asked in these ways waits for the web's own answer; the engine takes what the web
# could not do.
AT_ONCE = ("command", "view_submission")

# A callback that failed is tried again after 5, 20, 45 and 80 seconds.
CLAIM = """
SELECT * FROM slack_inbox
WHERE done_at IS NULL AND attempts < %s
  AND received_at + attempts * attempts * interval '5 seconds'
    + CASE WHEN body->>'type' = ANY (%s) THEN interval '3 seconds'
      ELSE interval '0' END <= now()
ORDER BY attempts, id LIMIT 1 FOR UPDATE SKIP LOCKED
"""
# Slack's signature is good for five minutes; no replay can come later.
KEPT = timedelta(days=1)


@dataclass(frozen=True)
class Press:
    """One pressed button, or what was chosen in a menu beside the buttons."""

    act: str
    group_id: UUID
    who: str = ""  # a Slack user id


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


def do_now(tenant_id: UUID, pk: int) -> Said | None:
    """Act on one stored callback, in the web; return what to say at once.

    None: the engine has it, or shall; it answers by itself.
    """
    with in_tenant(tenant_id):
        rows = SlackInbox.objects.filter(tenant_id=tenant_id, pk=pk, done_at=None)
        row = rows.select_for_update(of=("self",), skip_locked=True).first()
        if row is None:
            return None
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('statement_timeout', %s, true)", [PATIENCE]
            )
        try:
            with transaction.atomic():
                said = act_on(row)
        except Exception:
            # The row stays; whoever asked is told that it takes longer.
            log.exception("slack_callback_late", extra={"tenant": tenant_id})
            telemetry.SLACK.labels("late").inc()
            return None
        rows.update(done_at=Now(), error="")
        return said


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
    return next(
        iter(SlackInbox.objects.raw(CLAIM, [MOST_ATTEMPTS, list(AT_ONCE)])), None
    )


def _try(row: SlackInbox) -> None:
    """Act, or note why not; the row's lock is held by the caller's transaction."""
    mine = SlackInbox.objects.filter(pk=row.pk, tenant_id=row.tenant_id)
    try:
        with transaction.atomic(), tenant_context(row.tenant_id):
            _tell_later(row, act_on(row))
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


def act_on(row: SlackInbox) -> Said:
    """Do what the callback says, in its tenant's context; return what to tell whoever
    asked, nothing where the message shows it."""
    if row.body.get("type") == "event_callback":
        return heard(row)
    member = member_of(row.tenant_id, user_of(row.body))
    language = member.language if member else row.tenant.language
    with translation.override(language):
        do = DO.get(str(row.body.get("type")))
        if do is None:
            return Said()
        if member is None:
            telemetry.SLACK.labels("unknown_user").inc()
            return Said(invitation(stranger_of(row)), done=False)
        return do(row, member)


def heard(row: SlackInbox) -> Said:
    """Keep what was said in a thread; whoever said it is told nothing."""
    outcome = slack_story.keep_reply(row.tenant_id, part(row.body, "event"))
    telemetry.SLACK.labels(outcome).inc()
    return Said()


def shortcut(row: SlackInbox, member: Member) -> Said:
    return slack_story.add(row.tenant_id, member, row.body)


def press(row: SlackInbox, member: Member) -> Said:
    """Do what the pressed buttons say."""
    told = [_act(row, member, one) for one in presses(row.body)]
    return Said("\n".join(filter(None, told)))


def command(row: SlackInbox, member: Member) -> Said:
    return slack_commands.run(
        slack_commands.Asked(
            row.tenant, member, str(row.body.get("text") or ""), row.pk
        )
    )


def form(row: SlackInbox, member: Member) -> Said:
    return slack_dialogs.submit(row.tenant_id, member, row.body, row.pk)


DO: Mapping[str, Callable[[SlackInbox, Member], Said]] = {
    "block_actions": press,
    "command": command,
    "message_action": shortcut,
    "view_submission": form,
}


def presses(body: Mapping[str, Any]) -> Iterator[Press]:
    """Yield the buttons of ours that were pressed."""
    for action in actions_of(body):
        name = str(action.get("action_id", ""))
        if name == "more":
            name = str(part(action, "selected_option").get("value", ""))
        if name in (*ACTS, *slack_dialogs.FORMS):
            who = clean(action.get("selected_user"))
            yield Press(name, UUID(action["value"]), who)


def stranger_of(row: SlackInbox) -> Stranger:
    """Return what the callback tells of a person whom nobody knows."""
    user, team = part(row.body, "user"), part(row.body, "team")
    name = user.get("username") or user.get("name") or row.body.get("user_name")
    domain = team.get("domain") or row.body.get("team_domain")
    return Stranger(
        row.tenant_id, user_of(row.body), str(name or "")[:80], str(domain or "")[:80]
    )


def _act(row: SlackInbox, member: Member, press: Press) -> str:
    """Act for the member; return what to tell him, "" when the message shows it."""
    tenant_id = row.tenant_id
    if not roles.may(member.role, roles.ACT):
        telemetry.SLACK.labels("forbidden").inc()
        return _("Your role does not allow this.")
    if press.act in slack_dialogs.FORMS:
        return _not_opened(tenant_id, press)
    extra: dict[str, Any] = {}
    if press.act == "snooze":
        extra["seconds"] = SNOOZE_SECONDS
    if press.act == "escalate":
        extra["as_of"] = row.received_at - SEEN_BEFORE
    if press.act == "assign":
        chosen = member_of(tenant_id, press.who)
        if chosen is None:
            return _("The one you chose belongs to no member here.")
        extra["member_id"] = chosen.pk
    act = actions.DO[press.act]
    (outcome,) = act(tenant_id, [press.group_id], actor=actor_of(member), **extra)
    telemetry.SLACK.labels("done" if outcome.done else outcome.reason).inc()
    return "" if outcome.done else not_done(outcome)


def _not_opened(tenant_id: UUID, press: Press) -> str:
    """Return why a form did not appear: the web would have shown it otherwise."""
    group = Group.objects.filter(tenant_id=tenant_id, pk=press.group_id).first()
    if group is None:
        return _("This group no longer exists.")
    if group.state == "resolved":
        return _("#%(number)s is already resolved.") % {"number": group.number}
    return _("Slack did not show the form. Please press again.")


def _tell_later(row: SlackInbox, said: Said) -> None:
    """Queue words that only the one who asked sees."""
    address = str(row.body.get("response_url") or dialog_of(row.body).get("answer", ""))
    if not said.text or not _may_be_answered(address):
        return
    outbox.put(
        row.tenant_id,
        [
            outbox.Entry(
                idem=f"answer/{row.pk}",
                message=_message(row, said),
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


def _message(row: SlackInbox, said: Said) -> Message:
    """Return the answer as a message; its title is all there is to say."""
    pk = next((action["value"] for action in actions_of(row.body)), None)
    found = Group.objects.filter(tenant_id=row.tenant_id, pk=pk).first() if pk else None
    return Message(
        kind="answer",
        tenant=row.tenant.name,
        title=said.text,
        severity=found.severity if found else 2,
        state=found.state if found else "",
        number=found.number if found else 0,
        group_id=str(found.pk) if found else "",
        url="",
        payload={"text": said.text},
    )
