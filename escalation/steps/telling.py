"""Who is told? Channels, people, lists in turn, teams, and who is on call."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from datetime import timedelta
from typing import ClassVar
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from escalation.oncall import names_of as names
from escalation.steps import fields
from escalation.steps.base import (
    GO_ON,
    GoOn,
    Kind,
    Plan,
    Resolved,
    Situation,
    WaitUntil,
    name_of,
    names_of,
    of,
    one_of,
)
from escalation.steps.fields import optional
from tenants.models import Member

# Somebody may put himself on call while a step waits for that.
LOOK_AGAIN = timedelta(minutes=10)


class Telling(Kind):
    """Somebody is told; where nobody is, the timeline says why."""

    tells: ClassVar[bool] = True


class TellPeople(Telling):
    """Some members are told."""

    def resolve(self, at: Situation) -> Resolved:
        return people(at, self.people(at), self.who(at.plan))

    @abstractmethod
    def people(self, at: Situation) -> Sequence[Member]:
        """Return who is told."""


def people(
    at: Situation, members: Sequence[Member], who: str, reason: str = "nobody"
) -> Resolved:
    """Return what telling these members comes to."""
    if not members:
        return told_nobody(at, who, reason)
    targets = [
        target
        for member in members
        for target in at.books.calls(member.pk, at.group.severity, at.now)
    ]
    who, ids = names(members), [member.pk for member in members]
    if not targets:
        return told_nobody(at, who, "no_address")
    return Resolved(targets, who, members=ids)


def told_nobody(at: Situation, who: str, reason: str) -> Resolved:
    """Go on at once: there is nobody to wait for. Snapshots of before waited."""
    then = GoOn(at_once=True) if "params" in at.plan else GO_ON
    return Resolved(who=who, reason=reason, then=then)


class TellChannel(Telling):
    """One message to a channel."""

    name = "channel"
    label = gettext_lazy("notify a channel")
    fields = (fields.CHANNEL,)
    position = 10

    def who(self, plan: Plan) -> str:
        return name_of(plan, "channel")

    def words(self, plan: Plan) -> str:
        return _("Notify %(who)s.") % {"who": self.who(plan)}

    def resolve(self, at: Situation) -> Resolved:
        channel = at.books.channel(UUID(of(at.plan, "channel")))
        if channel is None:
            return told_nobody(at, self.who(at.plan), "channel_gone")
        found = at.books.places(channel)
        if not found:
            return told_nobody(at, channel.name, "no_address")
        return Resolved(found, channel.name)


class CallWebhook(TellChannel):
    """One message to a tool."""

    name = "webhook"
    label = gettext_lazy("call a webhook or tool")
    position = 19

    def words(self, plan: Plan) -> str:
        return _("Call %(who)s.") % {"who": self.who(plan)}


class TellMember(Telling):
    """One person."""

    name = "member"
    label = gettext_lazy("notify a member")
    fields = (fields.MEMBER,)
    position = 11

    def who(self, plan: Plan) -> str:
        return name_of(plan, "member")

    def words(self, plan: Plan) -> str:
        return _("Notify %(who)s.") % {"who": self.who(plan)}

    def resolve(self, at: Situation) -> Resolved:
        found = at.books.members([of(at.plan, "member")])
        return people(at, found, self.who(at.plan), "no_address")


class TellMembers(TellPeople):
    """Several people at once."""

    name = "members"
    label = gettext_lazy("notify several members")
    fields = (fields.MEMBERS,)
    position = 12

    def who(self, plan: Plan) -> str:
        return names_of(plan, "members")

    def words(self, plan: Plan) -> str:
        return _("Notify %(who)s.") % {"who": self.who(plan)}

    def people(self, at: Situation) -> Sequence[Member]:
        return at.books.members(of(at.plan, "members"))


class TellNext(TellMembers):
    """The next of a list, one for each group: the list's pointer belongs to the step,
    so all groups share it."""

    name = "round_robin"
    label = gettext_lazy("notify the next of a list (round robin)")
    position = 15

    def who(self, plan: Plan) -> str:
        return _("the next of %(names)s") % {"names": names_of(plan, "members")}

    def people(self, at: Situation) -> Sequence[Member]:
        found = super().people(at)
        step = at.plan.get("step")
        if not found or not step:
            return found[:1]
        return [at.books.next_of(UUID(step), found)]


class TellLeastLoaded(TellPeople):
    """Who has the fewest open groups; of equals, who had the fewest pages."""

    name = "least_loaded"
    label = gettext_lazy("notify the least loaded")
    fields = (optional(fields.MEMBERS), optional(fields.TEAM))
    position = 16

    def check(self, found: Plan) -> None:
        one_of(found, "members", "team")

    def who(self, plan: Plan) -> str:
        return _("the least loaded of %(names)s") % {"names": listed(plan)}

    def words(self, plan: Plan) -> str:
        return _("Notify %(who)s.") % {"who": self.who(plan)}

    def people(self, at: Situation) -> Sequence[Member]:
        found = members_or_team(at)
        return [at.books.least_loaded(found, at.now)] if found else []


class TellSkilled(TellPeople):
    """Those who can do what a label of the group asks for."""

    name = "skilled"
    label = gettext_lazy("notify who has the skill that a label asks for")
    fields = (fields.LABEL,)
    position = 17

    def who(self, plan: Plan) -> str:
        return _("who has the skill of label %(label)s") % {"label": of(plan, "label")}

    def words(self, plan: Plan) -> str:
        return _("Notify %(who)s.") % {"who": self.who(plan)}

    def people(self, at: Situation) -> Sequence[Member]:
        said = at.group.labels.get(of(at.plan, "label"), "")
        wanted = {word.strip() for word in said.split(",")} - {""}
        return at.books.skilled(wanted) if wanted else []


class TellTeam(TellPeople):
    """All of a team."""

    name = "team"
    label = gettext_lazy("notify a team")
    fields = (fields.TEAM,)
    position = 13

    def who(self, plan: Plan) -> str:
        return name_of(plan, "team")

    def words(self, plan: Plan) -> str:
        return _("Notify team %(who)s.") % {"who": self.who(plan)}

    def people(self, at: Situation) -> Sequence[Member]:
        return at.books.team(of(at.plan, "team"))


class TellOnCall(Telling):
    """Who is on call by a schedule."""

    name = "oncall"
    label = gettext_lazy("notify who is on call")
    fields = (fields.SCHEDULE, fields.NOBODY)
    position = 14

    def who(self, plan: Plan) -> str:
        return name_of(plan, "schedule")

    def words(self, plan: Plan) -> str:
        text = _("Notify who is on call by %(who)s.") % {"who": self.who(plan)}
        return text + nobody_words(plan)

    def resolve(self, at: Situation) -> Resolved:
        found = at.books.on_call(UUID(of(at.plan, "schedule")), at.now)
        return people(at, found, "") if found else nobody_on_call(at, self.who(at.plan))


class TellNextOnCall(Telling):
    """Who is on call by a schedule after those who are now."""

    name = "oncall_next"
    label = gettext_lazy("notify who is on call next")
    fields = (fields.SCHEDULE,)
    position = 14

    def who(self, plan: Plan) -> str:
        return _("who is on call next by %(who)s") % {"who": name_of(plan, "schedule")}

    def words(self, plan: Plan) -> str:
        return _("Notify %(who)s.") % {"who": self.who(plan)}

    def resolve(self, at: Situation) -> Resolved:
        coming = at.books.coming(UUID(of(at.plan, "schedule")), at.now)
        found = at.books.members(coming.then)
        return people(at, found, self.who(at.plan), "nobody_on_call")


def nobody_on_call(at: Situation, who: str) -> Resolved:
    """Say so once; then go on at once, or wait until somebody is."""
    if of(at.plan, "nobody") != fields.WAIT_FOR or at.forced:
        return told_nobody(at, who, "nobody_on_call")
    coming = at.books.coming(UUID(of(at.plan, "schedule")), at.now)
    if coming.until is None:
        return told_nobody(at, who, "nobody_on_call")
    moment = coming.until
    if not at.books.dry:
        moment = min(moment, at.now + LOOK_AGAIN)
    reason = "" if at.turn else "nobody_on_call"
    return Resolved(who=who, reason=reason, then=WaitUntil(moment, "nobody"))


def nobody_words(plan: Plan) -> str:
    if of(plan, "nobody") != fields.WAIT_FOR:
        return ""
    return " " + _("If nobody is, wait until somebody is.")


def members_or_team(at: Situation) -> Sequence[Member]:
    """Return the active members of the list, or of the team."""
    if team := of(at.plan, "team"):
        return at.books.team(team)
    return at.books.members(of(at.plan, "members") or ())


def listed(plan: Plan) -> str:
    """Return the list's names, or the team's."""
    return name_of(plan, "team") if of(plan, "team") else names_of(plan, "members")


KINDS = (
    TellChannel,
    TellMember,
    TellMembers,
    TellTeam,
    TellOnCall,
    TellNextOnCall,
    TellNext,
    TellLeastLoaded,
    TellSkilled,
    CallWebhook,
)
