"""What does judging cost: rules, routes, silences, inhibition? And the way in with it?

`python -m bench.quiet` judges 10,000 new alerts by 100 rules, 100 routes, 200 silences
and 50 inhibit rules on one core, part by part; then it loads one tenant that has this
set and one that has none, in turns, in one installation. With `--pure` only the first.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

from bench.figures import middle, rate, table

ALERTS = 10_000
RULES, ROUTES, SILENCES, INHIBITIONS = 100, 100, 200, 50
LIMIT = 100.0  # microseconds an alert in all
LEAST_RATIO = 0.7
ROUNDS, SECONDS = 3, 3
TEAMS, HOSTS = 40, 500


def alerts() -> list[dict[str, str]]:
    """Return labels as monitoring sends them; every alert is another one."""
    random = Random(5)
    return [
        {
            "alertname": f"Alert{random.randrange(60)}",
            "severity": random.choice(["critical", "warning", "info"]),
            "team": f"team-{random.randrange(TEAMS)}",
            "cluster": random.choice(["eu-1", "eu-2", "us-1"]),
            "env": random.choice(["prod", "stage", "dev"]),
            "instance": f"host-{random.randrange(HOSTS)}:9100",
            "job": random.choice(["node", "mysql", "nginx"]),
            "serial": str(number),
        }
        for number in range(ALERTS)
    ]


def silences() -> list[list[str]]:
    """Most name an instance or a team; some are patterns alone."""
    return [
        [f'instance="host-{n % HOSTS}:9100"', f'alertname="Alert{n % 60}"']
        if n % 4 == 0
        else [f'team="team-{n % TEAMS}"', 'env=~"dev|stage"', f'cluster!="us-{n}"']
        if n % 4 == 1
        else [f'instance=~"host-{n}.*"', 'severity!="critical"']
        if n % 4 == 2
        else [f'alertname=~"Alert{n % 60}|Alert{n % 59}"', f'team=~"team-{n % 40}"']
        for n in range(SILENCES)
    ]


def inhibitions() -> list[dict[str, list[str]]]:
    """The rule of every manual, for one team each."""
    return [
        {
            "source_matchers": ['severity="critical"', f'team="team-{n % TEAMS}"'],
            "target_matchers": ['severity=~"warning|info"', f'team="team-{n % TEAMS}"'],
            "equal": ["cluster", "instance"] if n % 2 else ["alertname", "cluster"],
        }
        for n in range(INHIBITIONS)
    ]


def rules() -> list[dict[str, Any]]:
    """A fifth of them match something; they set labels and severities."""
    return [
        {
            "matchers": [f'team="team-{n}"', 'env="prod"'],
            "set_labels": {"owner": f"crew-{n}"},
        }
        if n % 2
        else {"matchers": [f'job=~"job-{n}.*"'], "set_severity": 4}
        for n in range(RULES)
    ]


def routes() -> list[tuple[int, int, list[str]]]:
    """Return (number, above, conditions): ten of ten."""
    found = []
    for n in range(10):
        found.append((n + 1, 0, [f'team=~"team-{n}|team-{n + 10}|team-{n + 20}"']))
        for m in range(9):
            conditions = [f'alertname="Alert{n * 6 + m}"']
            found.append((100 + n * 10 + m, n + 1, conditions))
    return found


def part(work: Callable[[Mapping[str, str]], object], seen: Sequence[Any]) -> float:
    """Return microseconds of processor an alert, of the quickest of three rounds."""
    best = float("inf")
    for _ in range(ROUNDS):
        begun = time.process_time()
        for labels in seen:
            work(labels)
        best = min(best, time.process_time() - begun)
    return best / len(seen) * 1e6


def pure() -> float:
    """Print the parts; return their sum."""
    import django

    os.environ.setdefault("ALERTCENTER_ENV", "test")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "alertcenter.settings.test")
    django.setup()
    from alertcenter.alerts import routing
    from alertcenter.alerts.events import Event
    from alertcenter.alerts.inhibition import Inhibition, Inhibitions
    from alertcenter.alerts.matchers import parse
    from alertcenter.alerts.models import Route
    from alertcenter.alerts.quiet import QuietBook, Scope
    from alertcenter.alerts.rules import compile_rules
    from alertcenter.common.ids import uuid7

    def read(texts: Sequence[str]) -> list[Any]:
        return [parse(text) for text in texts]

    seen = alerts()
    ids = {number: uuid7() for number in (0, *(n for n, _, _ in routes()))}
    tree = routing.compile_routes(
        [Route(pk=ids[0], name="all", is_default=True, group_by=["alertname"])]
        + [
            Route(pk=ids[n], parent_id=ids[above], name=str(n), matchers=texts)
            for n, above, texts in routes()
        ]
    )
    book = routing.Book(tree)
    compiled = compile_rules(
        [
            (r["matchers"], False, r.get("set_severity"), r.get("set_labels", {}))
            for r in rules()
        ]
    )
    inhibiting = Inhibitions(
        [
            Inhibition(
                uuid7(),
                str(n),
                read(one["source_matchers"]),
                read(one["target_matchers"]),
                one["equal"],
            )
            for n, one in enumerate(inhibitions())
        ]
    )
    quiet = QuietBook(
        [(Scope(uuid7(), None, None), read(texts)) for texts in silences()], inhibiting
    )
    events = [Event(labels, "x", 3, "bench") for labels in seen]
    muted = sum(bool(quiet.silences(labels)) for labels in seen)
    both = sum(bool(inhibiting.as_target(labels)) for labels in seen)
    parts = {
        f"{RULES} rules": part(compiled.apply, events),
        f"{ROUTES} routes": part(lambda one: book.place(one, "l/x"), seen),
        f"{SILENCES} silences": part(quiet.silences, seen),
        f"{INHIBITIONS} inhibit rules, as source": part(inhibiting.as_source, seen),
        f"{INHIBITIONS} inhibit rules, as target": part(inhibiting.as_target, seen),
    }
    total = sum(parts.values())
    rows = [[name, f"{cost:.1f}"] for name, cost in parts.items()]
    title = f"Judging {ALERTS:,} new alerts ({muted} silenced, {both} targets)"
    print(table(title, ["part", "µs an alert"], [*rows, ["all", f"{total:.1f}"]]))
    verdict = "held" if total <= LIMIT else "MISSED"
    print(f"asked: at most {LIMIT:.0f} µs in all: {total:.1f} ({verdict})")
    return total


SETUP = """
import json
from datetime import timedelta
from uuid import UUID
from django.utils import timezone
from alertcenter.alerts.models import InhibitRule, Route, Rule, Silence
from tenants.rls import in_tenant

given = json.loads({given!r})
pk = UUID(given["tenant"])
now = timezone.now()
with in_tenant(pk):
    root = Route.objects.get(is_default=True)
    made = {{0: root}}
    for number, above, texts in given["routes"]:
        made[number] = Route.objects.create(
            tenant_id=pk, name="route %d" % number, position=number,
            parent=made[above] if above else None, matchers=texts)
    for number, one in enumerate(given["rules"]):
        Rule.objects.create(tenant_id=pk, name="rule %d" % number,
                            position=100 + number, **one)
    for number, one in enumerate(given["inhibitions"]):
        InhibitRule.objects.create(tenant_id=pk, name="rule %d" % number, **one)
    Silence.objects.bulk_create([
        Silence(tenant_id=pk, matchers=texts, starts_at=now - timedelta(hours=1),
                ends_at=now + timedelta(days=1), in_force=True, next_change_at=None)
        for texts in given["silences"]])
"""


def way_in() -> float:
    """Print the rates of a tenant with the set and of one without; return the ratio."""
    from bench import ingest, setting
    from bench.__main__ import installation
    from bench.load import Load

    found: dict[str, list[float]] = {"with": [], "without": []}
    with installation(1) as (stack, slack):
        worlds = {
            "without": setting.build(stack, slack),
            "with": setting.build(stack, slack, "judged"),
        }
        given = {
            "tenant": worlds["with"].tenant,
            "routes": routes(),
            "rules": rules(),
            "inhibitions": inhibitions(),
            "silences": silences(),
        }
        stack.manage("shell", "-c", SETUP.format(given=json.dumps(given)))
        cell = Load(100, ingest.CONNECTIONS[100], "new")
        for _ in range(ROUNDS):
            for name, place in worlds.items():
                one = ingest.one(place, ingest.ours_of(place), cell, SECONDS)
                found[name].append(one.measured.rate)
    ratio = middle(found["with"]) / middle(found["without"])
    rows = [[name, rate(middle(rates))] for name, rates in found.items()]
    title = "New alerts in batches of 100, whole line on"
    print(table(title, ["the set of silences, rules, routes", "alerts/s"], rows))
    verdict = "held" if ratio >= LEAST_RATIO else "MISSED"
    print(f"asked: at least {LEAST_RATIO} of the rate: {ratio:.2f} ({verdict})")
    return ratio


def main() -> None:
    """Print both."""
    pure()
    if "--pure" not in sys.argv:
        way_in()


if __name__ == "__main__":
    main()
