"""Does a week of events end in the same state, in whatever order it comes?

As senders do it: in order once; and the same shuffled, with repeats, in other batches.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from alertcenter.alerts.models import Alert
from tenants.rls import in_tenant

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]

SEEDS = 1_000
WEEK = 7 * 24 * 3600
FAR = (datetime.now(UTC) + timedelta(hours=6)).isoformat()
STATE = (
    "state",
    "severity",
    "title",
    "annotations",
    "state_at",
    "ends_at",
    "closed_by",
)


def week(seed: int) -> Iterator[dict[str, Any]]:
    """Yield what Prometheus says of one alert in a week, in order."""
    chance = random.Random(seed)
    begins = datetime.now(UTC).replace(microsecond=0) - timedelta(days=8)
    moments = sorted(chance.sample(range(WEEK), 2 * chance.randint(1, 5)))
    for number, (start, end) in enumerate(
        zip(moments[::2], moments[1::2], strict=True)
    ):
        alert = {
            "labels": {"alertname": "Week", "seed": str(seed)},
            "annotations": {"summary": f"Round {number} of {seed}"},
            "startsAt": (begins + timedelta(seconds=start)).isoformat(),
        }
        for _ in range(chance.randint(1, 2)):
            yield alert | {"endsAt": FAR}
        if number < len(moments) // 2 - 1 or chance.random() < 0.5:
            over = (begins + timedelta(seconds=end)).isoformat()
            yield alert | {"endsAt": over}


def keyed(seed: int) -> Iterator[dict[str, Any]]:
    """Yield what a keyed sender says, whose alert worsens and ends."""
    chance = random.Random(-seed)
    begins = datetime.now(UTC).replace(microsecond=0) - timedelta(days=8)
    moments = sorted(chance.sample(range(WEEK), chance.randint(2, 8)))
    for moment in moments:
        at = (begins + timedelta(seconds=moment)).isoformat()
        event = {"key": f"k{seed}", "title": f"Key {seed}", "labels": {"n": str(seed)}}
        if chance.random() < 0.4:
            yield event | {"status": "resolved", "starts_at": at, "ends_at": at}
        else:
            word = chance.choice(["warning", "error", "critical"])
            yield event | {"severity": word, "starts_at": at}


def shuffled(events: list[dict[str, Any]], chance: random.Random) -> list[Any]:
    """Return the events with repeats, in any order, but each of them at least once."""
    more = events + chance.choices(events, k=len(events) // 2)
    chance.shuffle(more)
    return more


def batches(events: list[Any], chance: random.Random) -> Iterator[list[Any]]:
    start = 0
    while start < len(events):
        size = chance.randint(1, 1_500)
        yield events[start : start + size]
        start += size


def states(tenant_id: Any, *more: str) -> dict[str, tuple[Any, ...]]:
    with in_tenant(tenant_id):
        rows = Alert.objects.values_list("dedup_key", *STATE, *more)
        return {key: (*rest,) for key, *rest in rows}


def without_words(found: dict[str, tuple[Any, ...]]) -> dict[str, tuple[Any, ...]]:
    """A keyed sender says only that it is over: how bad it was at last is known only
    to whoever heard all that came before."""
    return {
        key: (state, severity if state == "firing" else None, *rest)
        for key, (state, severity, *rest) in found.items()
    }


def open_episodes(tenant_id: Any) -> int:
    with in_tenant(tenant_id), connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM alert a JOIN episode e ON e.id = a.episode_id "
            "WHERE a.state = 'firing' AND e.ends_at IS NULL"
        )
        return int(cursor.fetchone()[0])


def first_difference(ordered: dict[str, Any], mixed: dict[str, Any]) -> str:
    for key in ordered:
        if ordered[key] != mixed.get(key):
            return json.dumps([key, ordered[key], mixed.get(key)], default=str)
    return ""


@pytest.mark.parametrize("kind", ["prometheus", "own"])
def test_any_order_of_a_week_ends_alike(kind, acme, globex, send):
    seed = random.randrange(1 << 30)
    print(f"order {seed}")
    chance = random.Random(seed)
    make = week if kind == "prometheus" else keyed
    say = send.prometheus if kind == "prometheus" else send.own
    each = [list(make(number)) for number in range(SEEDS)]
    for turn in range(max(map(len, each))):
        say(acme.id, *(one[turn] for one in each if turn < len(one)))
    mixed = shuffled([event for one in each for event in one], chance)
    for batch in batches(mixed, chance):
        say(globex.id, *batch)
    # A keyed sender's start is the first that was heard of: see docs/known-limits.md.
    more = ("starts_at",) if kind == "prometheus" else ()
    one, other = states(acme.id, *more), states(globex.id, *more)
    if kind == "own":
        one, other = without_words(one), without_words(other)
    assert len(one) == SEEDS
    assert first_difference(one, other) == ""
    firing = sum(state[0] == "firing" for state in other.values())
    assert open_episodes(globex.id) == firing > 100
