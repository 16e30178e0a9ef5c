"""What stands in a running installation before a flow test begins?

A tenant with #ops on a fake Slack, bob on call, a policy of two levels, and a key.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

from tests.fakes.slack import FakeSlack
from tests.stack import Stack

SIGNING_SECRET = "flow-signing-secret"

SETUP = """
import json
from datetime import date, time
from django.contrib.auth.models import User
from alertcenter.alerts.models import Route
from alertcenter.common.ids import uuid7
from escalation import oncall
from escalation.models import Policy, Step
from notifications.default_templates import install_templates
from notifications.models import Channel, Contact
from tenants import apikeys
from tenants.actors import Actor
from tenants.models import Member, Tenant
from tenants.rls import in_tenant

given = json.loads({given!r})
pk = uuid7()
with in_tenant(pk):
    Tenant.objects.create(pk=pk, slug=given["slug"], name=given["slug"].title())
    install_templates(pk)
    members = {{}}
    for name, role in (("alice", "owner"), ("bob", "responder")):
        user = User.objects.create_user(
            given["slug"] + "-" + name, name + "@example.com", given["password"],
            is_staff=True)
        members[name] = Member.objects.create(
            tenant_id=pk, user=user, role=role, name=name.title())
    Contact.objects.create(
        tenant_id=pk, member=members["bob"], kind="slack", address=given["bob"])
    ops = Channel.objects.create(
        tenant_id=pk, kind="slack", slug="ops", name="#ops",
        settings={{"channel": "C-ops", "team_id": given["team"], "app_id": "A1",
                   "api_url": given["slack"]}},
        secret=json.dumps({{"bot_token": "xoxb-test",
                            "signing_secret": given["signing_secret"]}}))
    order = oncall.make(pk, "Ops", [members["bob"]], starts_on=date(2026, 1, 1))
    policy = Policy.objects.create(tenant_id=pk, name="Two levels")
    Step.objects.create(tenant_id=pk, policy=policy, position=1, kind="channel",
                        channel=ops)
    Step.objects.create(tenant_id=pk, policy=policy, position=2, kind="wait",
                        wait_seconds=given["wait"])
    Step.objects.create(tenant_id=pk, policy=policy, position=3, kind="oncall",
                        schedule=order)
    Route.objects.create(
        tenant_id=pk, name="all", is_default=True, policy=policy,
        group_by=given["group_by"], group_wait_seconds=0,
        storm_per_minute=given["storm"])
    key = apikeys.mint(pk, "flow", ["ingest", "read", "act"],
                       actor=Actor("operator", "", "test"))[1]
print("WORLD " + json.dumps({{"tenant": str(pk), "key": key}}))
"""


@dataclass
class World:
    """A tenant inside a stack, reachable as its senders reach it."""

    stack: Stack
    slug: str
    tenant: str
    key: str
    team: str

    def post(self, path: str, body: Any, timeout: float = 15) -> int:
        """Send JSON below /t/<slug>/; return the status, 0 when nobody answers."""
        request = urllib.request.Request(
            f"{self.stack.url}/t/{self.slug}{path}",
            json.dumps(body).encode(),
            {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=timeout) as response:
                return int(response.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def fire(self, name: str, **labels: str) -> int:
        """Send one firing alert in our own JSON."""
        labels = {"alertname": name} | labels
        return self.post("/api/v1/events", {"labels": labels, "severity": "critical"})

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Ask the database as superuser; `{t}` stands for this tenant's id."""
        return self.stack.sql(query.replace("{t}", f"'{self.tenant}'::uuid"))


def build(
    stack: Stack,
    slack: FakeSlack,
    slug: str,
    *,
    wait: int = 3600,
    group_by: list[str] | None = None,
    storm: int = 0,
) -> World:
    """Set up tenant `slug`, through manage.py as an operator would.

    `storm`: how many groups a minute its route takes one by one; 0: any number.
    """
    team = f"T-{slug}"
    given = {
        "slug": slug,
        "password": "a-good-password",
        "bob": "U-bob",
        "team": team,
        "slack": slack.url,
        "signing_secret": SIGNING_SECRET,
        "wait": wait,
        "group_by": group_by or ["alertname"],
        "storm": storm,
    }
    output = stack.manage("shell", "-c", SETUP.format(given=json.dumps(given)))
    line = next(x for x in output.splitlines() if x.startswith("WORLD "))
    made = json.loads(line.removeprefix("WORLD "))
    return World(stack, slug, made["tenant"], made["key"], team)
