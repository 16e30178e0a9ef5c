"""Silences for tests: made, swept; alerts that fire now, grouped and marked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from alertcenter import flow
from alertcenter.alerts import silences
from alertcenter.alerts.models import GroupAlert, Route, Silence
from alertcenter.alerts.silences import Draft
from tenants.actors import MEMBER, Actor
from tenants.rls import in_tenant
from tests.cast import Cast
from tests.conftest import login_as
from tests.sending import Sender


def moment(minutes: float = 0) -> datetime:
    return datetime.now(UTC) + timedelta(minutes=minutes)


def bob(cast: Cast) -> Actor:
    return Actor(MEMBER, str(cast.members["bob"].pk), "Bob")


def draft(*matchers: str, **values: Any) -> Draft:
    """A silence of an hour from now."""
    given: dict[str, Any] = {"ends_at": moment(60), "comment": "test"} | values
    return Draft(list(matchers) or ['alertname="DiskFull"'], **given)


def save(cast: Cast, wanted: Draft, **more: Any) -> Silence:
    with in_tenant(cast.id):
        return silences.save(cast.id, wanted, actor=bob(cast), **more)


def expire(cast: Cast, pk: UUID) -> Silence:
    with in_tenant(cast.id):
        return silences.expire(cast.id, pk, actor=bob(cast))


def again(row: Silence) -> Silence:
    """Return the row as it stands."""
    with in_tenant(row.tenant_id):
        return Silence.objects.get(pk=row.pk)


def routed(cast: Cast, **values: Any) -> Route:
    """One route for everything, which groups by alertname."""
    with in_tenant(cast.id):
        return Route.objects.create(
            tenant_id=cast.id,
            name="all",
            is_default=True,
            group_by=["alertname"],
            group_wait_seconds=0,
            **values,
        )


def alert(name: str = "DiskFull", minutes: float = -1, **labels: str) -> dict[str, Any]:
    """An alert that fires since so many minutes ago."""
    return {
        "labels": {"alertname": name} | labels,
        "startsAt": moment(minutes).isoformat(),
        "endsAt": moment(30).isoformat(),
    }


def ended(name: str = "DiskFull", minutes: float = 0, **labels: str) -> dict[str, Any]:
    """The same, resolved so long ago."""
    return alert(name, -1, **labels) | {"endsAt": moment(minutes).isoformat()}


def fire(cast: Cast, send: Sender, *alerts: dict[str, Any]) -> None:
    """Send them, and let the engine group and mark them."""
    send.prometheus(cast.id, *alerts)
    follow()


def follow() -> None:
    connection.close()
    with login_as("engine"):
        while flow.process_feed():
            pass


def marked(cast: Cast) -> dict[str, list[UUID]]:
    """Return which silences are marked on each firing alert, by its labels."""
    with in_tenant(cast.id):
        rows = GroupAlert.objects.filter(left_at=None).select_related("alert")
        return {name_of(row.alert.labels): list(row.silenced_by) for row in rows}


def quiet(cast: Cast) -> list[str]:
    """Return the alerts that are silenced, by name."""
    return sorted(name for name, ids in marked(cast).items() if ids)


def name_of(labels: dict[str, str] | str) -> str:
    labels = json.loads(labels) if isinstance(labels, str) else labels
    return ",".join(value for _name, value in sorted(labels.items()))


def states(rows: Sequence[Silence], now: datetime | None = None) -> list[str]:
    return [silences.state_of(row, now or moment()) for row in rows]
