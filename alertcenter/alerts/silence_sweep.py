"""Which silences begin, end or are to be forgotten now? Asked by the engine.

A silence's next change is a time in its row; who claims it notes how it stands, sets
or lifts its marks in the same transaction, and tells when somebody wants to be
reminded of its end. Silences that end with their alerts are looked at beside that.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from django.db.utils import InterfaceError, OperationalError

from alertcenter.alerts import lifecycle, quiet, requiet, silences
from alertcenter.alerts.models import Silence
from alertcenter.alerts.silences import KEPT, reckon, reminder_at
from tenants import access
from tenants.actors import THE_ENGINE
from tenants.rls import in_tenant, tenant_context

log = logging.getLogger(__name__)

AT_ONCE = 200
WRITTEN = ("in_force", "next_change_at", "reminded_at")

Remind = Callable[[Silence], None]

DUE = "SELECT DISTINCT tenant_id FROM silence WHERE next_change_at <= now()"
LEAVING = "SELECT DISTINCT tenant_id FROM silence WHERE until_gone AND in_force"


def sweep(remind: Remind, limit: int = AT_ONCE) -> int:
    """Do what is due, a transaction for each tenant; return how much it was.

    `remind` tells people, in the transaction that notes that they were told.
    """
    return _each(_tenants(DUE), lambda pk: sweep_tenant(pk, remind, limit))


def sweep_tenant(tenant_id: UUID, remind: Remind, limit: int = AT_ONCE) -> int:
    """Do what is due in one tenant (needs its context)."""
    # Before any row, as whoever saves a silence.
    quiet.lock(tenant_id)
    now = lifecycle.database_time()
    due = Silence.objects.filter(tenant_id=tenant_id, next_change_at__lte=now)
    rows = list(
        due.select_for_update(skip_locked=True).order_by("next_change_at")[:limit]
    )
    old = [row.pk for row in rows if row.ends_at + KEPT <= now]
    if old:
        Silence.objects.filter(tenant_id=tenant_id, pk__in=old).delete()
    looked = [row for row in rows if row.ends_at + KEPT > now]
    turned = []
    for row in looked:
        before = row.in_force
        _remind_of(row, now, remind)
        reckon(row, now)
        row.save(update_fields=WRITTEN)
        if row.in_force != before or row.ends_at <= now:
            turned.append(row.pk)
    if turned:
        requiet.refresh(tenant_id, turned)
    return len(rows)


def _remind_of(row: Silence, now: datetime, remind: Remind) -> None:
    """Tell once that it ends; one that nobody can be told of must not stop others."""
    at = reminder_at(row)
    if at is None or at > now or row.ends_at <= now:
        return
    row.reminded_at = now
    try:
        with transaction.atomic():
            remind(row)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        log.exception("silence_not_reminded", extra={"tenant": str(row.tenant_id)})


def end_gone() -> int:
    """End what is to end with its alerts and mutes none any more; return how many."""
    return _each(_tenants(LEAVING), end_gone_of)


def end_gone_of(tenant_id: UUID) -> int:
    """The same in one tenant (needs its context)."""
    now = lifecycle.database_time()
    rows = Silence.objects.filter(
        tenant_id=tenant_id, until_gone=True, in_force=True, ends_at__gt=now
    )
    muted_at = dict(rows.values_list("pk", "muted_at"))
    muting = silences.muting(tenant_id, list(muted_at))
    silences.note_muting(tenant_id, [pk for pk in muting if muted_at[pk] is None])
    over = [pk for pk, muted in muted_at.items() if muted and pk not in muting]
    for pk in over:
        silences.expire(tenant_id, pk, actor=THE_ENGINE)
    return len(over)


def _each(tenants: Sequence[UUID], work: Callable[[UUID], int]) -> int:
    """Do it in each tenant; one tenant's trouble must not keep the others waiting."""
    done = 0
    for tenant_id in tenants:
        try:
            with in_tenant(tenant_id):
                done += work(tenant_id)
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            log.exception("silences_not_swept", extra={"tenant": str(tenant_id)})
    return done


def _tenants(query: str) -> list[UUID]:
    """Return the tenants that have something to do."""
    with transaction.atomic():
        every = [tenant_id for tenant_id, _ in access.tenants()]
        with tenant_context(*every), connection.cursor() as cursor:
            cursor.execute(query)
            return [row[0] for row in cursor.fetchall()]
