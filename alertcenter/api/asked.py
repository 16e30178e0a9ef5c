"""What becomes of an act that another protocol's client asked for?

It is written down, tried at once, and tried again by the engine while the alert that it
names has no group yet. It goes through the same doors as every other act.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now
from django.db.utils import InterfaceError, OperationalError

from alertcenter.alerts import lifecycle
from alertcenter.alerts.events import (
    LONGEST_ANNOTATION,
    LONGEST_TITLE,
    BadItem,
    check_annotations,
    check_labels,
)
from alertcenter.alerts.models import Alert, GroupAlert
from alertcenter.alerts.sources.adapter import storable, storable_data
from alertcenter.alerts.sources.shapes import moment
from alertcenter.api.models import AskedAct
from alertcenter.common import tracing
from alertcenter.common.errors import Refused
from escalation import actions
from tenants.actors import Actor
from tenants.models import Member
from tenants.rls import tenant_context

log = logging.getLogger(__name__)

WAITING, DONE, FAILED = "waiting", "done", "failed"
# An alert that nothing has grouped by then will not be grouped.
LONGEST_WAIT = timedelta(minutes=2)
KEPT = timedelta(days=1)
# The longest note in any script, and what belongs to it; a row is kept for a day.
LONGEST_PARAMS = 128 * 1024

CLAIM = """
SELECT * FROM asked_act WHERE state = 'waiting'
  AND at + least(attempts, 8) * interval '250 milliseconds' <= now()
ORDER BY at LIMIT 1 FOR UPDATE SKIP LOCKED
"""


class NotYet(Exception):
    """The alert is in no group yet."""


class Cannot(Exception):
    """It will never be done; the message says why."""


@dataclass(frozen=True)
class Ask:
    """One act on one alert, which is named by its dedup key."""

    tenant_id: UUID
    protocol: str
    act: str
    dedup_key: str
    actor: Actor
    params: Mapping[str, Any]
    integration_id: UUID | None = None


def ask(wish: Ask) -> AskedAct:
    """Write the act down and try it. Needs the tenant's context, in a transaction.
    Raises Refused for more than can be written down.
    """
    row = AskedAct.objects.create(
        tenant_id=wish.tenant_id,
        protocol=wish.protocol,
        act=wish.act,
        dedup_key=wish.dedup_key,
        params=params_of(wish),
        actor=asdict(wish.actor),
        integration_id=wish.integration_id,
        correlation_id=tracing.current(),
    )
    attempt(row)
    return row


def params_of(wish: Ask) -> Any:
    """Return the act's details as they are stored. Raises Refused."""
    try:
        params = storable_data(dict(wish.params))
        size = len(json.dumps(params))
    except RecursionError as error:
        raise Refused(422, "too_deep", "The request is nested too deeply") from error
    if size > LONGEST_PARAMS:
        raise Refused(413, "too_large", f"More than {LONGEST_PARAMS} bytes")
    return params


def attempt(row: AskedAct) -> None:
    """Do the act, or note why not; in the caller's transaction and context."""
    actor = Actor(**row.actor)
    try:
        with transaction.atomic():
            alert = alert_of(row)
            row.alert_id, row.episode_id = alert.pk, alert.episode_id
            row.status = ACTS[row.act](alert, row.params, actor)
            row.state = DONE
    except NotYet:
        row.attempts += 1
    except Cannot as error:
        row.state, row.status = FAILED, str(error)[:200]
    if row.state != WAITING:
        row.done_at = lifecycle.database_time()
    row.save()


def attempt_quietly(
    act: str, alert: Alert, params: Mapping[str, Any], actor: Actor
) -> None:
    """Do what comes with another act, whose success does not hang on it."""
    try:
        with transaction.atomic():
            ACTS[act](alert, params, actor)
    except (NotYet, Cannot):
        return


def process(limit: int = 100) -> int:
    """Try what waits; return how much was done. Role engine, no open transaction."""
    done = 0
    for _number in range(limit):
        state = _take_one()
        if state is None:
            break
        done += state != WAITING
    return done


def _take_one() -> str | None:
    """Try the oldest that is due; return what became of it, None if there is none."""
    with transaction.atomic():
        row = next(iter(AskedAct.objects.raw(CLAIM)), None)
        if row is None:
            return None
        with (
            tracing.bind(tracing.accepted(row.correlation_id)),
            tenant_context(row.tenant_id),
        ):
            try:
                with transaction.atomic():
                    attempt(row)
            except (OperationalError, InterfaceError):
                raise
            except Exception as error:
                # Whatever it is, the next one must not wait for it.
                log.exception("asked_act_failed", extra={"tenant": str(row.tenant_id)})
                row.state, row.status = FAILED, type(error).__name__
                row.save()
            if row.state == WAITING and row.at + LONGEST_WAIT < now():
                row.state, row.status = FAILED, "The alert is in no group"
                row.save()
    return row.state


def now() -> datetime:
    return lifecycle.database_time()


def prune() -> int:
    """Forget what was asked a day ago; return how many rows. Role engine."""
    return AskedAct.objects.filter(at__lt=Now() - KEPT).delete()[0]


# --- the acts; each returns the words that Opsgenie has for it ---


def alert_of(row: AskedAct) -> Alert:
    """Return the alert, locked. Raises Cannot."""
    found = (
        Alert.objects.select_for_update(of=("self",))
        .filter(tenant_id=row.tenant_id, dedup_key=row.dedup_key)
        .first()
    )
    if found is None or found.episode_id is None:
        raise Cannot("Alert does not exist")
    return found


def groups_of(alert: Alert) -> list[UUID]:
    """Return the groups that the firing alert is in. Raises Cannot, NotYet."""
    if alert.state != "firing":
        raise Cannot("Alert is already closed")
    found = GroupAlert.objects.filter(
        tenant_id=alert.tenant_id, alert_id=alert.pk, left_at=None
    ).values_list("group_id", flat=True)
    if not found:
        raise NotYet
    return sorted(found)


def acknowledge(alert: Alert, params: Mapping[str, Any], actor: Actor) -> str:
    groups_of(alert)
    actions.acknowledge_alerts(alert.tenant_id, [alert.pk], actor=actor)
    note(alert, params, actor)
    return "Acknowledged alert"


def unacknowledge(alert: Alert, params: Mapping[str, Any], actor: Actor) -> str:
    groups_of(alert)
    actions.unacknowledge_alerts(alert.tenant_id, [alert.pk], actor=actor)
    note(alert, params, actor)
    return "UnAcknowledged alert"


def close(alert: Alert, params: Mapping[str, Any], actor: Actor) -> str:
    if alert.state != "firing":
        raise Cannot("Alert is already closed")
    note(alert, params, actor)
    lifecycle.resolve_alerts(alert.tenant_id, [alert.pk], actor=actor)
    return "Closed alert"


def snooze(alert: Alert, params: Mapping[str, Any], actor: Actor) -> str:
    until = moment(params.get("endTime"))
    if until is None:
        raise Cannot("endTime is missing")
    seconds = int((until - now()).total_seconds())
    if seconds < 60:
        raise Cannot("endTime is less than a minute ahead")
    actions.snooze(
        alert.tenant_id,
        groups_of(alert),
        actor=actor,
        seconds=min(seconds, actions.LONGEST_SNOOZE),
    )
    note(alert, params, actor)
    return "Snoozed alert"


def assign(alert: Alert, params: Mapping[str, Any], actor: Actor) -> str:
    owner = params.get("owner")
    name = ""
    if isinstance(owner, dict):
        name = str(owner.get("username") or owner.get("id") or "")
    members = Member.objects.filter(tenant_id=alert.tenant_id, active=True)
    member = (
        members.filter(user__email__iexact=name).first()
        or members.filter(user__username__iexact=name).first()
        or members.filter(name__iexact=name).first()
    )
    if member is None:
        raise Cannot("Owner does not exist")
    actions.assign(alert.tenant_id, groups_of(alert), actor=actor, member_id=member.pk)
    note(alert, params, actor)
    return "Assigned ownership"


def escalate(alert: Alert, params: Mapping[str, Any], actor: Actor) -> str:
    actions.escalate_now(alert.tenant_id, groups_of(alert), actor=actor)
    note(alert, params, actor)
    return "Escalated to next"


def add_note(alert: Alert, params: Mapping[str, Any], actor: Actor) -> str:
    note(alert, params, actor)
    return "Added note"


def note(alert: Alert, params: Mapping[str, Any], actor: Actor) -> None:
    """Write the words that came with an act into the alert's story."""
    words = storable(str(params.get("note") or ""))[:LONGEST_ANNOTATION]
    if words:
        lifecycle.edit_alert(alert, actor=actor, note=words)


def message(alert: Alert, params: Mapping[str, Any], actor: Actor) -> str:
    title = storable(str(params.get("message") or ""))[:LONGEST_TITLE]
    if not title.strip():
        raise Cannot("message is missing")
    lifecycle.edit_alert(alert, actor=actor, title=title)
    return "Updated message"


def description(alert: Alert, params: Mapping[str, Any], actor: Actor) -> str:
    words = storable(str(params.get("description") or ""))[:LONGEST_ANNOTATION]
    lifecycle.edit_alert(
        alert, actor=actor, annotations={**alert.annotations, "description": words}
    )
    return "Updated description"


def priority(alert: Alert, params: Mapping[str, Any], actor: Actor) -> str:
    lifecycle.edit_alert(alert, actor=actor, severity=int(params["severity"]))
    return "Updated priority"


def labels(alert: Alert, params: Mapping[str, Any], actor: Actor) -> str:
    """Set and remove labels: details and tags are labels here."""
    kept = dict(alert.labels)
    for name, value in (params.get("set") or {}).items():
        kept[str(name)] = str(value)
    for name in params.get("remove") or ():
        kept.pop(str(name), None)
    if params.get("add_tags") or params.get("remove_tags"):
        tags = [tag for tag in kept.get("tags", "").split(", ") if tag]
        tags = [tag for tag in tags if tag not in (params.get("remove_tags") or ())]
        more = [tag for tag in params.get("add_tags") or () if tag not in tags]
        kept["tags"] = ", ".join([*tags, *more])
    try:
        kept = check_labels({k: v for k, v in kept.items() if v})
    except BadItem as error:
        raise Cannot(str(error)) from error
    lifecycle.edit_alert(alert, actor=actor, labels=kept)
    note(alert, params, actor)
    return str(params.get("status") or "Updated alert")


def annotate(alert: Alert, params: Mapping[str, Any], actor: Actor) -> str:
    """Write something beside the alert, as who else should respond."""
    told = {str(name): str(value) for name, value in (params.get("set") or {}).items()}
    try:
        told = check_annotations({**alert.annotations, **told})
    except BadItem as error:
        raise Cannot(str(error)) from error
    lifecycle.edit_alert(alert, actor=actor, annotations=told)
    note(alert, params, actor)
    return str(params.get("status") or "Updated alert")


ACTS: Mapping[str, Callable[[Alert, Mapping[str, Any], Actor], str]] = {
    "acknowledge": acknowledge,
    "unacknowledge": unacknowledge,
    "close": close,
    "snooze": snooze,
    "assign": assign,
    "escalate": escalate,
    "note": add_note,
    "message": message,
    "description": description,
    "priority": priority,
    "labels": labels,
    "annotate": annotate,
}
