"""Which messages are over for long enough to go?"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from tenants import retention
from tenants.retention import Belonging, Sweep

BELONGINGS = (
    Belonging("used_link", "group_id = ANY (%(groups)s)"),
    Belonging("delivery", "group_id = ANY (%(groups)s)"),
    Belonging("thread", "group_id = ANY (%(groups)s)"),
)
# Tests of channels and answers to clicks, which belong to no group.
ALONE = """
group_id IS NULL AND created_at < %(before)s
AND state NOT IN ('pending', 'leased', 'ambiguous')
"""
# A place that nobody wrote to for so long; its key may be a person's address.
PLACE = """
pace = 0 AND open_at < %(before)s AND asked_until < %(before)s
AND paced_until < %(before)s
"""
SIMULATED = "at < %(before)s"
# A copy of what acted on a group that is long gone acts on nothing.
HEARD = "at < %(before)s"


def register() -> None:
    """Tell tenants.retention what this room keeps."""
    retention.by_time["attempt"] = retention.HISTORY
    if sweep_messages not in retention.sweepers:
        retention.belongings.extend(BELONGINGS)
        retention.sweepers.append(sweep_messages)


def sweep_messages(sweep: Sweep, tenant_id: UUID, before: datetime) -> None:
    """Let go of the messages that go with no group."""
    sweep.remove(tenant_id, "delivery", ALONE, before=before)
    sweep.remove(tenant_id, "destination", PLACE, before=before)
    sweep.remove(tenant_id, "simulated_message", SIMULATED, before=before)
    sweep.remove(tenant_id, "heard", HEARD, before=before)
