"""How does a chain read? "Slack at once, SMS after 5 min, phone call after 10 min"."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby

from django.utils.translation import gettext as _

from notifications.channels.registry import spec_of
from notifications.models import QuietHours
from notifications.models.personal import DAY_NAMES, DAYS, SEVERITIES, QuietHow
from notifications.personal import Call, Person, plan

ANY_DAY = datetime(2026, 1, 1).astimezone()


def chain_words(person: Person, *, important: bool) -> str:
    """Return the chain in words, quiet hours apart; "–" when nobody is reached."""
    calls = plan(person, severity=0, at=ANY_DAY, important=important, quiet=False)
    return calls_words(calls)


def calls_words(calls: Sequence[Call]) -> str:
    """Return calls in words, those of one moment together."""
    parts = []
    for seconds, together in groupby(calls, key=lambda call: call.seconds):
        labels = dict.fromkeys(str(spec_of(call.kind).label) for call in together)
        what = listed(list(labels))
        if seconds:
            words = _("%(what)s after %(time)s")
            parts.append(words % {"what": what, "time": duration(seconds)})
        else:
            parts.append(_("%(what)s at once") % {"what": what})
    return ", ".join(parts) or "–"


def quiet_words(person: Person) -> str:
    """Return the quiet hours in words; "" when there are none."""
    if not person.hours:
        return ""
    when = ", ".join(f"{days_words(one)} {one}" for one in person.hours)
    given = {"when": when, "zone": person.zone.key}
    given["severity"] = severity_word(person.quiet_below)
    if person.quiet_how == QuietHow.MAIL:
        words = _("%(when)s (%(zone)s): below %(severity)s nothing but e-mail")
    else:
        words = _("%(when)s (%(zone)s): what is below %(severity)s waits for the end")
    return words % given


def days_words(hours: QuietHours) -> str:
    """Return "daily", or the days by their short names."""
    if set(hours.days) == set(DAY_NAMES):
        return _("daily")
    names = [str(label)[:2] for name, label in DAYS if name in hours.days]
    return " ".join(names)


def severity_word(level: int) -> str:
    return str(dict(SEVERITIES).get(level, level))


def duration(seconds: int) -> str:
    """Return "30 s", "5 min", "1 h 30 min"."""
    hours, rest = divmod(seconds, 3600)
    minutes, left = divmod(rest, 60)
    parts = [
        (hours, _("%(n)s h")),
        (minutes, _("%(n)s min")),
        (left, _("%(n)s s")),
    ]
    return " ".join(words % {"n": n} for n, words in parts if n) or "0"


def listed(words: Sequence[str]) -> str:
    if len(words) < 2:
        return "".join(words)
    given = {"others": ", ".join(words[:-1]), "last": words[-1]}
    return _("%(others)s and %(last)s") % given
