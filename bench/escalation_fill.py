"""How does an installation get many open runs? By SQL, as the flow would leave them.

Each group has one firing alert and one run of a policy that pages a channel again and
again; nothing leaves for that channel, so that what is measured is escalation.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from tests.flows.world import World

POLICY = """
import json
from uuid import UUID
from escalation import runs
from escalation.models import Policy, Step
from notifications.models import Channel, Destination
from tenants.rls import in_tenant

tenant, wait, pages, times = json.loads({given!r})
pk = UUID(tenant)
with in_tenant(pk):
    ops = Channel.objects.get(slug="ops")
    policy, new = Policy.objects.get_or_create(tenant_id=pk, name="Every %d s" % wait)
    if new:
        for number in range(pages):
            Step.objects.create(tenant_id=pk, policy=policy, position=2 * number + 1,
                                kind="channel", channel=ops)
            Step.objects.create(tenant_id=pk, policy=policy, position=2 * number + 2,
                                kind="wait", wait_seconds=wait)
        Step.objects.create(tenant_id=pk, policy=policy, position=2 * pages + 1,
                            kind="repeat", params={{"times": times}})
    plan = runs.snapshots(pk, [policy.pk])[policy.pk]
print("PLAN " + json.dumps({{"channel": str(ops.pk), "plan": plan}}))
"""
# As long as policies are: page, wait, page, wait, page, wait, from the start.
PAGES, TIMES = 3, 9

# Nothing leaves for the channel while it is measured.
CLOSE = """
INSERT INTO destination (tenant_id, key, channel_id, open_at)
SELECT {t}, id || ':', id, now() + interval '1 day' FROM channel
WHERE tenant_id = {t} AND slug = 'ops'
ON CONFLICT (tenant_id, key) DO UPDATE SET open_at = now() + interval '1 day'
"""
GIVEN = """
CREATE SCHEMA IF NOT EXISTS bench;
DROP TABLE IF EXISTS bench.given;
CREATE TABLE bench.given AS SELECT n, uuidv7() AS alert, uuidv7() AS grp,
  uuidv7() AS run FROM generate_series(1, %s) n
"""
ALERTS = """
INSERT INTO alert (id, tenant_id, dedup_key, fingerprint, state, severity, title,
  labels, annotations, link, source, episode_id, state_at, starts_at, expires_at,
  last_at, count, closed_by, version)
SELECT alert, {t}, 'l/' || md5(alert::text), substr(md5('f' || n), 1, 16), 'firing',
  1 + n % 5, 'Latency is high on web-' || n,
  jsonb_build_object('alertname', 'Latency' || n, 'instance', 'web-' || n,
    'job', 'node', 'cluster', 'c' || n % 20, 'env', 'prod', 'team', 't' || n % 7),
  jsonb_build_object('summary', 'Latency is high on web-' || n), '', 'prometheus',
  uuidv7(), now(), now(), now() + interval '1 day', now(), 1, '', 1
FROM bench.given
"""
GROUPS = """
INSERT INTO alert_group (id, tenant_id, number, key, state, severity, title, labels,
  opened_at, changed_at, firing_count, alert_count, version, acked_by, route_id)
SELECT grp, {t},
  coalesce((SELECT max(number) FROM alert_group WHERE tenant_id = {t}), 0) + n,
  md5(grp::text), 'firing', 1 + n % 5, 'Latency is high on web-' || n,
  jsonb_build_object('alertname', 'Latency' || n), now(), now(), 1, 1, 1, '',
  (SELECT id FROM route WHERE tenant_id = {t} LIMIT 1)
FROM bench.given
"""
MEMBERS = """
INSERT INTO group_alert (tenant_id, group_id, alert_id, episode_id, joined_at)
SELECT {t}, grp, alert, uuidv7(), now() FROM bench.given
"""
RUNS = """
INSERT INTO run (id, tenant_id, group_id, policy_name, snapshot, state)
SELECT run, {t}, grp, 'Again and again', '%s', 'active' FROM bench.given
"""
# What a page to the channel left behind that was told before.
TOLD = """
INSERT INTO delivery (tenant_id, idem, lane, destination, kind, channel_id,
  channel_kind, address, group_id, message, severity, state, fence, attempts,
  provider_id, error, correlation_id, next_at, sent_at)
SELECT {t}, run || '/before', '%(channel)s::' || grp, '%(channel)s:', 'page',
  '%(channel)s', 'slack', '', grp, '{}', 3, 'sent', 1, 1, '1.0', '', '', NULL, now()
FROM bench.given WHERE n %% 100 < %(share)s
"""
DUE = """
INSERT INTO due_step (tenant_id, run_id, group_id, position, round, due_at, state,
  attempts, error)
SELECT {t}, run, grp, 0, 1, now() + interval '1 second' * (%s + n * %s::float8),
  'due', 0, ''
FROM bench.given
"""
SETTLED = ("alert", "alert_group", "group_alert", "run", "due_step", "delivery")


@dataclass(frozen=True)
class Due:
    """When steps fall due: the first after so many seconds, then one each `apart`."""

    after: float
    apart: float = 0.0


def fill(place: World, runs: int, *, every: int, due: Due, told: int = 0) -> None:
    """Give a tenant open runs whose steps come every so many seconds; `told` percent
    of the groups were told of before."""
    script = POLICY.format(given=json.dumps([place.tenant, every, PAGES, TIMES]))
    output = place.stack.manage("shell", "-c", script)
    line = next(x for x in output.splitlines() if x.startswith("PLAN "))
    made = json.loads(line.removeprefix("PLAN "))
    plan = json.dumps(made["plan"]).replace("'", "''")
    place.rows(CLOSE)
    place.stack.sql(GIVEN, [runs])
    for statement in (ALERTS, GROUPS, MEMBERS):
        place.rows(statement)
    place.rows(RUNS.replace("%s", plan))
    if told:
        place.rows(TOLD % {"channel": made["channel"], "share": told})
    place.rows(DUE % (due.after, due.apart))


def settle(place: World) -> None:
    """Let the planner know, as it would after an hour."""
    for table in SETTLED:
        place.stack.sql(f"VACUUM ANALYZE {table}")


def clear(place: World) -> None:
    """Take away what a measurement made."""
    for table in ("due_step", "delivery", "run", "group_alert", "alert_group", "alert"):
        place.stack.sql(f"DELETE FROM {table}")
    place.stack.sql("DELETE FROM feed")
    settle(place)
