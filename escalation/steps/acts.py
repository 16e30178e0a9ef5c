"""What does a policy do to the group? It raises the severity, or resolves it."""

from __future__ import annotations

from datetime import timedelta

from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alertcenter.alerts.models.choices import Severity
from escalation import actions
from escalation.steps import fields
from escalation.steps.base import (
    Finish,
    Kind,
    Plan,
    Resolved,
    Situation,
    WaitUntil,
    of,
)
from tenants.actors import THE_ENGINE

BUSY = timedelta(seconds=2)


class Raise(Kind):
    """Worse from here on; it stays so whatever its alerts say."""

    name = "raise"
    label = gettext_lazy("raise the severity")
    fields = (fields.SEVERITY,)
    position = 40

    def words(self, plan: Plan) -> str:
        word = Severity(of(plan, "severity")).label
        return _("Raise the severity to %(severity)s.") % {"severity": word}

    def resolve(self, at: Situation) -> Resolved:
        wanted, before = int(of(at.plan, "severity")), at.group.severity
        if wanted <= before:
            return Resolved()
        return Resolved(
            kind="repeated_severity",
            reason="raised",
            values={"severity": wanted, "raised_to": wanted},
            data={"severity": wanted, "severity_before": before},
        )


class Resolve(Kind):
    """The group is closed, and what fires in it."""

    name = "resolve"
    label = gettext_lazy("resolve the group")
    position = 62

    def words(self, plan: Plan) -> str:
        return _("Resolve the group.")

    def resolve(self, at: Situation) -> Resolved:
        if at.books.dry:
            return Resolved(reason="resolves", then=Finish())
        if not lock_alerts(at):
            return Resolved(then=WaitUntil(at.now + BUSY, "busy"))

        def act() -> None:
            actions.resolve(
                at.tenant_id, [at.group.pk], actor=THE_ENGINE, reason="policy"
            )

        return Resolved(then=Finish(), act=act)


MEMBERS = """
SELECT count(*) FROM group_alert m JOIN alert a
  ON a.tenant_id = m.tenant_id AND a.id = m.alert_id
WHERE m.tenant_id = %s AND m.group_id = %s AND m.left_at IS NULL AND a.state = 'firing'
"""
LOCK = """
SELECT count(*) FROM (
  SELECT 1 FROM alert a WHERE a.tenant_id = %(tenant)s AND a.state = 'firing'
    AND a.id IN (SELECT alert_id FROM group_alert
      WHERE tenant_id = %(tenant)s AND group_id = %(group)s AND left_at IS NULL)
  ORDER BY a.tenant_id, a.dedup_key FOR UPDATE SKIP LOCKED) locked
"""


def lock_alerts(at: Situation) -> bool:
    """Lock what fires in the group without waiting; return whether all of it is.

    Alerts are locked before groups, always; a step holds its group already.
    """
    with connection.cursor() as cursor:
        cursor.execute(MEMBERS, [at.tenant_id, at.group.pk])
        wanted = cursor.fetchone()[0]
        cursor.execute(LOCK, {"tenant": at.tenant_id, "group": at.group.pk})
        return bool(cursor.fetchone()[0] >= wanted)


KINDS = (Raise, Resolve)
