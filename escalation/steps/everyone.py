"""Has everybody said that he knows? Those who have not are paged again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import ClassVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from escalation import asking
from escalation.steps import fields
from escalation.steps.base import (
    Kind,
    Plan,
    Resolved,
    Situation,
    WaitUntil,
    for_so_long,
    of,
    one_of,
)
from escalation.steps.fields import optional
from escalation.steps.telling import listed, members_or_team, people
from tenants.models import Member


class Everyone(Kind):
    """Each of a list or team must acknowledge: the group is acknowledged by the last
    of them, and till then the others are paged again and again."""

    name = "everyone"
    label = gettext_lazy("everyone must acknowledge")
    fields = (
        optional(fields.MEMBERS),
        optional(fields.TEAM),
        fields.AGAIN,
        replace(fields.TIMES, default=3),
    )
    position = 18
    tells: ClassVar[bool] = True

    def check(self, found: Plan) -> None:
        one_of(found, "members", "team")

    def who(self, plan: Plan) -> str:
        return listed(plan)

    def words(self, plan: Plan) -> str:
        return _(
            "Notify %(who)s, all of whom must acknowledge; who has not is told again "
            "after %(time)s, %(n)s times in all."
        ) % {
            "who": self.who(plan),
            "time": for_so_long(int(of(plan, "again_seconds"))),
            "n": of(plan, "times"),
        }

    def resolve(self, at: Situation) -> Resolved:
        left = self.left(at)
        if at.turn and (at.forced or not left or at.turn >= int(of(at.plan, "times"))):
            return Resolved()
        found = people(at, left, self.who(at.plan))
        if not found.targets:
            return found
        again = timedelta(seconds=int(of(at.plan, "again_seconds")))

        def act() -> None:
            if at.run_id:
                asking.ask(at.tenant_id, at.run_id, at.group.pk, found.members)

        return replace(found, then=WaitUntil(at.now + again, "everyone"), act=act)

    def left(self, at: Situation) -> Sequence[Member]:
        """Return who has yet to acknowledge."""
        known = members_or_team(at)
        if at.run_id is None:
            return known
        done = asking.acknowledged(at.tenant_id, at.run_id)
        return [member for member in known if member.pk not in done]


KINDS = (Everyone,)
