"""How long do 1,000 schedules at one instant take, and a year of five layers?"""

from __future__ import annotations

import json

from bench.figures import percentile, table
from bench.targets import Verdict
from tests.flows.world import World

MOST_NOW, MOST_YEAR = 0.1, 0.2

ROTAS = """
import json, time
from datetime import date, timedelta
from uuid import UUID
from django.contrib.auth.models import User
from alertcenter.alerts import lifecycle
from alertcenter.common.ids import uuid7
from escalation import oncall, rota
from escalation.hours import Span
from escalation.models import Schedule
from escalation.models.schedule import Layer, Turn
from tenants.models import Member
from tenants.rls import in_tenant

pk, schedules, people = UUID({tenant!r}), 1000, 60
with in_tenant(pk):
    users = User.objects.bulk_create(
        User(username="rota-%d" % n, password="!") for n in range(people))
    members = Member.objects.bulk_create(
        Member(tenant_id=pk, user=u, role="responder", name=u.username) for u in users)

    def made(number, layers):
        one = Schedule(id=uuid7(), tenant_id=pk, name="Rota %d" % number)
        own = [Layer(id=uuid7(), tenant_id=pk, schedule=one, level=level,
                     frequency=("weekly", "daily", "hourly")[level % 3],
                     every=(1, 1, 12)[level % 3], starts_on=date(2025, 1, 6),
                     hours=[] if level % 2 == 0 else [{{"days": ["mon", "tue", "wed",
                       "thu", "fri"], "begins": "09:00", "ends": "17:00"}}])
               for level in range(layers)]
        turns = [Turn(tenant_id=pk, layer=layer, position=p + 1,
                      member=members[(number * 7 + p + layer.level) % people])
                 for layer in own for p in range(5)]
        return one, own, turns

    parts = [made(n, 2 + n % 2) for n in range(schedules)] + [made(schedules, 5)]
    Schedule.objects.bulk_create(one for one, _, _ in parts)
    Layer.objects.bulk_create(layer for _, own, _ in parts for layer in own)
    Turn.objects.bulk_create(turn for _, _, turns in parts for turn in turns)
    ids = [one.pk for one, _, _ in parts[:schedules]]
with in_tenant(pk):
    at = lifecycle.database_time()
    now, year = [], []
    for turn in range(7):
        begun = time.perf_counter()
        found = oncall.on_call_by(pk, ids, at)
        now.append(time.perf_counter() - begun)
    assert len(found) == schedules and all(found.values())
    within = Span(at, at + timedelta(days=365))
    five = parts[-1][0].pk
    for turn in range(7):
        begun = time.perf_counter()
        shifts = rota.final(oncall.load(pk, [five], within)[five], within)
        year.append(time.perf_counter() - begun)
print("ROTAS " + json.dumps([now, year, len(shifts)]))
"""


def rotas(place: World) -> list[Verdict]:
    """Make the schedules, ask, and print; warm, as the second of many questions is."""
    output = place.stack.manage("shell", "-c", ROTAS.format(tenant=place.tenant))
    line = next(x for x in output.splitlines() if x.startswith("ROTAS "))
    now, year, shifts = json.loads(line.removeprefix("ROTAS "))
    rows = [
        [
            name,
            *(f"{percentile(ones, p) * 1e3:.0f}" for p in (0.5, 1.0)),
            f"{most * 1e3:.0f}",
        ]
        for name, ones, most in (
            ("who is on call, 1,000 schedules", now, MOST_NOW),
            (f"a year of five layers, {shifts:,} shifts", year, MOST_YEAR),
        )
    ]
    print(
        table("Who is on call", ["", "p50 ms", "worst ms", "asked ms"], rows),
        flush=True,
    )
    show = lambda x: f"{x * 1e3:.0f} ms"  # noqa: E731
    return [
        Verdict("1,000 schedules", MOST_NOW, percentile(now, 0.5), False, show),
        Verdict("a year of five layers", MOST_YEAR, percentile(year, 0.5), False, show),
    ]
