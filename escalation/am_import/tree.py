"""What becomes of the routes of alertmanager.yml?

A route that is there already is known by its place in the tree and its conditions. Its
policy is a person's work and stays; whom a receiver tells that could not be carried
over stays as well.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from alertcenter.alerts.am_config import own_receiver
from alertcenter.alerts.am_parts import Config, ReadRoute, Remark
from alertcenter.alerts.durations import written
from alertcenter.alerts.matchers import MatcherError, parse
from alertcenter.alerts.models import Route
from alertcenter.alerts.routing import (
    INTERVAL_SECONDS,
    REPEAT_SECONDS,
    WAIT_SECONDS,
)
from alertcenter.common.ids import uuid7
from escalation.am_import.actions import (
    CHANGE,
    CREATE,
    LEAVE,
    Action,
    Existing,
    Names,
    Plan,
)
from escalation.am_import.receivers import Carried

TIMERS = {
    "group_wait_seconds": WAIT_SECONDS,
    "group_interval_seconds": INTERVAL_SECONDS,
    "repeat_interval_seconds": REPEAT_SECONDS,
}
ROOT, UNNAMED = "default", "route"


class Tree:
    """Compares the file's tree with the tenant's."""

    def __init__(
        self,
        plan: Plan,
        config: Config,
        existing: Existing,
        told: Mapping[str, tuple[Carried, list[UUID]]],
    ) -> None:
        self.out = plan
        self.config = config
        self.told = told
        self.channels_of = existing.channels_of
        self.places = {row.pk: row.name for row in existing.channels}
        self.places |= {a.pk: a.name for a in plan.actions if a.kind == "channel"}
        self.names = Names([row.name for row in existing.routes])
        self.default = next((row for row in existing.routes if row.is_default), None)
        top = self.default.pk if self.default else None
        self.below: dict[UUID | None, list[Route]] = defaultdict(list)
        for row in existing.routes:
            if not row.is_default:
                parent = row.parent_id
                self.below[None if parent == top else parent].append(row)

    def plan(self, *, replace: bool) -> None:
        """Add what is done about each route, parents first."""
        root, row = self.config.route, self.default
        other = row is not None and self.receiver_of(row) != root.receiver
        wanted = self.fields(root) | self.tells(root, None if other else row)
        wanted["is_default"] = True
        if other:
            wanted["policy_id"] = None
        made = self.add(root, row, wanted, (ROOT, root.receiver))
        if row is not None and made.verdict == CHANGE and not replace:
            words = _(
                "There is a default route, %(name)s, which is another one: "
                "%(changes)s. Say --replace, or tick the box, to let this one take "
                "its place."
            )
            said = {"name": row.name, "changes": "; ".join(made.changes)}
            self.out.errors.append(Remark(root.path, words % said))
        self.children(root, None, made)

    def children(self, route: ReadRoute, key: UUID | None, parent: Action) -> None:
        """Plan the routes below one; `key` is what the rows below it name."""
        at_top = parent.values.get("is_default") or getattr(
            parent.row, "is_default", False
        )
        rows = list(self.below.get(key, ())) if at_top or key else []
        for number, child in enumerate(route.children, 1):
            row = next((one for one in rows if same(one, child)), None)
            if row is not None:
                rows.remove(row)
            wanted = self.fields(child) | self.tells(child, row)
            wanted["position"] = number
            wanted["continue_matching"] = child.continues
            if row is None:
                wanted["matchers"] = child.matchers
                wanted["parent_id"] = None if at_top else parent.pk
            made = self.add(child, row, wanted, self.name_wishes(child))
            self.children(child, row.pk if row else None, made)
        self.leave(rows, route, len(route.children))

    def name_wishes(self, route: ReadRoute) -> tuple[str, ...]:
        said = ", ".join(route.matchers)
        wishes = (route.receiver, said, f"{route.receiver} {said}".strip())
        return tuple(filter(None, wishes)) or (UNNAMED,)

    def leave(self, rows: Sequence[Route], route: ReadRoute, count: int) -> None:
        """Say of routes that the file does not have that they stay."""
        for row in rows:
            action = Action("route", LEAVE, row.pk, row.name, (), row)
            action.changes = [_("not in the file")]
            self.out.actions.append(action)
            if row.active and row.position <= count:
                words = _(
                    "The route %(name)s is not in the file, stays, and is tried among "
                    "those of the file: it may take their alerts."
                )
                self.out.lost.append(Remark(route.path, words % {"name": row.name}))

    # --- one route ---

    def fields(self, route: ReadRoute) -> dict[str, Any]:
        """Return what the file wants of the fields that every route has."""
        return {
            "active": True,
            "group_by": route.group_by,
            "group_wait_seconds": route.wait,
            "group_interval_seconds": route.interval,
            "repeat_interval_seconds": route.repeat,
            "mute_intervals": route.mute,
            "active_intervals": route.active,
            "labels": route.labels,
            "receiver": route.receiver,
        }

    def tells(self, route: ReadRoute, row: Route | None) -> dict[str, Any]:
        """Return whom a route tells, and say so where that is nobody.

        `row` is the route that is there, if it is to keep what the file lacks.
        """
        before = list(self.channels_of.get(row.pk, ())) if row else []
        policy = row is not None and row.policy_id is not None
        receiver, ids = self.told.get(route.receiver, (Carried(), []))
        if row and policy and (ids or not route.receiver):
            words = _("The route %(name)s keeps its policy, which is followed as well.")
            self.out.lost.append(Remark(route.path, words % {"name": row.name}))
        if not route.receiver:
            return {"channels": [], "tells_nobody": False}
        if ids and receiver.complete:
            return {"channels": ids, "tells_nobody": False}
        if ids:
            both = list(dict.fromkeys([*before, *ids]))
            return {"channels": both, "tells_nobody": False}
        if receiver.integrations and (before or policy):
            return {"channels": before, "tells_nobody": False}
        if not policy:
            if receiver.integrations:
                words = _(
                    "Nobody would be told of these alerts: nothing that the receiver "
                    "%(name)s tells could be carried over. Give the route a policy or "
                    "a channel."
                )
            else:
                words = _("Nobody is told of these alerts: %(name)s is empty.")
            said = words % {"name": route.receiver}
            self.out.untold.append(Remark((*route.path, "receiver"), said))
        return {"channels": [], "tells_nobody": not policy}

    def add(
        self,
        route: ReadRoute,
        row: Route | None,
        wanted: dict[str, Any],
        wishes: tuple[str, ...],
    ) -> Action:
        channels = wanted.pop("channels")
        if row is None:
            wanted["name"] = self.names.free(*wishes)
            made = Action("route", CREATE, uuid7(), wanted["name"], route.path)
            made.values, made.channels = wanted, channels
        else:
            made = self.compared(route, row, wanted, channels)
        self.out.actions.append(made)
        return made

    def compared(
        self, route: ReadRoute, row: Route, wanted: dict[str, Any], channels: list[UUID]
    ) -> Action:
        before = list(self.channels_of.get(row.pk, ()))
        changes, values = [], {}
        for name, value in wanted.items():
            held = self.held(row, name)
            if name == "receiver" and not value:
                held = row.receiver  # named itself, as its policy speaks
            if held != value:
                values[name] = value
                changes.append(f"{name}: {shown(name, held)} → {shown(name, value)}")
        made = Action("route", LEAVE, row.pk, row.name, route.path, row)
        if set(before) != set(channels):
            made.channels = channels
            was, will = (
                ", ".join(sorted(self.places.get(pk, "?") for pk in ids)) or "-"
                for ids in (before, channels)
            )
            changes.append(f"channels: {was} → {will}")
        if changes:
            made.verdict, made.values, made.changes = CHANGE, values, changes
        return made

    def held(self, row: Route, name: str) -> Any:
        """Return what a route has, so that it can be compared with the file's."""
        value = getattr(row, name)
        if name == "receiver":
            return self.receiver_of(row)
        if row.is_default and name in TIMERS and value is None:
            return TIMERS[name]
        if row.is_default and name == "group_by":
            return value or []
        return value

    def receiver_of(self, row: Route) -> str:
        return own_receiver(row, has_channels=bool(self.channels_of.get(row.pk)))


def same(row: Route, route: ReadRoute) -> bool:
    """Whether a row has the conditions of the file's route."""
    return {normal(text) for text in row.matchers} == set(route.matchers)


def normal(text: object) -> str:
    """Return a condition in the notation that the reader of files uses."""
    try:
        return str(parse(str(text)))
    except MatcherError:
        return str(text)


def shown(name: str, value: Any) -> str:
    """Return a field's value for a line of the plan."""
    if name == "policy_id":
        return _("a policy") if value else "-"
    if value is None:
        return _("inherited")
    if name in TIMERS:
        return written(value)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "-"
    if isinstance(value, dict):
        return ", ".join(f"{key}={inner}" for key, inner in value.items()) or "-"
    return str(value) or "-"
