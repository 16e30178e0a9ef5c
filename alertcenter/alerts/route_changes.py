"""What must hold when routes are written, and what is to be done before one goes?

Writers of one tenant's routes take turns: else two of them, each moving one route below
the other, would make a circle that neither of them sees, and which no alert reaches.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db import connection
from django.utils.translation import gettext as _

from alertcenter.alerts import lifecycle, quiet, silences
from alertcenter.alerts.models import Route, Silence, Storm
from tenants.actors import Actor

LOCK_CLASS = 4_245


def take_turn(tenant_id: UUID) -> None:
    """Wait until no other transaction writes this tenant's routes."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s, hashtext(%s))",
            [LOCK_CLASS, str(tenant_id)],
        )


def with_those_below(tenant_id: UUID, route_ids: Iterable[UUID]) -> set[UUID]:
    """Return these routes and all that would go with them."""
    pairs = list(Route.objects.filter(tenant_id=tenant_id).values_list("pk", "parent"))
    found, waiting = set(route_ids), list(route_ids)
    while waiting:
        one = waiting.pop()
        below = {pk for pk, parent in pairs if parent == one} - found
        found |= below
        waiting += below
    return found


def what_forbids(tenant_id: UUID, route_ids: Iterable[UUID]) -> list[str]:
    """Return in sentences why these routes cannot be deleted now."""
    storms = Storm.objects.filter(
        tenant_id=tenant_id,
        route_id__in=with_those_below(tenant_id, route_ids),
        closed_at=None,
    )
    words = _(
        "%(name)s is in a storm, which holds its groups: switch the route off, and "
        "delete it when the storm is over."
    )
    names = storms.order_by("route__name").values_list("route__name", flat=True)
    return [words % {"name": name} for name in dict.fromkeys(names)]


def let_go(tenant_id: UUID, route_ids: Iterable[UUID], *, actor: Actor) -> None:
    """End the silences that hold on these routes only: they go with them, and what
    they kept quiet is heard."""
    take_turn(tenant_id)
    quiet.lock(tenant_id)
    scoped = Silence.objects.filter(
        tenant_id=tenant_id,
        route_id__in=with_those_below(tenant_id, route_ids),
        ends_at__gt=lifecycle.database_time(),
    )
    for pk in scoped.order_by("pk").values_list("pk", flat=True):
        silences.expire(tenant_id, pk, actor=actor)
