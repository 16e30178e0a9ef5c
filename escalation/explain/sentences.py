"""Which sentence belongs to which code of an explanation?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from escalation.explain.endings import ENDINGS

BECAUSE: Mapping[str, Any] = {
    "": _("it was no longer needed"),
    "acknowledged": _("the group was acknowledged"),
    "snoozed": _("the group was snoozed"),
    "resolved": _("the group was resolved"),
}
REASONS: Mapping[str, Any] = {
    # of a step that told nobody
    "nobody_on_call": _("nobody was on call"),
    "no_address": _("there is no address"),
    "channel_gone": _("the channel is gone or switched off"),
    "failed": _("it could not be carried out"),
    # of a step that is held
    "silenced": _("all that fires is silenced"),
    "inhibited": _("all that fires is inhibited"),
    "interval": _("the route is quiet at this hour"),
    "flapping": _("it flaps, and nothing fires at this moment"),
    "storm": _("a storm, in which nothing fires at this moment"),
    # of a step that tells nobody, or waits by itself
    "nobody": _("nobody is there"),
    "policy_gone": _("the policy is gone, or has no step"),
    "repair": _("a remediation is given its time"),
    "everyone": _("others have yet to acknowledge"),
    "busy": _("the alerts are being written"),
    "if_time": _("it is not the hour for it"),
    "if_hours": _("it is not within business hours"),
    "if_severity": _("it is not bad enough"),
    "if_size": _("too few alerts fire"),
    "if_rate": _("too few alerts joined of late"),
    # of a notice
    "first": _("first message"),
    "new_alerts": _("new alerts"),
    "resolved": _("some were resolved"),
    "all_resolved": _("all were resolved"),
    "repeat": _("said again"),
}

IDENTITY: Mapping[str, Any] = {
    "dedup_labels": _(
        "One alert by its labels (key %(key)s), received %(count)s×, "
        "the last time at %(last)s."
    ),
    "dedup_key": _(
        "One alert by its sender's key (%(key)s), received %(count)s×, "
        "the last time at %(last)s."
    ),
    "episode_open": _("Firing since %(since)s (episode %(number)s)."),
    "episode_closed": _(
        "Fired from %(since)s to %(until)s (episode %(number)s); closed by: "
        "%(closed_by)s."
    ),
    "episode_closed_person": _(
        "Fired from %(since)s to %(until)s (episode %(number)s); closed by %(who)s."
    ),
    "same_alert_firing": _(
        "The alert is here already and fires: another event only counts."
    ),
    "same_alert_resolved": _("The alert is here and resolved: it would fire anew."),
    "new_alert": _("No such alert is here: it would be new (key %(key)s)."),
    "new_alert_keyed": _("By its sender's key, which each integration has of its own."),
    "event_resolved": _("The event says that it is over."),
    "rules_now": _(
        "The rules as they are now, judged by the labels that the alert has now."
    ),
    "rule_no_match": _("Rule %(rule)s does not match."),
    "rule_changes": _("Rule %(rule)s matches and sets %(sets)s."),
    "rule_drops": _("Rule %(rule)s matches and drops the event."),
    "rule_would_drop": _("Rule %(rule)s matches: it would drop the next event."),
}
ROUTES: Mapping[str, Any] = {
    "no_route": _("No route takes it and there is no default route: nobody is told."),
    "no_route_then": _(
        "No route took it when it came, or the route was deleted: nobody is told."
    ),
    "route_takes_policy": _(
        "Route %(route)s takes it: policy %(policy)s; channels: %(channels)s; grouped "
        "by: %(labels)s."
    ),
    "route_takes_channels": _(
        "Route %(route)s takes it: channels: %(channels)s; grouped by: %(labels)s."
    ),
    "route_tells_nobody": _("Route %(route)s takes it and tells nobody."),
    "route_untried": _("Route %(route)s was not come to."),
    "route_below": _("Route %(route)s matches; a route below it takes it."),
    "route_no_match": _("Route %(route)s does not match."),
    "route_then": _(
        "It went to route %(route)s when it came; by today's routes and labels it "
        "would go elsewhere."
    ),
    "group": _("Group #%(group)s, of %(alerts)s alerts, opened at %(at)s."),
    "joined": _("It joined group #%(group)s at %(at)s."),
    "would_join": _("It would join group #%(group)s, which is open (%(state)s)."),
    "would_open": _("It would open a new group."),
    "interval_mutes": _("Route %(route)s is quiet in %(interval)s, which holds now."),
    "interval_not_now": _("Interval %(interval)s does not hold at %(at)s."),
    "interval_active": _("Interval %(interval)s holds: the route is heard."),
    "interval_outside": _(
        "Route %(route)s is heard in %(interval)s only, which does not hold at %(at)s."
    ),
    "interval_gone": _("Interval %(interval)s no longer exists."),
}
URGENCY: Mapping[str, Any] = {
    "service": _("It troubles service %(service)s."),
    "service_owned": _("It troubles service %(service)s, for which %(owner)s answers."),
    "no_service": _("The conditions of no service hold."),
    "priority": _("Its priority is P%(level)s."),
    "priority_severity": _("Severity %(severity)s: begins at P%(begins)s."),
    "priority_vital": _("The service is vital: one more urgent."),
    "priority_minor": _("The service is minor: one less urgent."),
    "priority_dependents": _(
        "Services in trouble that need it: %(count)s; one more urgent."
    ),
    "priority_size": _("%(count)s alerts or more fire: one more urgent."),
    "priority_info": _("Information only: P%(level)s at best."),
}
QUIET: Mapping[str, Any] = {
    "silenced": _("Silence “%(silence)s” by %(who)s matches until %(until)s."),
    "silenced_some": _(
        "Silence “%(silence)s” by %(who)s matches %(count)s of %(total)s until "
        "%(until)s."
    ),
    "silenced_then": _("Silence “%(silence)s” by %(who)s matched until %(until)s."),
    "silence_matches": _(
        "Silence “%(silence)s” by %(who)s is in force and matches until %(until)s."
    ),
    "silence_was": _(
        "Silence “%(silence)s” by %(who)s, from %(since)s until %(until)s, matches "
        "but was not in force."
    ),
    "silence_not_now": _(
        "Silence “%(silence)s” by %(who)s matches but is not in force at that moment."
    ),
    "silence_none": _("None of %(count)s silences of that time matches."),
    "silences_many": _("Only the %(count)s silences that end last were looked at."),
    "fell_silent": _("The group fell quiet at %(at)s: silenced."),
    "fell_inhibited": _("The group fell quiet at %(at)s: inhibited."),
    "heard": _("The group is heard again since %(at)s."),
    "inhibited": _(
        "Rule %(rule)s keeps it quiet while “%(source)s” fires; equal: %(equal)s."
    ),
    "inhibited_some": _(
        "Rule %(rule)s keeps %(count)s of %(total)s quiet while “%(source)s” fires; "
        "equal: %(equal)s."
    ),
    "inhibited_then": _(
        "Rule %(rule)s kept it quiet while “%(source)s” fired; equal: %(equal)s."
    ),
    "inhibitor": _("“%(source)s” keeps it quiet."),
    "inhibit_no_source": _(
        "Rule %(rule)s would keep it quiet, but nothing fires that agrees with it in "
        "%(equal)s."
    ),
    "inhibition_unknown": _(
        "What fired at that moment is not known: inhibition is not judged."
    ),
}
CROWD: Mapping[str, Any] = {
    "flaps": _(
        "It flaps since %(since)s: the group stays open, and what comes and goes in it "
        "tells nobody anew."
    ),
    "alert_flaps": _("The alert flaps since %(since)s: its returns tell nobody anew."),
    "flap_began": _("It began to flap at %(at)s."),
    "flap_calm": _("It was calm again at %(at)s."),
    "storm_own": _(
        "It stands for a storm on route %(route)s since %(at)s, of %(groups)s groups."
    ),
    "storm_held": _(
        "It opened in a storm on route %(route)s (since %(at)s, %(groups)s groups): "
        "group %(group)s speaks for all of them."
    ),
}
POLICY: Mapping[str, Any] = {
    "run": _("Policy %(policy)s went to work at %(at)s."),
    "no_run": _(
        "The policy of route %(route)s had no step, or the route had none, when the "
        "group opened."
    ),
    "step_told": _("Step %(step)s told %(who)s at %(at)s."),
    "step_told_oncall": _(
        "Step %(step)s told %(who)s, on call in %(schedule)s, at %(at)s."
    ),
    "step_done": _("Step %(step)s (%(who)s) was done at %(at)s."),
    "step_nobody": _("Step %(step)s (%(who)s) told nobody: %(reason)s."),
    "step_nobody_on_call": _(
        "Step %(step)s told nobody: nobody was on call in %(schedule)s at %(at)s."
    ),
    "step_no_address": _("Step %(step)s told nobody: %(who)s has no address."),
    "step_channel_gone": _(
        "Step %(step)s told nobody: channel %(who)s is gone or switched off."
    ),
    "step_failed": _(
        "Step %(step)s (%(who)s) could not be carried out; the next one followed."
    ),
    "step_waiting": _(
        "Step %(step)s (%(who)s) waits: %(reason)s; it is looked at again at %(at)s."
    ),
    "step_raised": _("Step %(step)s raised the severity at %(at)s."),
    "step_if_skips": _(
        "The condition of step %(step)s did not hold at %(at)s: the next was skipped."
    ),
    "step_if_stops": _(
        "The condition of step %(step)s did not hold at %(at)s: the policy ended."
    ),
    "step_if_waits": _("Step %(step)s waited for its condition from %(at)s."),
    "step_handed_over": _("Step %(step)s handed over to %(who)s at %(at)s."),
    "step_due": _("Step %(step)s (%(who)s) is due at %(at)s."),
    "step_coming": _("Step %(step)s (%(who)s) comes at about %(at)s."),
    "step_never": _("Step %(step)s (%(who)s) was not come to."),
    "step_held": _("Step %(step)s (%(who)s) is held: %(reason)s."),
    "step_was_held": _("Step %(step)s (%(who)s) was held: %(reason)s."),
    "step_failing": _("Step %(step)s (%(who)s) cannot be done: %(error)s"),
    "step_cancelled": _("Step %(step)s (%(who)s) was cancelled: %(because)s."),
    "acknowledged": _("%(who)s acknowledged it at %(at)s."),
    "unacknowledged": _("%(who)s withdrew the acknowledgement at %(at)s."),
    "worse": _("It got worse than what was acknowledged, at %(at)s."),
    "ack_over": _("The acknowledgement ended at %(at)s: the policy began anew."),
    "snoozed": _("%(who)s snoozed it at %(at)s for %(seconds)s."),
    "woken": _("The snooze ended at %(at)s."),
    "assigned": _("%(who)s assigned it to %(name)s at %(at)s."),
    "escalated": _("%(who)s brought the next step forward at %(at)s."),
    "resolved": _("%(who)s resolved it at %(at)s."),
    "resolved_policy": _("Its policy resolved it at %(at)s."),
    "resolved_source": _("Everything in it was over at %(at)s."),
    "would_tell": _("Step %(step)s would tell %(who)s at %(at)s (%(kinds)s)."),
    "would_tell_oncall": _(
        "Step %(step)s would tell %(who)s, on call in %(schedule)s, at %(at)s "
        "(%(kinds)s)."
    ),
    "would_nobody_on_call": _(
        "Step %(step)s would tell nobody: nobody is on call in %(schedule)s at %(at)s."
    ),
    "would_no_address": _("Step %(step)s would tell nobody: %(who)s has no address."),
    "would_channel_gone": _(
        "Step %(step)s would tell nobody: channel %(who)s is switched off."
    ),
    "would_nobody_left": _(
        "Step %(step)s would tell nobody: of %(who)s nobody is there."
    ),
    "would_skip": _("Step %(step)s would skip the next one: %(who)s"),
    "would_stop": _("Step %(step)s would end the policy at %(at)s: %(who)s"),
    "would_wait": _("Step %(step)s would wait at %(at)s: %(who)s"),
    "would_hand_over": _("Step %(step)s would hand over to %(who)s at %(at)s."),
    "would_raise": _("Step %(step)s at %(at)s: %(who)s"),
    "would_resolve": _("Step %(step)s would resolve the group at %(at)s."),
    "would_repeat": _("Step %(step)s would begin again after %(at)s."),
    "policy_empty": _("Policy %(policy)s has no step that tells anybody."),
    "group_taken": _("Group #%(group)s is %(state)s: nobody else is told of it."),
    "group_told": _("Group #%(group)s is open: its policy goes on as it is."),
}
SENT: Mapping[str, Any] = {
    "notice": _(
        "%(who)s was told at %(at)s (%(reason)s; %(count)s messages in all; firing "
        "then: %(firing)s, resolved: %(resolved)s)."
    ),
    "flush_due": _("The route's channels are looked at again at %(at)s."),
    "flush_failing": _("The route's channels cannot be told: %(error)s"),
    "would_notice": _(
        "The route's channels (%(channels)s) would be told at %(at)s, and again every "
        "%(repeat_seconds)s."
    ),
    "sent": _("%(who)s was told by %(by_kind)s at %(at)s. Answer: %(answer)s"),
    "dead": _(
        "%(who)s was not reached by %(by_kind)s; given up after %(count)s attempts. "
        "Answer: %(answer)s"
    ),
    "in_doubt": _(
        "The message to %(who)s by %(by_kind)s may have arrived; it was not sent a "
        "third time. Answer: %(answer)s"
    ),
    "doubtful": _(
        "The message to %(who)s by %(by_kind)s may have arrived; it is sent once more "
        "at %(when)s. Answer: %(answer)s"
    ),
    "asked_to_wait": _(
        "%(by_kind)s asked to wait with the message to %(who)s; next attempt at "
        "%(when)s. Answer: %(answer)s"
    ),
    "retrying": _(
        "The message to %(who)s by %(by_kind)s did not get through; next attempt at "
        "%(when)s. Answer: %(answer)s"
    ),
    "put_off": _("The message to %(who)s by %(by_kind)s is put off until %(when)s."),
    "sending": _("The message to %(who)s by %(by_kind)s is about to be sent."),
    "cancelled": _("The message to %(who)s by %(by_kind)s was cancelled: %(because)s."),
    "attempt": _("Attempt %(number)s at %(at)s: %(outcome)s. Answer: %(answer)s"),
}
SENTENCES: Mapping[str, Any] = (
    dict(IDENTITY)
    | dict(ROUTES)
    | dict(URGENCY)
    | dict(QUIET)
    | dict(CROWD)
    | dict(POLICY)
    | dict(SENT)
    | dict(ENDINGS)
)
