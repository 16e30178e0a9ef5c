"""When does a new alert get its name on the wire? Soon after it was accepted.

Off the road that senders wait on, and in a transaction of its own that holds the
alerts' locks for a moment only. While a storm's changes wait to be looked at, names
wait too. Until then whoever reads computes the name.
"""

from __future__ import annotations

from uuid import UUID

from django.db import connection

from alertcenter.alerts.fingerprint import fingerprint
from alertcenter.alerts.models import Alert

NAME = """
UPDATE alert SET fingerprint = x.name
FROM unnest(%s::uuid[], %s::text[]) AS x(id, name) WHERE alert.id = x.id
"""

# More waiting changes than this are a storm: pages first, names later.
STORM = 1_000
BUSY = "SELECT count(*) > %s FROM (SELECT FROM feed WHERE shard >= 0 LIMIT %s) f"


def name_quietly(tenant_ids: list[UUID]) -> int:
    """Name alerts unless there is something better to do."""
    with connection.cursor() as cursor:
        cursor.execute(BUSY, [STORM, STORM + 1])
        busy: bool = cursor.fetchone()[0]
    return 0 if busy else name_alerts(tenant_ids)


def name_alerts(tenant_ids: list[UUID], limit: int = 500) -> int:
    """Fill the fingerprints that are empty; return how many. Needs the context."""
    nameless = (
        Alert.objects.select_for_update(skip_locked=True)
        .filter(tenant_id__in=tenant_ids, fingerprint="")
        .order_by("tenant_id", "dedup_key")
        .values_list("pk", "labels")[:limit]
    )
    names = {pk: fingerprint(labels) for pk, labels in nameless}
    if names:
        with connection.cursor() as cursor:
            cursor.execute(NAME, [list(names), list(names.values())])
    return len(names)
