"""What is one person in Slack told, and how is it written?

Everything that is not ours goes through `safe`: no mention, link or command comes out
of it. https://docs.slack.dev/messaging/formatting-message-text#escaping
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from alertcenter.alerts.models import Group
from escalation.acting import Outcome
from notifications.channels.block_kit import (
    SIGNS,
    STATE_SIGNS,
    UNKNOWN_SIGN,
    escaped,
)

# https://docs.slack.dev/reference/methods/chat.postMessage#truncating
LONGEST_TEXT = 4_000
LONGEST_TITLE = 150


@dataclass(frozen=True)
class Said:
    """An answer in Slack's markup. Of a form: `errors` by field, or another `view`."""

    text: str = ""
    errors: tuple[tuple[str, str], ...] = ()
    view: dict[str, Any] | None = None
    done: bool = True

    def ephemeral(self) -> dict[str, Any]:
        """Return the answer as Slack shows it to one person.

        https://docs.slack.dev/interactivity/handling-user-interaction#responses
        """
        return {
            "response_type": "ephemeral",
            "replace_original": False,
            "text": self.text[:LONGEST_TEXT],
        }


def safe(text: object, limit: int = LONGEST_TITLE) -> str:
    """Return foreign text as one line that can do nothing."""
    return escaped(" ".join(str(text).split()), limit)


def link(url: str, words: str) -> str:
    """Return a link; `words` are escaped, and cannot end it early."""
    return f"<{url}|{safe(words).replace('|', '/')}>" if url else safe(words)


def sign_of(group: Group) -> str:
    """Return how bad a group is, or what became of it."""
    worst = SIGNS.get(group.severity, UNKNOWN_SIGN)
    return STATE_SIGNS.get(group.state, worst)


def lines(texts: Iterable[str]) -> str:
    """Return so many lines as fit, whole ones only."""
    kept: list[str] = []
    room = LONGEST_TEXT
    for text in texts:
        room -= len(text) + 1
        if room < 0:
            break
        kept.append(text)
    return "\n".join(kept)


def not_done(outcome: Outcome) -> str:
    """Return why nothing was done, for the person who asked for it."""
    if outcome.reason == "not_found":
        return _("This group no longer exists.")
    number = {"number": outcome.number}
    if outcome.reason == "resolved":
        return _("#%(number)s is already resolved.") % number
    if outcome.reason == "nothing_due":
        return _("#%(number)s: no step of its policy is waiting.") % number
    if outcome.reason == "others":
        return _("#%(number)s: others must acknowledge it too.") % number
    if outcome.state == "acknowledged" and outcome.reason == "already":
        return _("#%(number)s is already acknowledged.") % number
    return _("#%(number)s has changed meanwhile; nothing was done.") % number


def called(name: str, outcome: Outcome) -> str:
    """Return what came of calling somebody."""
    who = {"who": safe(name, 80)}
    if outcome.done:
        return _("%(who)s is called.") % who
    if outcome.reason == "no_address":
        return _("%(who)s has no address to write to, so nobody was called.") % who
    return not_done(outcome)
