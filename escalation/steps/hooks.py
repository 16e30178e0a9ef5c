"""What can a policy try before it wakes somebody? A registry of hooks.

A hook returns what it sends (targets), whom that names, and why nothing was sent. The
step then waits, and goes on only if the group still fires.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol
from uuid import UUID

from django.utils.translation import gettext_lazy

from escalation.steps.base import Situation, Target, name_of, of


class Hook(Protocol):
    """Something that may put the group right."""

    label: Any

    def run(self, at: Situation) -> tuple[Sequence[Target], str, str]:
        """Return (what is sent, to whom, why nothing). Called in the claiming
        transaction: what takes long is written as a row for others to do."""


class CallChannel:
    """Call a webhook, which does what is to be done."""

    label = gettext_lazy("call a webhook")

    def run(self, at: Situation) -> tuple[Sequence[Target], str, str]:
        channel = at.books.channel(UUID(of(at.plan, "channel")))
        if channel is None:
            return [], name_of(at.plan, "channel"), "channel_gone"
        found = at.books.places(channel)
        return found, channel.name, "" if found else "no_address"


HOOKS: dict[str, Hook] = {"webhook": CallChannel()}
