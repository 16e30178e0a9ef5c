"""What would be made, changed and left if this alertmanager.yml were imported?

Pure: from what the file says and what the tenant has to a list of actions. What is
there already is recognised by what it means (a route by its place and conditions, a
channel by where it leads), so that the second import changes nothing. Nothing is ever
deleted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.utils.text import slugify
from django.utils.translation import gettext as _

from alertcenter.alerts.am_parts import Config, ReadInhibition, ReadInterval, Remark
from alertcenter.alerts.am_yaml import Path
from alertcenter.alerts.matchers import MatcherError, parse
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
from escalation.am_import.receivers import Carried, WantedChannel, carried
from escalation.am_import.tools import LEADS_BY
from escalation.am_import.tree import Tree
from notifications.models import Channel


def plan_of(config: Config, existing: Existing, *, replace: bool = False) -> Plan:
    """Return what an import would do; `replace`: the file's root may take the place
    of a default route that is another one."""
    plan = Plan(errors=list(config.errors), lost=list(config.remarks))
    if plan.errors:
        return plan
    plan_intervals(plan, config.intervals.values(), existing)
    plan_inhibitions(plan, config.inhibitions, existing)
    told = plan_channels(plan, config, existing)
    Tree(plan, config, existing, told).plan(replace=replace)
    return plan


# --- time intervals, by name ---


def plan_intervals(
    plan: Plan, wanted: Iterable[ReadInterval], existing: Existing
) -> None:
    known = {row.name: row for row in existing.intervals}
    for one in wanted:
        row = known.get(one.name)
        changes = []
        if row is not None and brief(row.times) != brief(one.times):
            changes = [_("other times")]
        values = {"name": one.name, "times": one.times}
        plan.actions.append(
            action("interval", row, one.name, one.path, values, changes)
        )


def brief(entry: Any) -> Any:
    """Return an entry of a time interval without its empty parts, all in texts."""
    if isinstance(entry, dict):
        return {key: brief(value) for key, value in entry.items() if value}
    if isinstance(entry, list):
        return [brief(value) for value in entry]
    return str(entry)


# --- inhibitions, by what they say ---


def plan_inhibitions(
    plan: Plan, wanted: Iterable[ReadInhibition], existing: Existing
) -> None:
    known = {
        sides(row.source_matchers, row.target_matchers, row.equal): row
        for row in existing.inhibitions
    }
    names = Names([row.name for row in existing.inhibitions])
    seen: set[Any] = set()
    for one in wanted:
        key = sides(one.source, one.target, one.equal)
        if key in seen:
            plan.lost.append(Remark(one.path, _("The same rule is there twice.")))
            continue
        seen.add(key)
        row = known.get(key)
        if row is not None:
            changes = [] if row.active else [_("switched on")]
            given = {"active": True}
            plan.actions.append(
                action("inhibition", row, row.name, one.path, given, changes)
            )
            continue
        said = _("%(source)s mutes %(target)s") % {
            "source": ", ".join(one.source) or "*",
            "target": ", ".join(one.target) or "*",
        }
        name = names.free(*filter(None, (one.name, said)))
        values = {
            "name": name,
            "source_matchers": one.source,
            "target_matchers": one.target,
            "equal": one.equal,
        }
        plan.actions.append(action("inhibition", None, name, one.path, values, []))


def sides(source: Sequence[Any], target: Sequence[Any], equal: Sequence[Any]) -> Any:
    """Return what makes two rules the same one."""
    return canonical(source), canonical(target), tuple(sorted(set(map(str, equal))))


def canonical(conditions: Sequence[Any]) -> tuple[str, ...]:
    """Return conditions in one notation and order."""
    found = set()
    for text in conditions:
        try:
            found.add(str(parse(str(text))))
        except MatcherError:
            found.add(str(text))
    return tuple(sorted(found))


# --- channels, by where they lead ---


def plan_channels(
    plan: Plan, config: Config, existing: Existing
) -> dict[str, tuple[Carried, list[Any]]]:
    """Plan the channels of all receivers; return each receiver's with their ids."""
    known = {
        place_of(row, existing.places.get(row.pk, "")): row
        for row in reversed(existing.channels)
    }
    slugs = Names([row.slug for row in existing.channels], longest=63)
    planned: dict[Any, Action] = {}
    told = {}
    for name, receiver in config.receivers.items():
        found = carried(receiver, config.settings)
        plan.lost += found.remarks
        ids = []
        for one in found.channels:
            key = (one.kind, one.place, one.settings["send_resolved"])
            made = planned.get(key)
            if made is None:
                made = planned[key] = channel_action(one, known.get(key), slugs)
                plan.actions.append(made)
                if made.row is not None and not made.row.active:
                    words = _("The channel %(name)s is switched off, and stays so.")
                    plan.untold.append(Remark(one.path, words % {"name": made.name}))
            ids.append(made.pk)
        told[name] = (found, list(dict.fromkeys(ids)))
    return told


def channel_action(one: WantedChannel, row: Channel | None, slugs: Names) -> Action:
    if row is not None:
        return action("channel", row, row.name, one.path, {}, [])
    slug = slugs.free(slugify(one.name)[:63] or one.kind, divider="-")
    values = {
        "kind": one.kind,
        "slug": slug,
        "name": one.name,
        "settings": dict(one.settings),
    }
    made = action("channel", None, one.name, one.path, values, [])
    made.secrets = one.secrets
    return made


def place_of(row: Channel, hidden: str) -> tuple[str, str, bool]:
    """Return where a channel leads, as receivers.WantedChannel says it; `hidden`: the
    fingerprint of the secret that says so, of kinds where one does."""
    settings = row.settings
    if row.kind == "email":
        addresses = {str(one).lower() for one in settings.get("to") or []}
        place = ",".join(sorted(addresses))
    elif row.kind in LEADS_BY:
        place = hidden
    else:
        given = (settings.get(name) for name in ("channel", "url", "chat_id"))
        place = str(next(filter(None, given), ""))
    return row.kind, place, settings.get("send_resolved") is not False


def action(
    kind: str,
    row: Any,
    name: str,
    path: Path,
    values: dict[str, Any],
    changes: list[str],
) -> Action:
    """Return what is done about one row: made, changed if it differs, or left."""
    if row is None:
        return Action(kind, CREATE, uuid7(), name, path, None, values)
    if not changes:
        return Action(kind, LEAVE, row.pk, name, path, row)
    return Action(kind, CHANGE, row.pk, name, path, row, values, changes=changes)
