"""Which tenants, places and policies does a run have? Made here, so known here.

The checker compares what the product froze into a run with `Policy`, and works out
every due time from it, not from what the product says.
"""

from __future__ import annotations

import json
import random
from dataclasses import asdict, dataclass, field

from tests.chaos.cluster import Cluster

SLUGS = ("acorn", "birch", "cedar", "dogwood")
PLACES = ("hook-one", "hook-two", "room")
PEOPLE = ("alice", "bob")
# Kinds of steps that tell somebody, and whom; `repeat` joins them when it exists.
TARGETS = (
    *(("channel", place) for place in PLACES),
    *(("member", person) for person in PEOPLE),
    ("oncall", "day"),
)


@dataclass(frozen=True)
class PlanStep:
    """One step: `kind` is channel, member, oncall or wait."""

    kind: str
    target: str = ""
    wait: int = 0


@dataclass(frozen=True)
class Policy:
    """One policy as the run wrote it."""

    name: str
    steps: tuple[PlanStep, ...]
    # Seconds that the route waits before the first step.
    before: int = 0

    @property
    def pages(self) -> int:
        return sum(step.kind != "wait" for step in self.steps)

    @property
    def seconds(self) -> int:
        return self.before + sum(step.wait for step in self.steps)


@dataclass(frozen=True)
class Tenant:
    """One tenant, and what its senders and people hold."""

    slug: str
    id: str
    key: str
    policy: Policy


@dataclass
class World:
    """All tenants of a run."""

    tenants: list[Tenant] = field(default_factory=list)

    @property
    def pages(self) -> float:
        """How many steps a policy has that tell somebody, on average."""
        return sum(t.policy.pages for t in self.tenants) / len(self.tenants)


def invent(slug: str, chance: random.Random) -> Policy:
    """Return a policy of four to seven pages with waits of seconds between."""
    steps = [PlanStep(*chance.choice(TARGETS))]
    for _ in range(chance.randint(3, 6)):
        waits = chance.choice((0, 1, 1, 1, 2))
        steps += [PlanStep("wait", wait=chance.randint(1, 4)) for _ in range(waits)]
        steps.append(PlanStep(*chance.choice(TARGETS)))
    return Policy(f"{slug}'s", tuple(steps), before=chance.choice((0, 0, 2)))


SETUP = """
import json
from datetime import date
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
vendor, made = given["vendor"], {{}}
for slug, policy in given["policies"].items():
    pk = uuid7()
    with in_tenant(pk):
        Tenant.objects.create(pk=pk, slug=slug, name=slug.title())
        install_templates(pk)
        found = {{}}
        for place in ("hook-one", "hook-two"):
            found[place] = Channel.objects.create(
                tenant_id=pk, kind="webhook", slug=place, name=place,
                settings={{"url": f"{{vendor}}/hook/{{slug}}/{{place}}"}})
        found["room"] = Channel.objects.create(
            tenant_id=pk, kind="slack", slug="room", name="room",
            settings={{"channel": "C" + slug.upper(), "team_id": "T" + slug.upper(),
                       "app_id": "A1", "api_url": f"{{vendor}}/slack/{{slug}}/"}},
            secret=json.dumps({{"bot_token": "xoxb-" + slug,
                                "signing_secret": "chaos"}}))
        for person in given["people"]:
            user = User.objects.create_user(slug + "-" + person, "", "a-good-password")
            found[person] = Member.objects.create(
                tenant_id=pk, user=user, role="responder", name=person.title())
            Contact.objects.create(
                tenant_id=pk, member=found[person], kind="slack",
                address="U" + (slug + person).upper())
        found["day"] = oncall.make(
            pk, "day", [found["bob"]], starts_on=date(2026, 1, 1))
        row = Policy.objects.create(tenant_id=pk, name=policy["name"])
        for position, step in enumerate(policy["steps"], 1):
            kind = step["kind"]
            name = {{"oncall": "schedule"}}.get(kind, kind)
            own = ({{"wait_seconds": step["wait"]}} if kind == "wait"
                   else {{name: found[step["target"]]}})
            Step.objects.create(
                tenant_id=pk, policy=row, position=position, kind=kind, **own)
        Route.objects.create(
            tenant_id=pk, name="all", is_default=True, policy=row,
            group_by=["alertname"], group_wait_seconds=policy["before"],
            storm_per_minute=0)
        made[slug] = [str(pk), apikeys.mint(
            pk, "chaos", ["ingest", "read", "act"],
            actor=Actor("operator", "", "test"))[1]]
print("WORLD " + json.dumps(made))
"""


def build(cluster: Cluster, chance: random.Random) -> World:
    """Set the tenants up, through manage.py as an operator would."""
    policies = {slug: invent(slug, chance) for slug in SLUGS}
    given = {
        "vendor": cluster.vendor,
        "people": PEOPLE,
        "policies": {slug: asdict(policy) for slug, policy in policies.items()},
    }
    output = cluster.manage("shell", "-c", SETUP.format(given=json.dumps(given)))
    line = next(x for x in output.splitlines() if x.startswith("WORLD "))
    made = json.loads(line.removeprefix("WORLD "))
    return World(
        [Tenant(slug, *made[slug], policy=policies[slug]) for slug in SLUGS]  # type: ignore[misc]
    )
