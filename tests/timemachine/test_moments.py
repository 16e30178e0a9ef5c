"""Do the product and the checker name the same people, at moments that matter?

Quicker than a year, as nothing happens: the database is asked who is on call then.
"""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from escalation import oncall
from tenants.rls import in_tenant
from tests.timemachine.build import build
from tests.timemachine.cover import Cover
from tests.timemachine.making import make, odd_moments

pytestmark = pytest.mark.django_db
MOMENTS = 60
BESIDE = (-3600, -1800, -1, 0, 0, 1, 1800, 3600)


@pytest.mark.parametrize("seed", [1, 2])
def test_at_moments_at_which_something_changes_both_name_the_same_people(seed):
    world = make(seed, 1)
    built = build(world)
    rng = random.Random(seed)
    chosen = rng.choices(odd_moments(rng, world), k=MOMENTS)
    differ = []
    for tenant in world.tenants.values():
        rows = built[tenant.key]
        covers = {k: Cover(s, tenant.people) for k, s in tenant.schedules.items()}
        with in_tenant(rows.tenant_id):
            for moment in chosen:
                at = moment + timedelta(seconds=rng.choice(BESIDE))
                said = oncall.on_call_by(rows.tenant_id, None, at)
                for key, cover in covers.items():
                    names = {one.name for one in said[rows.schedules[key].pk]}
                    if names != cover.who(at):
                        differ.append((tenant.key, key, at, names, cover.who(at)))
    assert differ == []
