"""Why could a calendar not be read, or shown? In words, in the reader's language."""

from __future__ import annotations

from collections.abc import Callable

from django.utils.translation import gettext as _

# By the code of a CalendarError.
SENTENCES: dict[str, Callable[[], str]] = {
    "unreachable": lambda: _("The calendar cannot be reached: %(part)s"),
    "status": lambda: _("The calendar's server answered with the status %(part)s."),
    "none": lambda: _(
        "What is at this address is no calendar; is it a page that asks for a login?"
    ),
    "cut": lambda: _("The calendar breaks off in the middle."),
    "size": lambda: _("The calendar is larger than %(part)s."),
    "events": lambda: _("The calendar holds more than %(part)s events."),
    "often": lambda: _("The event “%(part)s” recurs each minute or each second."),
    "event": lambda: _("An event cannot be read: %(part)s"),
    "zone": lambda: _(
        "An event names a time zone that neither we nor the calendar know: %(part)s"
    ),
    "backwards": lambda: _("The event “%(part)s” ends before it begins."),
    "slow": lambda: _("Reading the calendar took too long."),
    "unreadable": lambda: _("The calendar cannot be read: %(part)s"),
}


def too_much() -> str:
    """Return why a schedule is not shown: it would keep everybody else waiting."""
    return _(
        "There are too many turns, changes or absences here to be reckoned at once. "
        "Ask for a shorter time, or make the turns longer and fewer."
    )


def said(error: str) -> str:
    """Return what a row's `error` means; "" for none."""
    if not error:
        return ""
    code, _divider, part = error.partition("\n")
    sentence = SENTENCES.get(code, SENTENCES["unreadable"])
    return sentence() % {"part": part}
