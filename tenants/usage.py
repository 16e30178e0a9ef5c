"""How much did this tenant send?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db.models import Sum
from django.db.models.functions import Now

from tenants.models.usage import Usage


@dataclass(frozen=True)
class Use:
    """Events that were taken, and requests that were refused as too many."""

    events: int = 0
    refused: int = 0


def last_day(tenant_id: UUID) -> Use:
    """Return the use of the last 24 hours, to the hour. Needs the context."""
    rows = Usage.objects.filter(
        tenant_id=tenant_id, hour__gt=Now() - timedelta(hours=24)
    )
    told = rows.aggregate(events=Sum("events"), refused=Sum("refused"))
    return Use(told["events"] or 0, told["refused"] or 0)
