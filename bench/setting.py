"""What stands in the measured tenant? Everything that is on by default, and rules.

A route and a policy that pages a channel on a fake Slack (tests/flows/world.py); two
rules, of which one matches every alert and sets a label; quotas that count and refuse
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
from django.apps import apps
from django.db.models import IntegerField
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
    Quota = apps.all_models["tenants"].get("quota")
    if Quota:
        Quota.objects.create(tenant_id=pk, **{{
            field.name: {plenty} for field in Quota._meta.concrete_fields
            if isinstance(field, IntegerField) and not field.primary_key}})
"""
PLENTY = 10_000_000


def build(stack: Stack, slack: FakeSlack, slug: str = "bench") -> World:
    """Set up tenant `slug`."""
    made = world.build(stack, slack, slug, group_by=["alertname", "cluster"])
    script = SETUP.format(given=json.dumps(made.tenant), plenty=PLENTY)
    stack.manage("shell", "-c", script)
    return made
