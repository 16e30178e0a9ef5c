"""How many of these may a tenant have? All limits of schedules, policies and people.

`ask_room` is asked by a model's `clean`, so by every form and every interface. They are
far above what people need: they keep one tenant's mistake, or a script's, from being
everybody's trouble.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from django.db.models import Model
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

# Of a tenant.
MOST_SCHEDULES = 2_000
MOST_POLICIES = 1_000
MOST_TEAMS = 500
MOST_IMPORTS = 500
# Of a tenant, with those that are over; there is room again when old ones are deleted.
MOST_KEPT = 100_000
# Of a schedule.
MOST_LAYERS = 50
MOST_IMPORTS_OF_ONE = 10
# Of a schedule, and of a member (absences), that are not over yet.
MOST_COMING = 500
# Of a layer: turns, members of one turn, and both together.
MOST_TURNS, MOST_TOGETHER, MOST_PLACES = 200, 20, 500
# Of a temporary schedule.
MOST_SHIFTS = 500
# Of a policy; a run's snapshot holds no more.
MOST_STEPS = 100
# Of a team.
MOST_TEAM_MEMBERS = 200

TOO_MANY = _("There are %(most)s already, and no more may be. Delete some first.")
COMING = _("There are %(most)s already that are not over yet, and no more may be.")


class Bound(NamedTuple):
    """At most so many rows for each value of the column `of` ("" for a tenant)."""

    most: int
    of: str = ""
    coming: bool = False  # only such as are not over yet
    by_hand: bool = False  # only such as were not read from a calendar


KEPT = Bound(MOST_KEPT)
OF_SCHEDULE = Bound(MOST_COMING, "schedule_id", coming=True)

# By the name of the table.
BOUNDS = {
    "schedule": (Bound(MOST_SCHEDULES),),
    "layer": (Bound(MOST_LAYERS, "schedule_id"),),
    "policy": (Bound(MOST_POLICIES),),
    "team": (Bound(MOST_TEAMS),),
    "calendar_import": (Bound(MOST_IMPORTS), Bound(MOST_IMPORTS_OF_ONE, "schedule_id")),
    "schedule_override": (KEPT, OF_SCHEDULE),
    "temporary_schedule": (KEPT, OF_SCHEDULE),
    "shift_swap": (KEPT, OF_SCHEDULE),
    "absence": (
        KEPT._replace(by_hand=True),
        Bound(MOST_COMING, "member_id", coming=True, by_hand=True),
    ),
}


def ask_room(row: Model) -> None:
    """Raise ValidationError if a new row would be one too many."""
    if not row._state.adding:
        return
    tenant_id: Any = getattr(row, "tenant_id", None)
    for bound in BOUNDS.get(row._meta.db_table, ()):
        wanted: dict[str, Any] = {"tenant_id": tenant_id}
        if bound.of:
            wanted[bound.of] = getattr(row, bound.of)
        if None in wanted.values():
            continue  # a form says of the field what is wrong
        if bound.coming:
            wanted["ends_at__gt"] = Now()
        if bound.by_hand:
            wanted["uid"] = ""
        rows = type(row)._default_manager.filter(**wanted)
        if rows.count() >= bound.most:
            message = COMING if bound.coming else TOO_MANY
            raise ValidationError(message, "too_many", {"most": bound.most})
