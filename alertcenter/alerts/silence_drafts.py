"""Is this silence one that may be kept? What people ask for, checked before it is.

The rules are Alertmanager's (reference/wire-protocols.md 3.5) and bounds of our own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from alertcenter.alerts import windows
from alertcenter.alerts.matchers import Matcher, MatcherError, parse
from alertcenter.alerts.models import Group, Route, Silence
from alertcenter.alerts.models.conditions import explained
from alertcenter.alerts.models.silence import SilenceKind
from alertcenter.alerts.sources.adapter import storable, storable_data
from alertcenter.alerts.windows import Window, WindowError
from tenants.models import Member

MOST_MATCHERS = 50
LONGEST_MATCHERS = 16_000  # characters of all of them
LONGEST_COMMENT = 10_000
LONGEST_NAME = 200
MOST_ANNOTATIONS = 50
LONGEST_ANNOTATIONS = 10_000
LONGEST_REMINDER = 31 * 24 * 3600
FIRST = datetime(1970, 1, 1, tzinfo=UTC)
LAST = datetime(9999, 1, 1, tzinfo=UTC)


class SilenceError(ValueError):
    """A silence that is not kept as it was asked for.

    `code` is a word for programs: not_found, matchers, matcher, empty, order, past,
    recurrence, scope, long, until_gone, owner, many or broad. `message` is a sentence,
    `data` what it counts, `place` the number of the matcher it is about.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        data: Mapping[str, Any] | None = None,
        place: int = 0,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = dict(data or {})
        self.place = place


@dataclass(frozen=True)
class Draft:
    """What a person wants to hear nothing of; the fields are those of `Silence`.

    Without `starts_at` it begins at once. `matchers` are conditions as text.
    """

    matchers: Sequence[str]
    ends_at: datetime
    starts_at: datetime | None = None
    comment: str = ""
    created_by: str = ""
    kind: str = SilenceKind.SILENCE.value
    title: str = ""
    annotations: Mapping[str, str] = field(default_factory=dict)
    recurrence: str = ""
    time_zone: str = ""
    duration_seconds: int | None = None
    until_gone: bool = False
    route_id: UUID | None = None
    group_id: UUID | None = None
    remind_seconds: int | None = None
    owner_id: UUID | None = None


FIELDS = tuple(Draft.__dataclass_fields__)


def draft_of(row: Silence) -> Draft:
    """Return a silence as it would be asked for again."""
    return Draft(**{name: getattr(row, name) for name in FIELDS})


def window_of(one: Draft | Silence) -> Window:
    """Return when it may hold."""
    return Window(
        one.starts_at or one.ends_at,
        one.ends_at,
        one.recurrence,
        one.time_zone or "UTC",
        one.duration_seconds or 0,
    )


def checked(tenant_id: UUID, draft: Draft, now: datetime) -> Draft:
    """Return the draft as it is kept. Raises SilenceError; needs the tenant's context.

    A start in the past is not moved to now yet: whether it may stay is for whoever
    knows the silence that is changed.
    """
    check_matchers(read_matchers(draft.matchers))
    _check_times(draft, now)
    _check_lengths(draft)
    _check_scope(tenant_id, draft)
    return replace(
        draft,
        matchers=[str(parse(text)) for text in draft.matchers],
        comment=storable(draft.comment),
        created_by=storable(draft.created_by),
        title=storable(draft.title),
        annotations=storable_data(draft.annotations),
        duration_seconds=draft.duration_seconds if draft.recurrence else None,
        time_zone=draft.time_zone if draft.recurrence else "",
    )


def read_matchers(texts: Sequence[str]) -> list[Matcher]:
    """Return the conditions read. Raises SilenceError."""
    if not texts:
        raise SilenceError("matchers", _("A silence needs at least one condition."))
    if len(texts) > MOST_MATCHERS or sum(map(len, texts)) > LONGEST_MATCHERS:
        message = _("A silence may have %(most)d conditions at most, not too long.")
        raise SilenceError("long", message % {"most": MOST_MATCHERS})
    found = []
    for place, text in enumerate(texts):
        try:
            matcher = parse(text)
        except MatcherError as error:
            message = explained(error) % {"condition": storable(text)[:LONGEST_NAME]}
            raise SilenceError("matcher", message, place=place) from error
        if storable(text) != text:
            message = _("A condition holds a character that cannot be stored.")
            raise SilenceError("matcher", message, place=place)
        found.append(matcher)
    return found


def check_matchers(matchers: Sequence[Matcher]) -> None:
    """Raise SilenceError if they would match an alert without any labels."""
    if all(matcher.test("") for matcher in matchers):
        message = _(
            "At least one condition must not match the empty text: this one would "
            "silence everything."
        )
        raise SilenceError("empty", message)


def _check_times(draft: Draft, now: datetime) -> None:
    starts_at = draft.starts_at or now
    if draft.ends_at <= starts_at:
        raise SilenceError("order", _("A silence must begin before it ends."))
    if draft.ends_at < now:
        raise SilenceError("past", _("A silence cannot end in the past."))
    if draft.ends_at > LAST:
        raise SilenceError("order", _("A silence cannot end that late."))
    if draft.recurrence and draft.until_gone:
        message = _("A silence that recurs does not end with its alerts.")
        raise SilenceError("until_gone", message)
    if not draft.recurrence:
        return
    if draft.starts_at is None or draft.starts_at < FIRST:
        raise SilenceError("recurrence", _("Say when it begins for the first time."))
    try:
        windows.check(window_of(draft))
    except WindowError as error:
        raise SilenceError("recurrence", recurrence_words(error)) from error


def recurrence_words(error: WindowError) -> str:
    """Return in the reader's language why a recurrence is refused."""
    said = {
        "frequency": _("A recurrence is by day, week, month or year (FREQ)."),
        "end": _("Say until when it recurs by its end, not by COUNT or UNTIL."),
        "often": _("A recurrence may come true %(most)d times a day at most."),
        "long": _("This recurrence is too long."),
        "zone": _("%(part)s is not a time zone; use a name such as Europe/Paris."),
        "duration": _("An occurrence lasts from one minute to 31 days."),
        "never": _("This recurrence never comes true before its end."),
    }
    unread = _(
        "%(part)s is not understood in a recurrence; an example is "
        "FREQ=WEEKLY;BYDAY=MO,FR."
    )
    values = {"part": storable(error.part), "most": windows.MOST_A_DAY}
    return said.get(error.code, unread) % values


def _check_lengths(draft: Draft) -> None:
    notes = sum(len(str(k)) + len(str(v)) for k, v in draft.annotations.items())
    if (
        len(draft.comment) > LONGEST_COMMENT
        or len(draft.created_by) > LONGEST_NAME
        or len(draft.title) > LONGEST_NAME
        or len(draft.annotations) > MOST_ANNOTATIONS
        or notes > LONGEST_ANNOTATIONS
    ):
        raise SilenceError("long", _("The name, reason or annotations are too long."))
    if draft.kind not in SilenceKind.values:
        raise SilenceError("long", _("A silence or a maintenance; nothing else."))
    if not 0 <= (draft.remind_seconds or 0) <= LONGEST_REMINDER:
        message = _("A reminder comes at most 31 days before the end.")
        raise SilenceError("long", message)


def _check_scope(tenant_id: UUID, draft: Draft) -> None:
    """The database refuses others' rows too, but not with a sentence."""
    if draft.route_id and not Route.objects.filter(
        tenant_id=tenant_id, pk=draft.route_id
    ):
        raise SilenceError("scope", _("There is no such route."))
    if draft.group_id and not Group.objects.filter(
        tenant_id=tenant_id, pk=draft.group_id
    ):
        raise SilenceError("scope", _("There is no such group."))
    if draft.owner_id and not Member.objects.filter(
        tenant_id=tenant_id, pk=draft.owner_id
    ):
        raise SilenceError("owner", _("There is no such member."))
