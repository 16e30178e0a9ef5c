"""What is said when an alert begins to flap, and when it has calmed down?

Once each: the conversation gets a line, a person's mailbox a mail. Between the two the
group stays open, so no episode pages anybody (alertcenter.alerts.flapping).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from django.db.utils import InterfaceError, OperationalError

from alertcenter.alerts import flapping
from alertcenter.alerts.grouping import Regrouped
from alertcenter.common import tracing
from escalation import runs, threads
from notifications import outbox

log = logging.getLogger(__name__)


def tell_started(tenant_id: UUID, groups: Sequence[Regrouped]) -> set[UUID]:
    """Say which groups flap from now on; return their ids.

    A group that has just opened says so in its page.
    """
    begun = [item for item in groups if item.flaps and not item.opened]
    for item in begun:
        with tracing.bind(item.correlation_id):
            threads.refresh(
                tenant_id,
                [item.group],
                kind="flapping",
                actor="",
                data=item.flaps.data if item.flaps else {},
            )
    return {item.group.pk for item in begun}


def sweep(_tenants: Sequence[UUID] = ()) -> int:
    """Find what has calmed down, in the tenants of the context, and say so.

    Returns 0: what is left is looked at at the next interval, not at once.
    """
    for tenant_id, flappers in flapping.find_flappers().items():
        try:
            with transaction.atomic():
                tell_calm(tenant_id, flapping.calm(tenant_id, flappers))
        except (OperationalError, InterfaceError):
            raise
        except Exception:  # one tenant's trouble must not keep the others waiting
            log.exception("calm_failed", extra={"tenant": str(tenant_id)})
    return 0


def tell_calm(tenant_id: UUID, calmed: Sequence[flapping.Calmed]) -> None:
    """Say that groups are calm; runs end where nothing fires any more."""
    over = [item.group.pk for item in calmed if item.resolved]
    runs.stop(tenant_id, over)
    outbox.cancel_pages(tenant_id, over)
    for resolved in (False, True):
        groups = [item.group for item in calmed if item.resolved is resolved]
        threads.refresh(
            tenant_id, groups, kind="calm", actor="", data={"resolved": resolved}
        )
