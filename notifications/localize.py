"""How does one reader say things? Their language, their zone, their formats.

Dates and durations come from CLDR by Babel, for every content language. Our own words
come from the catalogues of the interface, which is complete in a few languages; for
the others they are English.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale, UnknownLocaleError
from babel.dates import (
    format_date,
    format_datetime,
    format_time,
    get_datetime_format,
)
from babel.units import format_unit
from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from notifications.message import Note
from tenants.actors import THE_ENGINE

RIGHT_TO_LEFT = frozenset({"ar", "he"})
UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


def moment(iso: str | None, language: str, time_zone: str) -> str:
    """Return an ISO moment as its reader writes it, the zone included; "" for none."""
    at = parse(iso)
    if at is None:
        return ""
    locale = locale_of(language)
    day = format_date(at.astimezone(zone_of(time_zone)), "medium", locale=locale)
    pattern = str(get_datetime_format("medium", locale=locale)).replace("'", "")
    return pattern.format(clock(iso, language, time_zone), day)


def clock(iso: str | None, language: str, time_zone: str) -> str:
    """Return the time of day with its zone: "15:05 UTC+1"."""
    at = parse(iso)
    if at is None:
        return ""
    locale, zone = locale_of(language), zone_of(time_zone)
    hours = format_time(at, "short", tzinfo=zone, locale=locale)
    name = format_datetime(at, "z", tzinfo=zone, locale=locale)
    if name[:1] in "+-":  # the language has no name for it: "+0530"
        minutes = "" if name.endswith("00") else f":{name[3:]}"
        name = f"UTC{name[0]}{int(name[1:3])}{minutes}"
    return f"{hours} {name}"


def duration(seconds: float, language: str) -> str:
    """Return the two greatest units, "2 hr 5 min"; seconds only below a minute."""
    left = max(0, int(seconds))
    parts: list[str] = []
    for unit, size in UNITS:
        count, left = divmod(left, size)
        if (count and not (unit == "second" and parts)) or (
            unit == "second" and not parts
        ):
            name, locale = f"duration-{unit}", locale_of(language)
            parts.append(format_unit(count, name, length="short", locale=locale))
    return " ".join(parts[:2])


def between(start: str | None, end: str | None, language: str) -> str:
    """Return how long it was from one ISO moment to another; "" when unknown."""
    first, last = parse(start), parse(end)
    if first is None or last is None:
        return ""
    return duration((last - first).total_seconds(), language)


def severity_word(level: int, language: str) -> str:
    found = fixed_words(interface_language(language))["severity"]
    return str(found.get(level, level))


def state_word(state: str, language: str) -> str:
    found = fixed_words(interface_language(language))["state"]
    return str(found.get(state, state))


def action_label(act: str, language: str) -> str:
    """Return what stands on the button of an act."""
    found = fixed_words(interface_language(language))["actions"]
    return str(found.get(act, act))


def direction(language: str) -> str:
    """Return "rtl" for a language written from right to left, else "ltr"."""
    return "rtl" if language.split("-")[0] in RIGHT_TO_LEFT else "ltr"


def instead_line(place: str, language: str) -> str:
    """Return why somebody is told who was not the one to be told."""
    with translation.override(interface_language(language)):
        text = _("You are told because %(place)s could not be reached.")
        return text % {"place": place}


def note_line(note: Note, language: str, time_zone: str) -> str:
    """Return the line that tells what happened, for threads and mails."""
    if note.kind == "said":  # already worded by whoever writes it
        return str(note.data.get("text", ""))
    # What the engine does of itself was done by nobody.
    actor = "" if note.actor == THE_ENGINE.label else note.actor
    words = dict.fromkeys(("who", "reason", "count"), "") | dict(note.data)
    words |= {
        "actor": actor,
        "who": note.data.get("name") or words["who"],
        "until": moment(note.data.get("until"), language, time_zone),
        "kind": note.kind,
    }
    write = (LINES if actor else LINES_OF_NOBODY).get(note.kind, _happened)
    with translation.override(interface_language(language)):
        return write(words)


def parse(iso: str | None) -> datetime | None:
    """Return the moment of an ISO text, in UTC when it names no zone."""
    if not iso:
        return None
    try:
        at = datetime.fromisoformat(iso)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


@lru_cache(maxsize=64)
def locale_of(language: str) -> Locale:
    """Return Babel's locale for one of Django's language codes."""
    language, _dash, region = language.partition("-")
    region = region.title() if len(region) == 4 else region.upper()
    for name in (f"{language}_{region}", language):
        try:
            return Locale.parse(name.rstrip("_"))
        except (UnknownLocaleError, ValueError):
            continue
    return Locale("en")


@lru_cache(maxsize=512)
def zone_of(name: str) -> tzinfo:
    """Return the zone, UTC for a name that no longer exists."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def interface_language(language: str) -> str:
    """Return the language among LANGUAGES that serves a reader of `language`."""
    known = dict(settings.LANGUAGES)
    for code in (language, language.split("-")[0]):
        if code in known:
            return code
    return str(settings.LANGUAGE_CODE)


@lru_cache(maxsize=64)
def fixed_words(language: str) -> dict[str, Any]:
    """Return the words that stand in every message of a language."""
    with translation.override(language):
        return {
            "severity": {
                5: _("Critical"),
                4: _("Error"),
                3: _("Warning"),
                2: _("Info"),
                1: _("Debug"),
            },
            "state": {
                "firing": _("Firing"),
                "acknowledged": _("Acknowledged"),
                "snoozed": _("Snoozed"),
                "resolved": _("Resolved"),
            },
            "actions": {
                "acknowledge": _("Acknowledge"),
                "unacknowledge": _("Unacknowledge"),
                "resolve": _("Resolve"),
                "snooze": _("Snooze 1 h"),
            },
        }


def _happened(words: dict[str, Any]) -> str:
    if words["actor"]:
        return _("%(actor)s: %(kind)s") % words
    return str(words["kind"])


def _joined(words: dict[str, Any]) -> str:
    count = int(words["count"] or 1)
    text = ngettext("%(n)d new alert joined.", "%(n)d new alerts joined.", count)
    return text % {"n": count}


def _noted(words: dict[str, Any]) -> str:
    """More alerts, or why a step of the policy reached nobody."""
    return reason_words(words) or _joined(words)


def reason_words(words: dict[str, Any]) -> str:
    """Return the sentence for a reason (with `actor` and `who`); "" if it has none."""
    found = {
        "nobody_on_call": _("Nobody is on call, so nobody was told."),
        "no_address": _("There is no address to write to, so nobody was told."),
        "channel_gone": _("The channel is switched off, so nobody was told."),
        "nobody": _("Nobody is left of those who were meant, so nobody was told."),
        "failed": _("A step could not be carried out; the next one followed."),
        "if_skips": _("A condition does not hold: a step was skipped."),
        "if_stops": _("A condition does not hold: the policy ends here."),
        "if_waits": _("A condition does not hold yet: the policy waits."),
        "handed_over": _("Handed over to another policy: %(who)s") % words,
        "policy_gone": _("The policy to hand over to is gone: %(who)s") % words,
        "undone": _("%(actor)s took the last act back.") % words,
        "raised": _("The severity was raised."),
        "acknowledged_one": _("%(actor)s acknowledged. Still to come: %(who)s") % words,
        "restarted": _("%(actor)s began anew with the present policy.") % words,
    }
    return found.get(words["reason"], "")


def _flapping(words: dict[str, Any]) -> str:
    text = ngettext(
        "Flapping: %(changes)s change of state in %(minutes)s minutes. It stays one "
        "group, and pages nobody anew, until it is calm.",
        "Flapping: %(changes)s changes of state in %(minutes)s minutes. It stays one "
        "group, and pages nobody anew, until it is calm.",
        int(words.get("changes") or 0),
    )
    return text % {"changes": words.get("changes"), "minutes": words.get("minutes")}


def _calm(words: dict[str, Any]) -> str:
    if words.get("resolved"):
        return _("Calm again, and resolved: no alert is firing any more.")
    return _("Calm again: it no longer flaps, and still fires.")


Line = Callable[[dict[str, Any]], str]

LINES: dict[str, Line] = {
    "acknowledged": lambda w: _("%(actor)s acknowledged.") % w,
    "unacknowledged": lambda w: _("%(actor)s took the acknowledgement back.") % w,
    "resolved": lambda w: _("%(actor)s resolved.") % w,
    "snoozed": lambda w: _("%(actor)s snoozed until %(until)s.") % w,
    "woken": lambda w: _("%(actor)s ended the snooze.") % w,
    "assigned": lambda w: _("%(actor)s assigned this to %(who)s.") % w,
    "escalated": lambda w: _("%(actor)s escalated.") % w,
    "noted": _noted,
    "grouped": _joined,
    "opened": lambda w: _("Opened."),
    "reopened": lambda w: _("%(actor)s took the resolve back: it still fires.") % w,
    "paged": lambda w: _("Reminder: still firing."),
    "told": lambda w: _("Notified: %(who)s") % w,
    "withdrawn": lambda w: _("This page has been withdrawn."),
    "failed": lambda w: _("A message could not be delivered."),
    "flapping": _flapping,
    "storm": lambda w: (
        _("The storm goes on: %(alerts)s alerts in %(groups)s groups.") % w
    ),
    "storm_over": lambda w: (
        _(
            "The storm is over: %(alerts)s alerts in %(groups)s groups, of which "
            "%(open)s still fire. Groups that open now are told again."
        )
        % w
    ),
    "calm": _calm,
    "expired": lambda w: _("Resolved: the source has not renewed its alerts."),
}
LINES_OF_NOBODY: dict[str, Line] = LINES | {
    "acknowledged": lambda w: _("Acknowledged."),
    "unacknowledged": lambda w: _("No longer acknowledged."),
    "resolved": lambda w: _("Resolved: no alert is firing any more."),
    "snoozed": lambda w: _("Snoozed until %(until)s.") % w,
    "woken": lambda w: _("The snooze is over."),
    "assigned": lambda w: _("Assigned to %(who)s.") % w,
    "escalated": lambda w: _("Escalated."),
}
