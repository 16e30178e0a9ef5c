"""Which groups do the dashboard's tests look at?"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from itertools import count
from typing import Any
from uuid import UUID

from django.utils import timezone

from alertcenter.alerts.models import Group
from alertcenter.common.ids import uuid7

_numbers = count(1)


def make_group(tenant_id: UUID, **given: Any) -> Group:
    """Make one group; call it inside the tenant's context."""
    now = timezone.now()
    number = next(_numbers)
    values: dict[str, Any] = {
        "number": number,
        "key": hashlib.sha256(uuid7().bytes).hexdigest(),
        "state": "firing",
        "severity": 5,
        "title": f"DatabaseDown db-{number}",
        "labels": {"alertname": "DatabaseDown", "instance": f"db-{number}"},
        "opened_at": now - timedelta(minutes=number),
        "changed_at": now,
        "firing_count": 1,
        "alert_count": 1,
    }
    return Group.objects.create(tenant_id=tenant_id, **(values | given))
