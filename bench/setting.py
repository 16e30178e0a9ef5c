"""What stands in the measured tenant? Everything that is on by default, and rules.

A route and a policy that pages a channel on a fake Slack (tests/flows/world.py); two
rules, of which one matches every alert and sets a label; limits that count and refuse
nothing. Dispatcher and worker run.
"""

from __future__ import annotations

import json

from tests.fakes.slack import FakeSlack
from tests.flows import world
from tests.flows.world import World
from tests.stack import Stack

SETUP = """
import json
from uuid import UUID
from alertcenter.alerts.models import Rule
from tenants.rls import in_tenant

pk = UUID(json.loads({given!r}))
with in_tenant(pk):
    Rule.objects.create(
        tenant_id=pk, name="Who cares", position=1, matchers=['team="web"'],
        set_labels={{"owner": "web-crew"}})
    Rule.objects.create(
        tenant_id=pk, name="Elsewhere", position=2, matchers=['team="nobody"'],
        set_severity=5)
"""
UNLIMITED = """
import json
from uuid import UUID
from tenants.models import Tenant
from tenants.rls import in_tenant

pk = UUID(json.loads({given!r}))
with in_tenant(pk):
    limits = [field.name for field in Tenant._meta.concrete_fields
              if field.name.endswith("events_per_second")]
    Tenant.objects.filter(pk=pk).update(**dict.fromkeys(limits, {plenty}))
"""
PLENTY = 1_000_000


def build(stack: Stack, slack: FakeSlack, slug: str = "bench") -> World:
    """Set up tenant `slug`."""
    made = world.build(stack, slack, slug, group_by=["alertname", "cluster"])
    stack.manage("shell", "-c", SETUP.format(given=json.dumps(made.tenant)))
    unlimited(made)
    return made


def unlimited(place: World) -> None:
    """Give a tenant limits that count and refuse nothing."""
    script = UNLIMITED.format(given=json.dumps(place.tenant), plenty=PLENTY)
    place.stack.manage("shell", "-c", script)
