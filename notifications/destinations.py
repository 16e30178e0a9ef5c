"""May anything leave for a place now? Its rate, what it asked for, and its troubles.

All of it is rows (Destination), so that a provider's limits hold over all processes
and outlive them:

- a rate, as the kind's SPEC has it: a leaky bucket (GCRA) of `burst` messages that
  refills one each `pace` seconds;
- what a provider asks for (Retry-After): nothing leaves before;
- a circuit breaker: after `BREAKS_AT` failures in a row the place rests, longer each
  time, and one message tries whether it is well again;
- a place that answers slowly gets one message at a time, so that it holds up no hand
  that others need.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection

from notifications.channels.registry import channels
from notifications.leases import Lease

BREAKS_AT = 3
FIRST_REST, LONGEST_REST = 5.0, 300.0
SLOW_MILLISECONDS = 2_000
# A message that tries a place out has this long, and then its lease is over.
TRIAL_SECONDS = 30.0
LONGEST_WHY = 300

TROUBLED = """
SELECT tenant_id, key FROM destination
WHERE (tenant_id, key) IN (
    SELECT * FROM unnest(%(tenants)s::uuid[], %(keys)s::text[]))
  AND (slow OR failures >= %(breaks)s)
"""
# In the order of keys: two claimers that want the same places never wait in a circle.
# A place that is paced meets its row here first; the row of one in trouble is there.
ENTER = """
INSERT INTO destination AS x (tenant_id, key, channel_id, open_at, paced_until)
VALUES (%(tenant)s, %(key)s, %(channel)s,
  now() + greatest(%(pace)s * (2 - %(burst)s), %(trial)s) * interval '1 second',
  now() + %(pace)s * interval '1 second')
ON CONFLICT (tenant_id, key) DO UPDATE SET
  paced_until = greatest(x.paced_until, now())
    + greatest(%(pace)s, x.pace) * interval '1 second',
  open_at = greatest(
    now() + %(trial)s * interval '1 second',
    greatest(x.paced_until, now())
      + greatest(%(pace)s, x.pace) * (2 - %(burst)s) * interval '1 second')
WHERE x.open_at <= now()
RETURNING true
"""
# What may have arrived stays in doubt.
PUT_BACK = """
UPDATE delivery SET lease_until = NULL, attempts = attempts - 1,
  doubts = doubts + %(lost)s::int,
  state = CASE WHEN doubts + %(lost)s::int > 0 THEN 'ambiguous' ELSE 'pending' END
WHERE tenant_id = %(tenant)s AND id = %(id)s AND fence = %(fence)s
  AND state = 'leased'
"""


def admit(leases: Sequence[Lease]) -> list[Lease]:
    """Return those that may leave now, and put the others back until they may.

    In the transaction that claimed them; role engine.
    """
    troubled = _troubled(leases)
    admitted = {lease.id for lease in leases}
    for lease in sorted(leases, key=lambda one: (one.destination, one.id)):
        trial = TRIAL_SECONDS if (lease.tenant_id, lease.destination) in troubled else 0
        if not _enters(lease, trial):
            admitted.discard(lease.id)
    return [lease for lease in leases if lease.id in admitted]


def _troubled(leases: Sequence[Lease]) -> set[tuple[Any, str]]:
    if not leases:
        return set()
    values: dict[str, Any] = {
        "tenants": [lease.tenant_id for lease in leases],
        "keys": [lease.destination for lease in leases],
        "breaks": BREAKS_AT,
    }
    with connection.cursor() as cursor:
        cursor.execute(TROUBLED, values)
        return set(cursor.fetchall())


def _enters(lease: Lease, trial: float) -> bool:
    module = channels().get(lease.channel_kind)
    pace = module.SPEC.pace if module and settings.DELIVERY_PACE else 0.0
    if not (pace or trial) or not lease.destination:
        return True
    values: dict[str, Any] = {
        "tenant": lease.tenant_id,
        "key": lease.destination,
        "channel": lease.channel_id,
        "pace": pace,
        "burst": module.SPEC.burst if module else 1,
        "trial": trial,
    }
    with connection.cursor() as cursor:
        cursor.execute(ENTER, values)
        if cursor.fetchone():
            return True
    put_back(lease)
    return False


def put_back(lease: Lease) -> None:
    """Undo a claim of which nothing was begun, if the lease still is ours."""
    ours: dict[str, Any] = {
        "tenant": lease.tenant_id,
        "id": lease.id,
        "fence": lease.fence,
        "lost": lease.lost,
    }
    with connection.cursor() as cursor:
        cursor.execute(PUT_BACK, ours)


LEAVE = """
UPDATE destination SET open_at = greatest(asked_until, now())
WHERE tenant_id = %s AND key = %s AND (failures >= %s OR slow)
"""


def leave(lease: Lease) -> None:
    """Let another try the place: this one need not be sent after all."""
    with connection.cursor() as cursor:
        cursor.execute(LEAVE, [lease.tenant_id, lease.destination, BREAKS_AT])


@dataclass(frozen=True)
class Seen:
    """How one attempt at a place went. `wait`: seconds that it asked for."""

    milliseconds: int
    failed: bool = False
    wait: float | None = None
    why: str = ""


# Well again: what the trial kept closed is open, the rate still holds.
WELL = """
UPDATE destination SET failures = 0, slow = %(slow)s, why = '',
  open_at = greatest(asked_until, least(open_at,
    greatest(now(), paced_until - %(room)s * interval '1 second')))
WHERE tenant_id = %(tenant)s AND key = %(key)s
  AND (failures > 0 OR slow OR %(slow)s OR why <> '')
"""
SLOW = """
INSERT INTO destination (tenant_id, key, channel_id, slow)
VALUES (%(tenant)s, %(key)s, %(channel)s, true)
ON CONFLICT (tenant_id, key) DO NOTHING
"""
ILL = """
INSERT INTO destination AS x
  (tenant_id, key, channel_id, open_at, asked_until, failures, slow, why)
VALUES (%(tenant)s, %(key)s, %(channel)s,
  now() + coalesce(%(wait)s, 0) * interval '1 second',
  now() + coalesce(%(wait)s, 0) * interval '1 second',
  %(failed)s::int, %(slow)s, %(why)s)
ON CONFLICT (tenant_id, key) DO UPDATE SET
  failures = x.failures + %(failed)s::int, slow = %(slow)s, why = %(why)s,
  asked_until = greatest(x.asked_until,
    now() + coalesce(%(wait)s, 0) * interval '1 second'),
  open_at = greatest(x.asked_until, CASE
    WHEN %(wait)s::float8 IS NOT NULL THEN now() + %(wait)s * interval '1 second'
    WHEN x.failures + 1 >= %(breaks)s
      THEN now() + least(%(longest)s::float8,
        %(first)s * 2.0 ^ least(20, x.failures + 1 - %(breaks)s)) * interval '1 second'
    ELSE least(x.open_at, now() + %(first)s * interval '1 second') END)
"""


OWN_PACE = """
INSERT INTO destination (tenant_id, key, channel_id, pace)
VALUES (%(tenant)s, %(key)s, %(channel)s, %(pace)s)
ON CONFLICT (tenant_id, key) DO UPDATE SET pace = excluded.pace
WHERE destination.pace <> excluded.pace
"""


def note(lease: Lease, seen: Seen, *, rate: float | None = None) -> None:
    """Remember how it went there; in the transaction that settles the delivery.

    `rate`: messages a second that the channel's own settings allow, if they say.
    """
    if not lease.destination:
        return
    if rate:
        own: dict[str, Any] = {
            "tenant": lease.tenant_id,
            "key": lease.destination,
            "channel": lease.channel_id,
            "pace": 1 / rate,
        }
        with connection.cursor() as cursor:
            cursor.execute(OWN_PACE, own)
    module = channels().get(lease.channel_kind)
    spec = module.SPEC if module else None
    values: dict[str, Any] = {
        "tenant": lease.tenant_id,
        "key": lease.destination,
        "channel": lease.channel_id,
        "room": spec.pace * (spec.burst - 1) if spec else 0.0,
        "slow": seen.milliseconds >= SLOW_MILLISECONDS,
        "failed": seen.failed,
        "wait": seen.wait,
        "why": seen.why[:LONGEST_WHY],
        "breaks": BREAKS_AT,
        "first": FIRST_REST,
        "longest": LONGEST_REST,
    }
    with connection.cursor() as cursor:
        if seen.failed or seen.wait is not None:
            cursor.execute(ILL, values)
            return
        cursor.execute(WELL, values)
        if values["slow"] and not cursor.rowcount:
            cursor.execute(SLOW, values)
