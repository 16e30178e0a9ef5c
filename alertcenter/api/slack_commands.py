"""What does `/alert` do? One line is read, one act done, one answer given.

https://docs.slack.dev/interactivity/implementing-slash-commands
Whatever changes something goes through the same doors as everywhere else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.utils.translation import gettext as _

from alertcenter.alerts import durations, lifecycle, silence_presets, silences
from alertcenter.alerts.durations import DurationError
from alertcenter.alerts.models import Group
from alertcenter.alerts.silence_drafts import check_matchers, read_matchers
from alertcenter.alerts.silence_preview import preview
from alertcenter.alerts.silences import Draft, SilenceError
from alertcenter.api import slack_people
from alertcenter.api.slack_said import (
    Said,
    called,
    lines,
    link,
    not_done,
    safe,
    sign_of,
)
from escalation import actions, calendar_words, notes, oncall, responders
from escalation.acting import Outcome
from notifications import localize
from tenants import roles
from tenants.models import Member, Tenant

MOST_LISTED = 15
MOST_NUMBERS = 20
MOST_DIGITS = 12
# Slack's editor writes these for quotation marks.
CURLY = str.maketrans("\u201c\u201d\u201e\u2018\u2019", '"""\'\'')
# A condition whose value may be quoted, or any word.
WORD = re.compile(r'[^\s"=!~,{}]+(?:=~|!~|!=|=)"(?:[^"\\]|\\.)*"|[^\s,{}]+')
CONDITION = re.compile(r"[^=!~]+(?:=~|!~|!=|=)")


@dataclass(frozen=True)
class Asked:
    """One command of a member; `row` makes what it does happen once."""

    tenant: Tenant
    member: Member
    text: str
    row: int

    @property
    def words(self) -> list[str]:
        return self.text.split()[1:]

    def url(self, path: str) -> str:
        return f"{settings.BASE_URL}/t/{self.tenant.slug}/{path}"


def run(asked: Asked) -> Said:
    """Do what the line says, in the tenant's context and its member's language."""
    verb = asked.text.split()[0].lower() if asked.text.split() else "help"
    needs, do = VERBS.get(verb, (roles.VIEW, unknown))
    if not roles.may(asked.member.role, needs):
        return Said(_("Your role does not allow this."), done=False)
    return do(asked)


def unknown(asked: Asked) -> Said:
    verb = safe(asked.text.split()[0], 40)
    said = _("I do not know “%(verb)s”.") % {"verb": verb}
    return Said(f"{said}\n{usage()}", done=False)


def help_(_asked: Asked) -> Said:
    return Said(usage())


def usage() -> str:
    """Return what can be asked for, one line each."""
    known = (
        ("list", _("what is open, the worst first")),
        ("ack 12", _("acknowledge #12; several numbers will do")),
        ("unack 12", _("take that back")),
        ("resolve 12", _("resolve #12")),
        ("note 12 …", _("write a note into the story of #12")),
        ("page @someone 12", _("call somebody about #12, or say what it is about")),
        ("oncall", _("who is on call")),
        ('silence env="staging" 2h …', _("mute what fits, for so long, and why")),
        ("help", _("this")),
    )
    return "\n".join(f"`/alert {safe(what)}` {words}" for what, words in known)


# --- looking ---


def listed(asked: Asked) -> Said:
    """Say what is open."""
    rows = Group.objects.filter(tenant_id=asked.tenant.pk).exclude(state="resolved")
    order = ("-severity", "-opened_at")
    found = list(rows.order_by(*order)[: MOST_LISTED + 1])
    if not found:
        return Said(_("Nothing is open."))
    told = [about(asked, group) for group in found[:MOST_LISTED]]
    if len(found) > MOST_LISTED:
        told.append(link(asked.url(""), _("and more")))
    return Said(lines(told))


def about(asked: Asked, group: Group) -> str:
    """Return a group in one line, which leads to its page."""
    where = link(asked.url(f"groups/{group.number}"), f"#{group.number} {group.title}")
    state = localize.state_word(group.state, asked.member.language)
    who = f" · {safe(group.acked_by, 60)}" if group.state == "acknowledged" else ""
    return f"{sign_of(group)} {where} · {state}{who}"


def on_call(asked: Asked) -> Said:
    """Say who is on call, and until when."""
    found = oncall.everyone_on_call(asked.tenant.pk, lifecycle.database_time())
    if not found:
        return Said(_("There is no schedule yet."))
    return Said(lines(shift(one, asked.member) for one in found))


def shift(one: oncall.OnCall, reader: Member) -> str:
    """Return one schedule in a line, its times in the reader's zone."""
    name = f"*{safe(one.schedule.name, 80)}*"
    if not one.members:
        said = _("%(order)s: nobody") % {"order": name}
        return f"{said}. {calendar_words.too_much()}" if one.too_much else said
    until = one.until.isoformat() if one.until else None
    words = {
        "order": name,
        "who": safe(one.names, 200),
        "until": safe(localize.moment(until, reader.language, reader.time_zone)),
        "next": safe(one.next_names, 200) or _("nobody"),
    }
    if one.too_much:
        words["why"] = calendar_words.too_much()
        return _("%(order)s: %(who)s. %(why)s") % words
    if one.until is None:
        return _("%(order)s: %(who)s") % words
    return _("%(order)s: %(who)s until %(until)s, then %(next)s") % words


# --- acting on groups ---


def acting(act: str, done: Callable[[int], str]) -> Callable[[Asked], Said]:
    """Return the command that does `act` to groups by their numbers."""

    def do(asked: Asked) -> Said:
        groups, missing = by_number(asked, asked.words)
        if not groups and not missing:
            return Said(_("Say which: a number, such as 12."), done=False)
        told = [_("There is no #%(number)s.") % {"number": n} for n in missing]
        outcomes = actions.DO[act](
            asked.tenant.pk,
            [group.pk for group in groups],
            actor=slack_people.actor_of(asked.member),
        )
        told += [done(one.number) if one.done else not_done(one) for one in outcomes]
        return Said(lines(told), done=all(one.done for one in outcomes))

    return do


def by_number(asked: Asked, words: list[str]) -> tuple[list[Group], list[str]]:
    """Return the groups that these words name, and the numbers that none has."""
    texts = [word.strip("#,") for word in words][:MOST_NUMBERS]
    numbers = {int(text) for text in texts if is_number(text)}
    rows = Group.objects.filter(tenant_id=asked.tenant.pk, number__in=numbers)
    groups = list(rows.order_by("number"))
    found = {group.number for group in groups}
    missing = [safe(t, 20) for t in texts if not is_number(t) or int(t) not in found]
    return groups, missing


def is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS


def note(asked: Asked) -> Said:
    """Write a note: `note 12 words`."""
    groups, _missing = by_number(asked, asked.words[:1])
    text = asked.text.split(maxsplit=2)[2:]
    if not groups or not text:
        return Said(
            _("Say it like this: %(example)s")
            % {"example": "`/alert note 12 the disk was replaced`"},
            done=False,
        )
    actor = slack_people.actor_of(asked.member)
    outcome = notes.add(asked.tenant.pk, groups[0].pk, text[0], actor=actor)
    if not outcome.done:
        return Said(not_done(outcome), done=False)
    return Said(_("Noted in #%(number)s.") % {"number": outcome.number})


def page(asked: Asked) -> Said:
    """Call somebody: `page @someone 12`, or `page @someone words`."""
    who = asked.words[0] if asked.words else ""
    member = slack_people.mentioned(asked.tenant.pk, who)
    if member is None:
        said = _("I do not know whom you mean. Name a member, such as @anna.")
        return Said(said, done=False)
    groups, _missing = by_number(asked, asked.words[1:2])
    words = " ".join(asked.words[1:])
    if not groups and not words:
        said = _("Say what it is about: a number, or some words.")
        return Said(said, done=False)
    actor = slack_people.actor_of(asked.member)
    once = f"slack/{asked.row}"
    pk = asked.tenant.pk
    if groups:
        outcome = responders.add(pk, groups[0].pk, member.pk, actor=actor, once=once)
        return Said(called(member.name, outcome), done=outcome.done)
    reached = responders.call(pk, member.pk, words, actor=actor, once=once)
    outcome = Outcome(pk, 0, reached, "done" if reached else "no_address", "")
    return Said(called(member.name, outcome), done=reached)


# --- silencing ---


def silence(asked: Asked) -> Said:
    """Mute what fits: `silence env="staging" team=db 2h because`."""
    conditions, seconds, comment = read_silence(asked.text.split(maxsplit=1)[1:])
    if not conditions or not seconds:
        return Said(
            _("Say it like this: %(example)s")
            % {"example": '`/alert silence env="staging" 2h upgrade`'},
            done=False,
        )
    now = lifecycle.database_time()
    draft = Draft(
        conditions,
        now + timedelta(seconds=seconds),
        comment=comment or _("From Slack"),
        created_by=asked.member.name,
    )
    try:
        check_matchers(read_matchers(conditions))
        found = silence_presets.preview_words(preview(asked.tenant.pk, conditions))
        actor = slack_people.actor_of(asked.member)
        row = silences.save(asked.tenant.pk, draft, actor=actor)
    except SilenceError as error:
        return Said(safe(error.message, 500), done=False)
    until = localize.moment(
        row.ends_at.isoformat(), asked.member.language, asked.member.time_zone
    )
    said = _("Silenced until %(until)s.") % {"until": safe(until)}
    return Said(
        f"{said} {safe(found, 300)} {link(asked.url('silences'), _('Silences'))}"
    )


def read_silence(texts: list[str]) -> tuple[list[str], int, str]:
    """Return conditions, seconds and reason; what is missing is empty."""
    conditions: list[str] = []
    text = texts[0].translate(CURLY) if texts else ""
    text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    for found in WORD.finditer(text):
        word = found.group(0)
        if CONDITION.match(word):
            conditions.append(word)
            continue
        return conditions, lasting(word), text[found.end() :].strip()
    return conditions, 0, ""


def lasting(word: str) -> int:
    """Return the seconds that a word such as 2h writes; 0 for any other."""
    try:
        return durations.milliseconds(word.lower()) // 1000
    except DurationError:
        return 0


Verb = tuple[str, Callable[[Asked], Said]]

ACKNOWLEDGE = acting(
    "acknowledge", lambda n: _("#%(number)s is acknowledged.") % {"number": n}
)
UNACKNOWLEDGE = acting(
    "unacknowledge", lambda n: _("#%(number)s fires again.") % {"number": n}
)
RESOLVE = acting("resolve", lambda n: _("#%(number)s is resolved.") % {"number": n})

VERBS: Mapping[str, Verb] = {
    "help": (roles.VIEW, help_),
    "list": (roles.VIEW, listed),
    "ls": (roles.VIEW, listed),
    "oncall": (roles.VIEW, on_call),
    "who": (roles.VIEW, on_call),
    "ack": (roles.ACT, ACKNOWLEDGE),
    "acknowledge": (roles.ACT, ACKNOWLEDGE),
    "unack": (roles.ACT, UNACKNOWLEDGE),
    "resolve": (roles.ACT, RESOLVE),
    "note": (roles.ACT, note),
    "page": (roles.ACT, page),
    "silence": (roles.ACT, silence),
}
