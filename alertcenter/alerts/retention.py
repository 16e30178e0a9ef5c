"""Which alerts and groups are over for long enough to go?

A group goes with all that belongs to it, an alert when no group remembers it. What is
firing, and what is handled in a group that is not resolved, stays however old it is.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from alertcenter.alerts.models import Group
from tenants import retention
from tenants.retention import Belonging, Sweep
from tenants.rls import in_tenant

GROUPS_AT_ONCE = 500

MEMBERSHIPS = Belonging("group_alert", "group_id = ANY (%(groups)s)")
# A group that never ends would remember for ever who once was in it.
LEFT = "left_at < %(before)s"
OLD_GROUPS = "state = 'resolved' AND resolved_at < %(before)s"
OLD_ALERTS = """
state = 'resolved' AND greatest(last_at, state_at) < %(before)s
AND NOT EXISTS (
  SELECT FROM group_alert m
  WHERE m.tenant_id = alert.tenant_id AND m.alert_id = alert.id)
"""


def register() -> None:
    """Tell tenants.retention what this room keeps."""
    retention.by_time |= {
        "transition": retention.HISTORY,
        "episode": retention.HISTORY,
        "raw_event": retention.RAW,
    }
    if sweep_closed not in retention.sweepers:
        retention.sweepers.append(sweep_closed)


def sweep_closed(sweep: Sweep, tenant_id: UUID, before: datetime) -> None:
    """Let go of what the tenant closed before `before`."""
    sweep_groups(sweep, tenant_id, before)
    sweep.remove(tenant_id, "group_alert", LEFT, before=before)
    sweep.remove(tenant_id, "storm", "closed_at < %(before)s", before=before)
    sweep.remove(tenant_id, "alert", OLD_ALERTS, before=before)


def sweep_groups(sweep: Sweep, tenant_id: UUID, before: datetime) -> None:
    """Delete old groups, some at a time, each after what belongs to it."""
    most = None if sweep.dry else GROUPS_AT_ONCE
    while groups := old_groups(tenant_id, before, most):
        for one in (*retention.belongings, MEMBERSHIPS):
            sweep.remove(tenant_id, one.table, one.where, groups=groups)
        gone = sweep.remove(
            tenant_id,
            "alert_group",
            f"{OLD_GROUPS} AND id = ANY (%(groups)s)",
            before=before,
            groups=groups,
        )
        if sweep.dry or not gone:
            break


def old_groups(tenant_id: UUID, before: datetime, most: int | None) -> list[UUID]:
    with in_tenant(tenant_id):
        rows = Group.objects.filter(
            tenant_id=tenant_id, state="resolved", resolved_at__lt=before
        )
        return list(rows.order_by("resolved_at").values_list("pk", flat=True)[:most])
