"""How is a layer written so that whoever is on call stays so?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from alertcenter.common.ids import uuid7
from escalation import anchoring, layer_rows
from escalation.models import Layer, Turn
from escalation.shifts import Layer as Rotation


def stored(layer: Layer) -> Rotation:
    """Return a layer as it is in the database."""
    row = Layer.objects.select_related("schedule").get(pk=layer.pk)
    return rotation(row, turns_of(row))


def turns_of(layer: Layer) -> list[tuple[int, UUID]]:
    rows = Turn.objects.filter(tenant_id=layer.tenant_id, layer=layer)
    return list(rows.order_by("position", "id").values_list("position", "member_id"))


def rotation(
    row: Layer, turns: Iterable[tuple[int, UUID]], *, first: int | None = None
) -> Rotation:
    """Return a row with these turns as what is reckoned with."""
    if first is not None:
        row.first_turn = first
    zone = row.time_zone or row.schedule.time_zone
    return layer_rows.rotation(row, turns, zone)


def keep_on_call(layer: Layer, before: Rotation, now: datetime) -> None:
    """Write which turn comes first, so that who is on call now stays so."""
    layer.first_turn = 0
    first = anchoring.rebased(before, rotation(layer, turns_of(layer)), now)
    layer.first_turn = first
    Layer.objects.filter(tenant_id=layer.tenant_id, pk=layer.pk).update(
        first_turn=first
    )


def set_turns(layer: Layer, people: Sequence[Sequence[UUID]]) -> None:
    """Write who is on call together, turn by turn, in place of what there is."""
    Turn.objects.filter(tenant_id=layer.tenant_id, layer=layer).delete()
    places = [
        (position, member)
        for position, together in enumerate(people, 1)
        for member in together
    ]
    # Those of one moment are in no order: who is named first stays so by sorted ones.
    ids = sorted(uuid7() for _place in places)
    Turn.objects.bulk_create(
        Turn(
            id=pk,
            tenant_id=layer.tenant_id,
            layer=layer,
            member_id=member,
            position=position,
        )
        for pk, (position, member) in zip(ids, places, strict=True)
    )
