"""Which words does the browser's module say? All of them come from here."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext


def words() -> dict[str, str]:
    """Return the module's texts in the language of the request.

    Names in braces are filled in by the browser, always as text.
    """
    return _states() | _acts() | _counts() | _reasons()


def _states() -> dict[str, str]:
    return {
        "live": _("Live"),
        "connecting": _("Connecting …"),
        "reconnecting": _("Reconnecting …"),
        "stale": _("No news for {seconds} s"),
        "offline": _("Offline"),
        "signedOut": _("Signed out"),
        "paused": _("Paused"),
        "firing": _("firing"),
        "acknowledged": _("acknowledged"),
        "snoozed": _("snoozed"),
        "flapping": _("flapping"),
        "inStorm": _("in a storm"),
        "silenced": _("silenced"),
        "inhibited": _("inhibited"),
        "someQuiet": _("{quiet} of {firing} quiet"),
        "stormOn": _("Storm on {route}: {count} alerts. One page speaks for them."),
        "resolved": _("resolved"),
        "severity5": _("critical"),
        "severity4": _("error"),
        "severity3": _("warning"),
        "severity2": _("info"),
        "severity1": _("debug"),
    }


def _acts() -> dict[str, str]:
    return {
        "acknowledge": _("Acknowledge"),
        "unacknowledge": _("Withdraw"),
        "resolve": _("Resolve"),
        "snooze": _("Snooze 1 h"),
        "silence": _("Silence"),
        "silencedUntil": _("Silenced until {time}."),
        "silenceOver": _("The silence is over."),
        "undo": _("Undo"),
        "escalate": _("Escalate now"),
        "escalateDone": _("the next step is done at once"),
        "select": _("Select #{number}"),
        "ackedBy": _("by {who}"),
        "until": _("until {time}"),
        "assignedTo": _("assigned to {who}"),
        "next": _("{who} in {time}"),
        "nextStep": _("next step"),
        "nextNow": _("{who} now"),
        "sla_acknowledge": _("acknowledge within {time}"),
        "sla_resolve": _("resolve within {time}"),
        "slaMissed": _("service level missed by {time}"),
        "noPolicy": _("nobody is told"),
        "lastStep": _("no further step"),
        "since": _("since {time}"),
        "selected": _("{count} selected"),
        "newsWaiting": _("{count} changes waiting"),
        "doneOne": _("#{number}: {state}."),
        "doneMany": _("{count} groups: {state}."),
        "failed_forbidden": _("Your role does not allow this."),
        "failed_stale": _("#{number} changed meanwhile. Look again."),
        "failed_resolved": _("#{number} is resolved already."),
        "failed_nothing_due": _("#{number} has no further step."),
        "failed_others": _("#{number} waits for others to acknowledge it."),
        "failed_too_late": _("#{number}: there is nothing to undo any more."),
        "failed_not_found": _("#{number} no longer exists."),
        "failed_unavailable": _("The server cannot do this right now. Try again."),
        "failed": _("This did not work: {reason}"),
        "refused": _("{count} groups could not be changed."),
        "firstArrived": _("The first alert arrived."),
        "announce": _("{firing} firing, {acknowledged} acknowledged."),
        "announceNew": _("New: {title}"),
    }


def _counts() -> dict[str, str]:
    return {
        "alertsOne": ngettext("{count} alert", "{count} alerts", 1),
        "alertsMany": ngettext("{count} alert", "{count} alerts", 2),
        "firingOf": _("{firing} of {count} firing"),
        "more": _("Show more"),
        "nothing": _("Nothing is firing."),
        "nothingFound": _("No group matches the filter."),
    }


def _reasons() -> dict[str, str]:
    """Return why a group has its priority: the codes of alertcenter.alerts.priority."""
    return {
        "priority": _("P{level}: {reasons}"),
        "why_severity": _("severity {severity}"),
        "why_tier1": _("the service is vital"),
        "why_tier4": _("the service is minor"),
        "why_dependents": _("{count} services in trouble need it"),
        "why_size": _("{count} alerts or more fire"),
        "why_info": _("information only"),
        "service": _("Service {name}"),
    }


def outbox_words() -> dict[str, str]:
    """Return the texts of the outbox's module."""
    return {
        "edited": _("(edited)"),
        "earlier": _("{count} earlier lines"),
        "broadcast": _("also sent to the channel"),
        "onlyYou": _("Only visible to you"),
        "to": _("To:"),
        "mail": _("E-mail"),
        "plainText": _("Plain text"),
        "headers": _("Headers"),
        "asSent": _("As sent"),
        "pressed": _("Pressed. The callback was accepted."),
        "refused": _("The callback was refused: {status} {answer}"),
        "unreachable": _("The server cannot be reached."),
        "person": _("Choose a person"),
        "running": _("{title}, {seconds} s:"),
        "over": _("{title} is over."),
        "became": _("{alerts} alerts became {pages} pages."),
    }
