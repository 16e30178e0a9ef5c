"""What goes with a group that is let go? Its runs, and their due steps first."""

from __future__ import annotations

from tenants import retention
from tenants.retention import Belonging

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
