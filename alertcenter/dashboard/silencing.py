"""What do people silence from the dashboard, which silences hold, and how do they end?

All of it goes through alertcenter.alerts.silences, in the tenant's context.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import Http404
from django.utils.translation import gettext as _

from alertcenter.alerts import lifecycle, silence_presets, silences
from alertcenter.alerts.models import Group, GroupAlert, Silence
from alertcenter.alerts.silence_drafts import check_matchers, read_matchers
from alertcenter.alerts.silence_presets import Muted
from alertcenter.alerts.silence_preview import preview
from alertcenter.alerts.silences import Draft, SilenceError, draft_of
from tenants import roles
from tenants.access import Membership

MOST_LISTED = 200
MOST_MEMBERS = 500
MOST_EXAMPLES = 5
LONGEST_TEXT = 20_000
# What "longer" adds, by the button's name.
LONGER = {"1h": timedelta(hours=1), "4h": timedelta(hours=4), "1d": timedelta(days=1)}

Told = dict[str, Any]


@dataclass(frozen=True)
class Listed:
    """One silence as the page shows it."""

    silence: Silence
    state: str
    muted: Muted


def listed(tenant_id: UUID) -> tuple[list[Listed], bool]:
    """Return what is active or pending, the next to end first, and whether there is
    more."""
    now = lifecycle.database_time()
    rows = Silence.objects.filter(
        silence_presets.unexpired(now), tenant_id=tenant_id
    ).select_related("owner", "route")
    found = list(rows.order_by("ends_at", "id")[: MOST_LISTED + 1])
    muted = silence_presets.muted_by(tenant_id, [row.pk for row in found])
    shown_rows = [
        Listed(row, silences.state_of(row, now), muted.get(row.pk, Muted()))
        for row in found[:MOST_LISTED]
    ]
    shown_rows.sort(key=lambda one: one.state != silences.ACTIVE)  # stable
    return shown_rows, len(found) > MOST_LISTED


def of_group(group: Group) -> list[Silence]:
    """Return the silences that keep alerts of a group quiet now."""
    members = GroupAlert.objects.filter(
        tenant_id=group.tenant_id, group=group, left_at=None
    ).exclude(silenced_by=[])
    ids = {
        pk
        for marks in members.values_list("silenced_by", flat=True)[:MOST_MEMBERS]
        for pk in marks
    }
    rows = Silence.objects.filter(tenant_id=group.tenant_id, pk__in=ids)
    return list(rows.order_by("ends_at", "id")[:20])


# --- what the dialog asks ---


def proposal(tenant_id: UUID, numbers: Sequence[int]) -> Told:
    """Return the conditions that fit all firing alerts of these groups. Of one group,
    its id too: the silence may hold in that alone. Raises Http404."""
    rows = Group.objects.filter(tenant_id=tenant_id, number__in=numbers)
    ids = list(rows.values_list("pk", flat=True))
    if not ids:
        raise Http404
    matchers = silence_presets.shared(tenant_id, ids)
    told: Told = {"group": str(ids[0]) if len(ids) == 1 else "", "matchers": matchers}
    if not matchers:
        told["sentence"] = _(
            "These alerts have no label in common: write the conditions yourself, or "
            "choose fewer groups."
        )
    return told


def previewed(who: Membership, given: Mapping[str, Any]) -> Told:
    """Say what such a silence would mute. Changes nothing."""
    texts = lines_of(given)
    try:
        check_matchers(read_matchers(texts))
    except SilenceError as error:
        return {"sentence": error.message, "alarming": True, "examples": []}
    found = preview(who.tenant_id, texts, group_id=group_of(given))
    return {
        "sentence": silence_presets.preview_words(found),
        "alarming": found.now.is_broad,
        "examples": [one.title for one in found.now.examples[:MOST_EXAMPLES]],
    }


def silence(who: Membership, given: Mapping[str, Any]) -> Told:
    """Keep what the dialog asks for, or say why not."""
    who.require(roles.ACT)
    comment = str(given.get("comment", "")).strip()
    if not comment:
        return {"error": "comment", "sentence": _("Say why.")}
    now = lifecycle.database_time()
    try:
        draft = Draft(
            lines_of(given),
            end_of(who, str(given.get("lasting", "")), now),
            comment=comment,
            until_gone=bool(given.get("until_gone")),
            group_id=group_of(given),
        )
        confirm = bool(given.get("confirm"))
        row = silences.save(who.tenant_id, draft, actor=who.actor, confirm=confirm)
    except SilenceError as error:
        return {"error": error.code, "sentence": error.message}
    return {"id": str(row.pk), "ends_at": row.ends_at.isoformat()}


def lines_of(given: Mapping[str, Any]) -> list[str]:
    text = str(given.get("matchers", ""))[:LONGEST_TEXT]
    return [line.strip() for line in text.splitlines() if line.strip()]


def group_of(given: Mapping[str, Any]) -> UUID | None:
    """Return the one group that it shall hold in; a text that is no id is none."""
    try:
        return UUID(str(given["group"])) if given.get("group") else None
    except ValueError:
        raise SilenceError("scope", _("There is no such group.")) from None


def end_of(who: Membership, preset: str, start: datetime) -> datetime:
    try:
        return silence_presets.end_of(preset, start, ZoneInfo(who.time_zone or "UTC"))
    except KeyError:
        raise SilenceError("order", _("Say for how long.")) from None


# --- what the list's buttons do ---


def expire(who: Membership, pk: UUID) -> None:
    """End it now. Raises Http404."""
    who.require(roles.ACT)
    try:
        silences.expire(who.tenant_id, pk, actor=who.actor)
    except SilenceError as error:
        raise Http404 from error


def extend(who: Membership, pk: UUID, longer: str) -> str:
    """Let it hold longer; return in words what became of it. Raises Http404."""
    who.require(roles.ACT)
    row = Silence.objects.filter(tenant_id=who.tenant_id, pk=pk).first()
    if row is None:
        raise Http404
    if longer not in LONGER:
        return _("Say for how long.")
    if row.ends_at <= lifecycle.database_time():
        return _("It has ended already.")
    draft = replace(draft_of(row), ends_at=row.ends_at + LONGER[longer])
    try:
        silences.save(
            who.tenant_id, draft, actor=who.actor, silence_id=pk, confirm=True
        )
    except SilenceError as error:
        return error.message
    return _("It holds longer.")
