"""How does an alert of our own come in, in the transaction of what causes it?

By the senders' own statement and after the tenant's rules, but not through the writer:
what is remembered and what is told commit together, or not at all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from django.db import connection

from alertcenter.alerts.events import Event
from alertcenter.alerts.lifecycle import WAKE
from alertcenter.alerts.models import Rule
from alertcenter.alerts.rows import Row, as_payload, prepare
from alertcenter.alerts.rules import Rules, compile_rules
from alertcenter.alerts.upsert import ACCEPT
from alertcenter.alerts.waiting import Accepted, Job, Outcome
from alertcenter.common import tracing

STATEMENT = ACCEPT.replace("%", "%%").replace("$1", "%s::jsonb")


def accept(events: Sequence[tuple[UUID, Event]], *, scope: str) -> None:
    """Take (tenant, event) pairs, no key twice. Needs the context of the tenants.

    Times of the database hold, those of this transaction.
    """
    by_tenant: dict[UUID, list[Event]] = defaultdict(list)
    for tenant_id, event in events:
        by_tenant[tenant_id].append(event)
    rows: list[Row] = []
    for tenant_id, mine in by_tenant.items():
        job = Job(tenant_id, scope, mine, range(len(mine)), tracing.current(), ignored)
        rows += prepare(job, rules_of(tenant_id)).rows
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(STATEMENT, [as_payload(rows)])
        cursor.execute(WAKE)


def rules_of(tenant_id: UUID) -> Rules:
    """Return the tenant's rules as they stand."""
    rows = Rule.objects.filter(tenant_id=tenant_id, active=True)
    columns = ("matchers", "drop", "set_severity", "set_labels")
    ordered = rows.order_by("position", "name").values_list(*columns)
    return compile_rules(list(ordered))


def ignored(_outcome: Outcome | Accepted) -> None:
    """Nobody waits for an answer: the caller's commit is the answer."""
