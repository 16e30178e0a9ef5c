"""Where does the policy go? It waits, begins again, or hands over to another."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from escalation.steps import fields
from escalation.steps.base import (
    HandOver,
    Kind,
    Plan,
    Repeat,
    Resolved,
    Situation,
    for_so_long,
    name_of,
    of,
)


class Wait(Kind):
    """Nothing for a while; the waits before a step add up to its delay."""

    name = "wait"
    label = gettext_lazy("wait")
    fields = (fields.SECONDS,)
    position = 1

    def words(self, plan: Plan) -> str:
        return _("Wait %(time)s.") % {"time": for_so_long(int(plan.get("wait") or 0))}

    def resolve(self, at: Situation) -> Resolved:
        return Resolved()


class FromTheStart(Kind):
    """Once more from the first step, so many times."""

    name = "repeat"
    label = gettext_lazy("repeat from the start")
    fields = (fields.TIMES,)
    position = 60

    def words(self, plan: Plan) -> str:
        times = int(of(plan, "times"))
        text = ngettext("Begin again, %(n)d time.", "Begin again, %(n)d times.", times)
        return text % {"n": times}

    def resolve(self, at: Situation) -> Resolved:
        if at.round > min(int(of(at.plan, "times")), fields.MOST_ROUNDS):
            return Resolved()
        return Resolved(then=Repeat())


class ToAnother(Kind):
    """Another policy goes on, and this one is over; it goes on where that is gone."""

    name = "hand_over"
    label = gettext_lazy("hand over to another policy")
    fields = (fields.POLICY,)
    position = 61
    condition: ClassVar[bool] = False

    def words(self, plan: Plan) -> str:
        return _("Hand over to policy %(name)s.") % {"name": name_of(plan, "policy")}

    def resolve(self, at: Situation) -> Resolved:
        policy_id, name = UUID(of(at.plan, "policy")), name_of(at.plan, "policy")
        if not at.books.is_written(policy_id):
            return Resolved(reason="policy_gone", who=name)
        return Resolved(reason="handed_over", who=name, then=HandOver(policy_id))


KINDS = (Wait, FromTheStart, ToAnother)
