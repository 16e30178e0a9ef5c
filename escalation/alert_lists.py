"""Which alerts does a group hold, for a file that a message brings along?"""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.db import connection

from alertcenter.alerts.severity import NAMES

# The worst first, and what still fires before what is over; as messages.WORST.
ALL = """
SELECT a.title, a.severity, a.state, a.labels::text, a.annotations::text, a.link,
  a.starts_at
FROM group_alert m CROSS JOIN LATERAL (
  SELECT * FROM alert WHERE tenant_id = m.tenant_id AND id = m.alert_id OFFSET 0) a
WHERE m.tenant_id = %s AND m.group_id = %s
ORDER BY m.left_at IS NOT NULL, a.severity DESC, m.joined_at
LIMIT %s
"""


def rows(tenant_id: UUID, group_id: UUID, most: int) -> list[dict[str, Any]]:
    """Return the group's alerts as plain values; in the tenant's context."""
    with connection.cursor() as cursor:
        cursor.execute(ALL, [tenant_id, group_id, most])
        return [_row(*values) for values in cursor.fetchall()]


def _row(
    title: str,
    severity: int,
    state: str,
    labels: str,
    annotations: str,
    link: str,
    starts_at: Any,
) -> dict[str, Any]:
    return {
        "title": title,
        "severity": NAMES.get(severity, str(severity)),
        "state": state,
        "starts_at": starts_at.isoformat(),
        "summary": str((json.loads(annotations) or {}).get("summary", "")),
        "link": link,
        "labels": json.loads(labels),
    }
