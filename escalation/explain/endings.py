"""Which sentence belongs to which conclusion of an explanation?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

CONCLUSIONS: Mapping[str, Any] = {
    "told": _("%(who)s was told by %(by_kind)s at %(at)s. Answer: %(answer)s"),
    "told_more": _(
        "%(who)s was told by %(by_kind)s at %(at)s, and so were: %(others)s. Answer: "
        "%(answer)s"
    ),
    "told_channel": _("%(who)s was told at %(at)s (%(reason)s)."),
    "told_channel_more": _(
        "%(who)s was told at %(at)s (%(reason)s), and so were: %(others)s."
    ),
    "told_before": _(
        "%(who)s was told of group #%(group)s at %(at)s, before this alert joined it; "
        "a group is told of once, not for each alert."
    ),
    "told_in_doubt": _(
        "The message to %(who)s by %(by_kind)s may have arrived. Answer: %(answer)s"
    ),
    "not_yet_accepted": _(
        "Nobody was told yet: the message to %(who)s by %(by_kind)s is tried again at "
        "%(when)s. Answer: %(answer)s"
    ),
    "being_sent": _("The message to %(who)s by %(by_kind)s is about to be sent."),
    "put_off_until": _(
        "Nobody was told yet: the message to %(who)s by %(by_kind)s is put off until "
        "%(when)s."
    ),
    "failed": _(
        "Nobody was reached: %(by_kind)s to %(who)s was given up at %(at)s. Answer: "
        "%(answer)s"
    ),
    "nobody_no_route": _(
        "Nobody is told: no route takes it and there is no default route."
    ),
    "nobody_route": _("Nobody is told: route %(route)s tells nobody."),
    "nobody_storm": _(
        "Nobody was told of it by itself: it opened in a storm on route %(route)s, and "
        "group %(group)s speaks for all of them."
    ),
    "nobody_no_run": _("Nobody was notified: the policy had no step to take."),
    "nobody_acknowledged": _(
        "Nobody was notified: %(who)s acknowledged it at %(at)s, before anything was "
        "sent."
    ),
    "nobody_snoozed": _(
        "Nobody was notified: %(who)s snoozed it at %(at)s for %(seconds)s, before "
        "anything was sent."
    ),
    "nobody_acknowledged_then": _(
        "Nobody was notified: %(by)s acknowledged it at %(at)s, before anything was "
        "sent."
    ),
    "nobody_snoozed_then": _(
        "Nobody was notified: %(by)s snoozed it at %(at)s, before anything was sent."
    ),
    "nobody_silenced": _(
        "Nobody was notified because silence “%(silence)s” by %(who)s matches until "
        "%(until)s."
    ),
    "nobody_silenced_then": _(
        "Nobody was notified because silence “%(silence)s” by %(who)s matched until "
        "%(until)s."
    ),
    "nobody_inhibited": _(
        "Nobody was notified because rule %(rule)s keeps it quiet while “%(source)s” "
        "fires (equal: %(equal)s)."
    ),
    "nobody_inhibited_then": _(
        "Nobody was notified because rule %(rule)s kept it quiet while “%(source)s” "
        "fired (equal: %(equal)s)."
    ),
    "nobody_interval_mutes": _(
        "Nobody was notified: route %(route)s is quiet in %(interval)s."
    ),
    "nobody_interval_outside": _(
        "Nobody was notified: route %(route)s is heard in %(interval)s only."
    ),
    "nobody_held": _("Nobody was notified: %(reason)s."),
    "nobody_step_nobody_on_call": _(
        "Nobody was notified: nobody was on call in %(schedule)s at %(at)s."
    ),
    "nobody_step_no_address": _("Nobody was notified: %(who)s has no address."),
    "nobody_step_channel_gone": _(
        "Nobody was notified: channel %(who)s is gone or switched off."
    ),
    "nobody_step_failed": _(
        "Nobody was notified: the step for %(who)s could not be carried out."
    ),
    "nobody_step_nobody": _("Nobody was notified: %(reason)s."),
    "nobody_resolved": _("Nobody was notified: it was over at %(at)s, before that."),
    "cannot_be_done": _("Nobody was notified: it cannot be done. %(error)s"),
    "due_now": _("It is due since %(at)s; the engine takes it up next."),
    "waits_group_wait": _(
        "Waits for more alerts until %(at)s (group wait); then tells %(who)s."
    ),
    "waits_channels": _(
        "Waits for more alerts until %(at)s (group wait %(seconds)s); then tells the "
        "route's channels."
    ),
    "waits_channels_again": _(
        "The route's channels hear again at %(at)s at the earliest, if there is "
        "something new; otherwise every %(repeat_seconds)s."
    ),
    "waits_waiting": _("The policy waits: %(reason)s (looked at again at %(at)s)."),
    "waits_step": _("Waits until %(at)s; then tells %(who)s."),
    "parked": _("Not followed yet: it could not be and was set aside to be retried."),
    "not_looked_at": _("Not followed yet: the engine takes it up in its turn."),
    "came_resolved": _("Nobody was told: it was over when it came."),
    "in_no_group": _("Nobody was told: it never came into a group."),
    "unknown": _("Nothing says that anybody was told, or what kept them from it."),
}
NEXT: Mapping[str, Any] = {
    "next_over": _("It is over since %(at)s: nothing more is to come."),
    "next_acknowledged": _("%(who)s acknowledged it at %(at)s: nobody else is told."),
    "next_snoozed": _(
        "%(who)s snoozed it at %(at)s for %(seconds)s: then the policy begins anew."
    ),
    "next_silenced": _(
        "Nobody is told further: silence “%(silence)s” by %(who)s matches until "
        "%(until)s."
    ),
    "next_inhibited": _(
        "Nobody is told further: rule %(rule)s keeps it quiet while “%(source)s” fires."
    ),
    "next_held": _("Step %(step)s (%(who)s) waits: %(reason)s."),
    "next_step": _("Next: %(who)s at %(at)s."),
    "next_nobody": _("Next: nobody is on call in %(schedule)s at %(at)s."),
    "next_waiting": _("Next: %(who)s, looked at again at %(at)s: %(reason)s."),
    "next_finished": _("The policy has come to its end: nobody else is told."),
}
WOULD: Mapping[str, Any] = {
    "would_drop": _("Nobody would be told: rule %(rule)s drops the event."),
    "would_be_over": _("Nobody would be told: the event says that it is over."),
    "would_no_route": _(
        "Nobody would be told: no route takes it and there is no default route."
    ),
    "would_route_nobody": _("Nobody would be told: route %(route)s tells nobody."),
    "would_silence": _(
        "Nobody would be told: silence “%(silence)s” by %(who)s matches until "
        "%(until)s."
    ),
    "would_inhibit": _(
        "Nobody would be told: rule %(rule)s keeps it quiet while “%(source)s” fires "
        "(equal: %(equal)s)."
    ),
    "would_interval_mutes": _(
        "Nobody would be told then: route %(route)s is quiet in %(interval)s."
    ),
    "would_interval_outside": _(
        "Nobody would be told then: route %(route)s is heard in %(interval)s only."
    ),
    "would_group_taken": _(
        "Nobody would be told: it would join group #%(group)s, which is %(state)s."
    ),
    "would_group_told": _(
        "It would join group #%(group)s, which is open: nobody is told anew."
    ),
    "would_first": _("%(who)s would be told at %(at)s."),
    "would_channels": _("Channels would be told at %(at)s: %(channels)s."),
    "would_policy_empty": _(
        "Nobody would be told: policy %(policy)s has no step that tells anybody."
    ),
    "would_nobody": _("Nobody would be told: no step of the policy reaches anybody."),
}
ENDINGS: Mapping[str, Any] = dict(CONCLUSIONS) | dict(NEXT) | dict(WOULD)
