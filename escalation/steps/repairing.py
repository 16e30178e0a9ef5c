"""Does it go away by itself, with a little help? A hook runs, then we look again."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from escalation.steps import fields
from escalation.steps.base import (
    GoOn,
    Kind,
    Plan,
    Resolved,
    Situation,
    WaitUntil,
    for_so_long,
    name_of,
    of,
)
from escalation.steps.hooks import HOOKS


class Repair(Kind):
    """A remediation; a person is woken only if it does not help."""

    name = "repair"
    label = gettext_lazy("try a remediation, go on if it still fires")
    fields = (fields.HOOK, fields.CHANNEL, fields.SETTLE)
    position = 20
    tells: ClassVar[bool] = False

    def check(self, found: Plan) -> None:
        if found.get("hook") not in HOOKS:
            raise fields.wrong("hook", _("There is no such remediation."))

    def words(self, plan: Plan) -> str:
        return _("Run %(who)s, wait %(time)s, and go on if it still fires.") % {
            "who": name_of(plan, "channel"),
            "time": for_so_long(int(of(plan, "settle_seconds"))),
        }

    def resolve(self, at: Situation) -> Resolved:
        if at.turn:
            return Resolved()  # it still fires: a step of what does not is cancelled
        found, who, reason = HOOKS[of(at.plan, "hook")].run(at)
        if not found:
            return Resolved(who=who, reason=reason, then=GoOn(at_once=True))
        settled = at.now + timedelta(seconds=int(of(at.plan, "settle_seconds")))
        return Resolved(found, who, then=WaitUntil(settled, "repair"))


KINDS = (Repair,)
