"""Is anything forgotten? Looks at everything that escalation promises, again and again.

Any dispatcher does it; together they do it once every so many seconds. What is found
is counted, logged and stored (the row `auditor` of `engine_heartbeat`); a clean pass
calls an outside address, so that its absence is the alarm: also when no dispatcher is
left to find anything. Only the database's clock is asked.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.utils import InterfaceError, OperationalError

from alertcenter.alerts.lifecycle import GroupChange, change_groups
from alertcenter.alerts.models import Group
from alertcenter.common import outbound
from alertcenter.common.outbound import OutboundError
from escalation import runs, telemetry
from tenants import access
from tenants.actors import THE_ENGINE
from tenants.rls import tenant_context

log = logging.getLogger(__name__)

EVERY_SECONDS = 20.0
LATE_SECONDS = 30
# Whose row is older than so many seconds is silent; older than an hour, forgotten.
SILENT_SECONDS = 30
PING_SECONDS = 5.0
MOST_HEALED = 100
ROW = "auditor"

# Who comes first does it; the others find it done.
TURN = """
INSERT INTO engine_heartbeat AS e (process, at, version, data)
VALUES (%(row)s, now(), '', '{}')
ON CONFLICT (process) DO UPDATE SET at = now()
WHERE e.at < now() - %(every)s * 0.9 * interval '1 second'
RETURNING true
"""
DUE = """
SELECT count(*) FILTER (WHERE due_at < now() - %(late)s * interval '1 second'),
  coalesce(extract(epoch FROM now() - min(due_at)), 0)::float8,
  count(*) FILTER (WHERE attempts > 0)
FROM due_step
WHERE state = 'due' AND (due_at < now() OR attempts > 0)
"""
LEASES = """
SELECT count(*) FROM delivery
WHERE state = 'leased' AND lease_until < now() - %(late)s * interval '1 second'
"""
SILENT = """
SELECT process, data ->> 'stuck' FROM engine_heartbeat
WHERE process <> %(row)s AND at > now() - interval '1 hour'
  AND (at < now() - %(silent)s * interval '1 second' OR data ->> 'stuck' <> '')
ORDER BY process
"""
FORGET = """
DELETE FROM engine_heartbeat WHERE at < now() - interval '1 hour' AND process <> %(row)s
"""
# Firing, with a policy that tells somebody, and nothing due for it. A run that still
# goes on has always one step due: without it, it is lost. A group that opened just
# now has had no run at all only if its start was lost; of older ones it may be that
# their route had no policy then.
WITHOUT = """
WITH bare AS MATERIALIZED (
  SELECT g.tenant_id, g.id, g.opened_at, r.policy_id FROM alert_group g
  JOIN route r ON r.tenant_id = g.tenant_id AND r.id = g.route_id
  WHERE g.state = 'firing' AND g.storm_id IS NULL AND r.policy_id IS NOT NULL
    AND g.changed_at < now() - %(late)s * interval '1 second'
    AND NOT EXISTS (SELECT FROM due_step d WHERE d.tenant_id = g.tenant_id
      AND d.group_id = g.id AND d.state = 'due')
)
SELECT g.tenant_id, g.id, coalesce(u.state = 'active', false),
  u.state IS NULL AND g.opened_at > now() - interval '10 minutes'
FROM bare g LEFT JOIN LATERAL (
  SELECT state FROM run WHERE run.tenant_id = g.tenant_id AND run.group_id = g.id
  ORDER BY created_at DESC, id DESC LIMIT 1) u ON true
WHERE u.state IS DISTINCT FROM 'finished'
  AND EXISTS (SELECT FROM step s WHERE s.tenant_id = g.tenant_id
    AND s.policy_id = g.policy_id AND s.kind <> 'wait')
LIMIT 10000
"""
LOST = """
SELECT u.group_id FROM run u WHERE u.tenant_id = %s AND u.group_id = ANY (%s::uuid[])
  AND u.state = 'active' AND NOT EXISTS (SELECT FROM due_step d
    WHERE d.tenant_id = u.tenant_id AND d.run_id = u.id AND d.state = 'due')
"""
EMPTY = """
SELECT count(DISTINCT s.schedule_id) FROM step s
WHERE s.schedule_id IS NOT NULL
  AND NOT EXISTS (SELECT FROM layer l JOIN turn t ON t.tenant_id = l.tenant_id
    AND t.layer_id = l.id
    WHERE l.tenant_id = s.tenant_id AND l.schedule_id = s.schedule_id)
  AND NOT EXISTS (SELECT FROM calendar_import c
    WHERE c.tenant_id = s.tenant_id AND c.schedule_id = s.schedule_id)
"""
STORE = """
UPDATE engine_heartbeat SET data = data || %(data)s::jsonb WHERE process = %(row)s
"""
MAY_PING = """
UPDATE engine_heartbeat e SET data = e.data
  || jsonb_build_object('pinged', extract(epoch FROM now()), 'ping', %(ping)s::text)
WHERE process = %(row)s AND (coalesce((e.data ->> 'pinged')::float8, 0)
    < extract(epoch FROM now()) - 55
  OR e.data ->> 'ping' IS DISTINCT FROM %(ping)s)
RETURNING true
"""


@dataclass(frozen=True)
class Findings:
    """What one pass found; all but the last two mean that something is wrong."""

    overdue: int = 0
    put_off: int = 0
    expired_leases: int = 0
    orphans: int = 0
    silent: int = 0
    stuck: int = 0
    # Groups that fire while nobody is at work on them, perhaps because their route had
    # no policy when they opened; schedules of policies in which nobody ever is.
    unattended: int = 0
    empty_schedules: int = 0

    @property
    def clean(self) -> bool:
        return not (
            self.overdue
            or self.put_off
            or self.expired_leases
            or self.orphans
            or self.silent
            or self.stuck
        )


KINDS = tuple(asdict(Findings()))


def work() -> int:
    """Look once, if it is time, and tell the outside."""
    findings = audit()
    if findings is not None:
        ping(findings)
    return 0


def audit() -> Findings | None:
    """Count what is wrong and heal what is lost; None when somebody else just did."""
    with transaction.atomic():
        if not _ask(TURN):
            return None
        tenants = [tenant_id for tenant_id, _ in access.tenants()]
        with tenant_context(*tenants):
            findings, lost = look()
            healed = sum(heal_safely(*one) for one in sorted(lost.items()))
        _store(findings, healed)
    for name, number in asdict(findings).items():
        telemetry.FINDINGS.labels(name).set(number)
    telemetry.OVERDUE.set(findings.overdue)
    telemetry.ORPHANS.set(findings.orphans)
    telemetry.HEALED.inc(healed)
    if not findings.clean:
        log.warning("audit_found", extra=asdict(findings) | {"healed": healed})
    return findings


def look() -> tuple[Findings, dict[UUID, list[UUID]]]:
    """Return what is wrong, and the groups of lost runs by tenant."""
    ((overdue, oldest, put_off),) = _ask(DUE)
    telemetry.OLDEST.set(oldest)
    silent = _ask(SILENT)
    _do(FORGET)
    lost: dict[UUID, list[UUID]] = {}
    orphans = unattended = 0
    for tenant_id, group_id, is_lost, never_began in _ask(WITHOUT):
        if is_lost:
            lost.setdefault(tenant_id, []).append(group_id)
        if is_lost or never_began:
            orphans += 1
        else:
            unattended += 1
    stuck = sum(1 for _, names in silent if names)
    return (
        Findings(
            overdue=overdue,
            put_off=put_off,
            expired_leases=_ask(LEASES)[0][0],
            orphans=orphans,
            silent=len(silent) - stuck,
            stuck=stuck,
            unattended=unattended,
            empty_schedules=_ask(EMPTY)[0][0],
        ),
        lost,
    )


def heal_safely(tenant_id: UUID, group_ids: Sequence[UUID]) -> int:
    """Heal what can be healed: what cannot must not hide what was found."""
    try:
        with transaction.atomic():
            return heal(tenant_id, group_ids)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        log.exception("heal_failed", extra={"tenant": str(tenant_id)})
        return 0


def heal(tenant_id: UUID, group_ids: Sequence[UUID]) -> int:
    """Begin lost runs anew, and say so in the groups' timelines.

    Judged again under the groups' locks; whom somebody holds is not lost.
    """
    held = {
        group.pk: group
        for group in Group.objects.select_for_update(skip_locked=True)
        .filter(tenant_id=tenant_id, pk__in=list(group_ids)[:MOST_HEALED])
        .filter(state="firing")
        .order_by("pk")
    }
    with connection.cursor() as cursor:
        cursor.execute(LOST, [tenant_id, [str(pk) for pk in held]])
        groups = [held[row[0]] for row in cursor.fetchall()]
    if not groups:
        return 0
    runs.restart(tenant_id, groups)
    changes = [
        GroupChange(
            tenant_id,
            group.pk,
            {},
            kind="noted",
            from_state=group.state,
            reason="run_lost",
            data={"who": "", "text": "The escalation was lost and begins anew."},
        )
        for group in groups
    ]
    change_groups(changes, actor=THE_ENGINE)
    return len(groups)


def ping(findings: Findings) -> None:
    """Call the outside address; as healthchecks has it, below /fail of what is wrong.

    At most once a minute, unless clean became wrong or wrong clean.
    """
    url = settings.HEARTBEAT_URL
    if not url:
        return
    with transaction.atomic():
        if not _ask(MAY_PING, ping="clean" if findings.clean else "fail"):
            return
    body = json.dumps(asdict(findings)).encode()
    try:
        answer = outbound.request(
            "POST",
            url if findings.clean else failing(url),
            body,
            {"Content-Type": "application/json", "User-Agent": "AlertCenter"},
            allowed=settings.OUTBOUND_ALLOW,
            seconds=PING_SECONDS,
        )
        said = "" if answer.status < 400 else f"HTTP {answer.status}"
    except OutboundError as error:
        said = error.reason
    if said:
        log.warning("heartbeat_url: %s", said[:200])
    _do(STORE, data=json.dumps({"ping_error": said[:200]}))


def failing(url: str) -> str:
    """Return the address that says that something is wrong."""
    path, mark, query = url.partition("?")
    return f"{path.rstrip('/')}/fail{mark}{query}"


def _store(findings: Findings, healed: int) -> None:
    data = asdict(findings) | {"healed": healed, "clean": findings.clean}
    _do(STORE, data=json.dumps(data))


def _ask(query: str, **values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, _given(values))
        return list(cursor.fetchall())


def _do(query: str, **values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(query, _given(values))


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {
        "row": ROW,
        "every": EVERY_SECONDS,
        "late": LATE_SECONDS,
        "silent": SILENT_SECONDS,
    } | values
