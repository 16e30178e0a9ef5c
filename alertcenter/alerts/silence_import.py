"""How do silences come over from an Alertmanager? From the JSON of its own amtool.

`amtool silence query -o json` writes a list of what /api/v2/silences answers, and
`amtool silence import` reads the same. A silence gets a new id here; it is known again
by its conditions, times, author and reason, so that a second import makes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from django.db import transaction
from django.utils.translation import gettext as _

from alertcenter.alerts import lifecycle, silences
from alertcenter.alerts.am_notation import condition
from alertcenter.alerts.matchers import MatcherError, parse
from alertcenter.alerts.models import Silence
from alertcenter.alerts.models.conditions import explained
from alertcenter.alerts.silence_drafts import Draft, SilenceError, checked
from tenants.actors import Actor

LARGEST = 8_000_000
MOST = 2_000
CREATE, LEAVE, SKIP = "create", "leave", "skip"
OPERATORS = {
    (True, False): "=",
    (False, False): "!=",
    (True, True): "=~",
    (False, True): "!~",
}


@dataclass(frozen=True)
class Item:
    """What becomes of one silence of the file."""

    place: int
    verdict: str
    draft: Draft


@dataclass
class SilencePlan:
    """What an import would do. With errors, (path, sentence), nothing is done."""

    items: list[Item] = field(default_factory=list)
    errors: list[tuple[str, str]] = field(default_factory=list)


class Unreadable(ValueError):
    """A part of a silence that is not what it must be; `path` within the silence."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(message)
        self.path = path


def planned(tenant_id: UUID, body: bytes) -> SilencePlan:
    """Return what importing would do (needs the tenant's context)."""
    plan = SilencePlan()
    try:
        given = listed(body)
    except Unreadable as error:
        plan.errors.append((error.path, str(error)))
        return plan
    now = lifecycle.database_time()
    known = {key_of(row, now) for row in Silence.objects.filter(tenant_id=tenant_id)}
    for place, one in enumerate(given):
        try:
            draft = draft_from(one)
            key, verdict = key_of(draft, now), CREATE
            if draft.ends_at <= now:
                verdict = SKIP
            elif key in known:
                verdict = LEAVE
            else:
                checked(tenant_id, draft, now)
                known.add(key)
            plan.items.append(Item(place, verdict, draft))
        except Unreadable as error:
            plan.errors.append((f"[{place}]{error.path}", str(error)))
        except SilenceError as error:
            plan.errors.append((f"[{place}]", error.message))
    return plan


def carry_out(
    tenant_id: UUID, body: bytes, *, actor: Actor, confirm: bool = False
) -> SilencePlan:
    """Import; return what was done: all of it, or with errors nothing.

    Needs a transaction in the tenant's context. `confirm`: also those that would mute
    over half of what is open.
    """
    plan = planned(tenant_id, body)
    if plan.errors:
        return plan
    try:
        with transaction.atomic():
            for item in plan.items:
                if item.verdict == CREATE:
                    keep(tenant_id, item, actor, confirm=confirm)
    except Unreadable as error:
        plan.errors.append((error.path, str(error)))
    return plan


def keep(tenant_id: UUID, item: Item, actor: Actor, *, confirm: bool) -> None:
    """Keep one silence. Raises Unreadable with its place, to undo those before it."""
    try:
        silences.save(tenant_id, item.draft, actor=actor, confirm=confirm)
    except SilenceError as error:
        raise Unreadable(f"[{item.place}]", error.message) from error


def key_of(one: Draft | Silence, now: datetime) -> tuple[Any, ...]:
    """Return what makes two silences the same one.

    A start that has passed does not: here it is the moment of the import.
    """
    begins = one.starts_at if one.starts_at and one.starts_at > now else None
    return canonical(one.matchers), begins, one.ends_at, one.created_by, one.comment


def canonical(matchers: Sequence[str]) -> tuple[str, ...]:
    found = set()
    for text in matchers:
        try:
            found.add(str(parse(str(text))))
        except MatcherError:  # not written here
            found.add(str(text))
    return tuple(sorted(found))


# --- the file ---


def listed(body: bytes) -> list[Any]:
    """Return the silences of a file. Raises Unreadable."""
    if len(body) > LARGEST:
        raise Unreadable("", _("The file is larger than 8 MB."))
    try:
        given = msgspec.json.decode(body.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise Unreadable("", _("This is not JSON: %s") % error) from error
    if isinstance(given, dict):
        given = [given]
    if not isinstance(given, list):
        raise Unreadable("", _("This is not a list of silences."))
    if len(given) > MOST:
        words = _("A file may have %(n)d silences at most.") % {"n": MOST}
        raise Unreadable("", words)
    return given


def draft_from(given: Any) -> Draft:
    """Return what one gettableSilence asks for. Raises Unreadable."""
    if not isinstance(given, dict):
        raise Unreadable("", _("This is not a silence."))
    lines = given.get("matchers")
    if not isinstance(lines, list) or not lines:
        raise Unreadable(".matchers", _("A silence needs at least one condition."))
    notes = given.get("annotations") or {}
    if not isinstance(notes, dict) or not all(
        isinstance(value, str) for value in notes.values()
    ):
        raise Unreadable(".annotations", _("This must be a mapping."))
    return Draft(
        [matcher_from(f".matchers[{n}]", one) for n, one in enumerate(lines)],
        ends_at=moment(given, "endsAt"),
        starts_at=moment(given, "startsAt"),
        comment=text_of(given, "comment"),
        created_by=text_of(given, "createdBy"),
        annotations=notes,
    )


def matcher_from(path: str, given: Any) -> str:
    """Return one condition as text; without isEqual (up to 0.21) it is positive."""
    if not isinstance(given, dict):
        raise Unreadable(path, _("This must be a mapping."))
    name, value = text_of(given, "name", path), text_of(given, "value", path)
    is_regex, is_equal = given.get("isRegex", False), given.get("isEqual", True)
    if not isinstance(is_regex, bool) or not isinstance(is_equal, bool | None):
        raise Unreadable(path, _("This must be true or false."))
    operator = OPERATORS[is_equal is not False, is_regex]
    try:
        return str(condition(name, operator, value))
    except MatcherError as error:
        words = explained(error) % {"condition": f"{name}{operator}{value}"[:200]}
        raise Unreadable(path, words) from error


def text_of(given: dict[str, Any], name: str, path: str = "") -> str:
    value = given.get(name, "")
    if not isinstance(value, str):
        raise Unreadable(f"{path}.{name}", _("This must be a text."))
    return value


def moment(given: dict[str, Any], name: str) -> datetime:
    """Return a time of RFC 3339, such as 2026-11-20T21:07:49.895Z."""
    text = text_of(given, name)
    try:
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        words = _("%(text)s is not a time such as 2026-11-20T21:00:00Z.")
        raise Unreadable(f".{name}", words % {"text": text[:40] or "-"}) from error
