"""Are lists quick when there is much? 100,000 open alerts, and years of history.

`python -m bench.big --open 100000 --history 2000000`: fills the real tables by SQL,
then asks lists, filters, admin pages and the dashboard's snapshot, while alerts come in
steadily. Nothing but the answers is measured; the fill takes most of the time.
"""

from __future__ import annotations

import argparse
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from bench import forms, ingest, pace
from bench.figures import machine, percentile, rate, table
from bench.load import Load
from bench.reach import log_in
from tests.fakes.slack import FakeSlack
from tests.flows import world
from tests.flows.world import World
from tests.stack import Stack

TIMES = 30
BACKGROUND = 500  # alerts a second while it is asked

OPEN = """
INSERT INTO alert (tenant_id, dedup_key, fingerprint, state, severity, title, labels,
  annotations, link, source, episode_id, state_at, starts_at, expires_at, last_at,
  count, closed_by, version)
SELECT {t}, 'l/' || md5(n::text), substr(md5('f' || n), 1, 16), 'firing', 1 + n % 5,
  'Latency is high on web-' || n,
  jsonb_build_object('alertname', 'Old' || n % 50, 'instance', 'web-' || n,
    'job', 'node', 'cluster', 'c' || n % 20, 'env', 'prod', 'team', 't' || n % 7),
  jsonb_build_object('summary', 'Latency is high on web-' || n), '', 'prometheus',
  uuidv7(), now() - n * interval '1 second', now() - n * interval '1 second',
  now() + interval '1 day', now(), 1, '', 1
FROM generate_series(1, {number}) n
"""
GROUPS = """
INSERT INTO alert_group (tenant_id, number, key, state, severity, title, labels,
  opened_at, changed_at, firing_count, alert_count, version, acked_by)
SELECT {t}, 1000000 + n, md5('g' || n), 'firing', 1 + n % 5, 'Group ' || n,
  jsonb_build_object('alertname', 'Old' || n % 50), now() - n * interval '1 second',
  now(), 1, 1, 1, ''
FROM generate_series(1, {number} / 10) n
"""
HISTORY = """
INSERT INTO transition (tenant_id, at, alert_id, kind, from_state, to_state, actor_kind,
  actor_id, actor_label, reason, data, correlation_id)
SELECT {t}, now() - (n % 2400) * interval '1 hour' * 0.4, uuidv7(), 'opened', '',
  'firing', 'source', '', 'prometheus', 'source', '{{}}', ''
FROM generate_series(1, {number}) n
"""
SETTLE = ["ANALYZE alert", "ANALYZE alert_group", "ANALYZE transition"]

BY_KEY = {
    "alerts": "/t/{slug}/api/v1/alerts",
    "alerts, critical": "/t/{slug}/api/v1/alerts?state=firing&severity=critical",
    "alerts, two labels": "/t/{slug}/api/v1/alerts?label=cluster:c7&label=team:t3",
    "groups": "/t/{slug}/api/v1/groups",
    "Alertmanager, a label": "/t/{slug}/api/v2/alerts?filter=instance%3D%22web-77%22",
}
WHOLE = {"Alertmanager, all": "/t/{slug}/api/v2/alerts"}
BY_MEMBER = {
    "admin: alerts": "/admin/alerts/alert/",
    "admin: alerts, searched": "/admin/alerts/alert/?q=web-777",
    "admin: groups": "/admin/alerts/group/",
    "admin: transitions": "/admin/alerts/transition/",
    "dashboard": "/t/{slug}/",
}


def measure(number: int, history: int) -> None:
    stack = Stack()
    try:
        stack.start()
        with FakeSlack() as slack:
            place = world.build(stack, slack, "big")
            filled = fill(place, number, history)
            print(f"{rate(number)} open, {rate(history)} changes, {filled:.0f} s")
            with steadily(place) as order:
                rows = list(answers(place))
            head = ["asked", "p50 ms", "p95 ms", "KB"]
            print(table(f"Lists beside {order.rate} alerts/s; {machine()}", head, rows))
        stack.stop()
    finally:
        stack.remove()


def fill(place: World, number: int, history: int) -> float:
    begun = time.monotonic()
    for statement, much in ((OPEN, number), (GROUPS, number), (HISTORY, history)):
        place.rows(statement.replace("{number}", str(much)).replace("{{}}", "{}"))
    for statement in SETTLE:
        place.stack.sql(statement)
    return time.monotonic() - begun


@contextmanager
def steadily(place: World) -> Iterator[pace.Order]:
    """Let repeats and new alerts come in meanwhile."""
    cell = Load(10, 4, "90 %")
    target = ingest.ours_of(place)
    form = forms.stamped(target.form, ingest.stamp_of(cell))
    order = pace.Order(
        target.url, place.key, form, cell.batch, cell.mix, BACKGROUND, 60, 4
    )
    process = pace.begin(order)
    try:
        yield order
    finally:
        process.terminate()
        process.wait(20)


def answers(place: World) -> Iterator[list[str]]:
    """Yield a row for each address."""
    key = {"Authorization": f"Bearer {place.key}"}
    cookie = {"Cookie": log_in(place, f"{place.slug}-alice")}
    for paths, headers, times in (
        (BY_KEY, key, TIMES),
        (BY_MEMBER, cookie, TIMES),
        (WHOLE, key, 3),
    ):
        for name, path in paths.items():
            url = place.stack.url + path.format(slug=place.slug)
            spent, size = asked(url, headers, times)
            yield [
                name,
                f"{percentile(spent, 0.5):.0f}",
                f"{percentile(spent, 0.95):.0f}",
                f"{size / 1024:.0f}",
            ]


def asked(url: str, headers: dict[str, str], times: int) -> tuple[list[float], int]:
    """Return the milliseconds of each answer, and its bytes."""
    spent, size = [], 0
    for _ in range(times):
        begun = time.perf_counter()
        request = urllib.request.Request(url, headers=headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            size = len(answer.read())
        spent.append((time.perf_counter() - begun) * 1000)
    return spent, size


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.big")
    parser.add_argument("--open", type=int, default=100_000)
    parser.add_argument("--history", type=int, default=10_000_000)
    options = parser.parse_args()
    measure(options.open, options.history)


if __name__ == "__main__":
    main()
