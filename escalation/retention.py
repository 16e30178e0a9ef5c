"""What goes with a group that is let go? Its runs, and their due steps first.

Dry runs, which have no group, go by their age.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from tenants import retention
from tenants.retention import Belonging, Sweep

OF_THE_GROUPS = "group_id = ANY (%(groups)s)"
BELONGINGS = (
    Belonging(
        "due_step",
        "run_id IN (SELECT id FROM run "
        f"WHERE tenant_id = %(tenant)s AND {OF_THE_GROUPS})",
    ),
    Belonging("run", OF_THE_GROUPS),
)


def register() -> None:
    """Tell tenants.retention what this room keeps."""
    if BELONGINGS[0] not in retention.belongings:
        retention.belongings.extend(BELONGINGS)
        retention.sweepers.append(sweep_dry_runs)


def sweep_dry_runs(sweep: Sweep, tenant_id: UUID, before: datetime) -> None:
    """Let go of what was tried long ago."""
    sweep.remove(tenant_id, "dry_run", "created_at < %(before)s", before=before)
