"""What does a text message ask for? ACK, RESOLVE, with or without numbers, STOP, START.

Without a number it means what this phone was told of in the last day, if that is one
thing. Twilio itself answers STOP, START and HELP
(https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out): to those we say
nothing, and write no more to who said STOP.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db.models.functions import Now
from django.utils import translation
from django.utils.translation import gettext as _

from alertcenter.alerts.models import Group
from alertcenter.api.phone_people import Answer, act, owner_of, unknown
from alertcenter.common.buckets import Buckets
from notifications import heard
from notifications.callbacks import Place
from notifications.channels import twiml
from notifications.models import Contact, Delivery
from tenants import audit
from tenants.actors import MEMBER, Actor
from tenants.models import Member, Tenant

COMMANDS: Mapping[str, str] = {
    "ACK": "acknowledge", "ACKNOWLEDGE": "acknowledge", "A": "acknowledge",
    "RESOLVE": "resolve", "RES": "resolve", "R": "resolve", "CLOSE": "resolve",
}  # fmt: skip
# https://help.twilio.com/articles/223134027: the words that Twilio obeys by itself.
STOPS = frozenset(
    ("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT")
)
STARTS = frozenset(("START", "UNSTOP", "YES"))
HELPS = frozenset(("HELP", "INFO"))
NUMBER = re.compile(r"#?([0-9]{1,9})[.,;]?")
GLUED = re.compile(r"([A-Z]+)#?([0-9]{1,9})")
ALL = "ALL"
TOLD_WITHIN = timedelta(days=1)
MOST_AT_ONCE = 20
# Strangers are told once or twice that they are strangers: two machines that answer
# each other would never stop.
STRANGERS = Buckets(rate=1 / 3600, burst=2)


@dataclass(frozen=True)
class Wish:
    """What a text message asks for."""

    act: str = ""  # acknowledge, resolve, stop, start, help; "" for none of these
    numbers: tuple[int, ...] = ()
    all: bool = False


def read(body: str) -> Wish:
    """Return what the words mean. What follows the numbers is for people."""
    words = GLUED.sub(r"\1 \2", body.upper()).split()
    first = words[0].strip(".,;:!") if words else ""
    if len(words) == 1:
        for names, what in ((STOPS, "stop"), (STARTS, "start"), (HELPS, "help")):
            if first in names:
                return Wish(what)
    if first not in COMMANDS:
        return Wish()
    numbers: list[int] = []
    for word in words[1 : MOST_AT_ONCE + 1]:
        found = NUMBER.fullmatch(word)
        if found is None:
            break
        numbers.append(int(found[1]))
    every = len(words) > 1 and words[1].strip(".,;:!") == ALL
    return Wish(COMMANDS[first], tuple(dict.fromkeys(numbers)), every)


def take(place: Place, form: Mapping[str, str]) -> tuple[str, str]:
    """Do what a text message asks for; return a word for counters, and the answer as
    TwiML. In the tenant's transaction."""
    number, sid = form.get("From", ""), form.get("MessageSid", "")
    if not sid:
        return "ignored", twiml.message("")
    wish = read(form.get("Body", ""))
    seen: list[str] = []

    def do() -> str:
        answer = obeyed(place.tenant_id, number, wish)
        seen.append(answer.outcome)
        return twiml.message(answer.words)

    said = heard.once(place.tenant_id, f"text/{sid}", do)
    return (seen[0] if seen else "known"), said


def obeyed(tenant_id: UUID, number: str, wish: Wish) -> Answer:
    if wish.act in ("stop", "start"):
        return remember(tenant_id, number, wish.act)
    if wish.act == "help":
        return Answer("help", "")
    member = owner_of(tenant_id, "sms", number)
    language = member.language if member else ""
    with translation.override(language or Tenant.objects.get(pk=tenant_id).language):
        if member is None:
            return stranger(tenant_id, number)
        if not wish.act:
            return Answer("not_understood", how_to())
        return do_it(member, number, wish)


def how_to() -> str:
    return _("Write ACK or RESOLVE and a number, such as ACK 12.")


def stranger(tenant_id: UUID, number: str) -> Answer:
    key = (tenant_id, number)
    if STRANGERS.wait(key):
        return Answer("unknown_number", "")
    STRANGERS.take(key)
    return unknown()


def do_it(member: Member, number: str, wish: Wish) -> Answer:
    if wish.numbers:
        return by_number(member, wish)
    told = told_of(member.tenant_id, number, wish.act)
    if not told:
        words = _("Nothing that this phone was told of is waiting.")
        return Answer("nothing", words)
    if len(told) > 1 and not wish.all:
        words = _("Several are waiting: %(numbers)s. Write %(word)s and a number.")
        shown = ", ".join(f"#{group.number}" for group in told)
        word = "RESOLVE" if wish.act == "resolve" else "ACK"
        return Answer("several", words % {"numbers": shown, "word": word})
    return act(member, wish.act, [group.pk for group in told])


def by_number(member: Member, wish: Wish) -> Answer:
    found = Group.objects.filter(
        tenant_id=member.tenant_id, number__in=wish.numbers
    ).order_by("number")
    groups = {group.number: group.pk for group in found}
    missing = [number for number in wish.numbers if number not in groups]
    lines = [_("There is no #%(number)s.") % {"number": one} for one in missing]
    if not groups:
        return Answer("not_found", " ".join(lines))
    answer = act(member, wish.act, list(groups.values()))
    return Answer(answer.outcome, " ".join([answer.words, *lines]))


def told_of(tenant_id: UUID, number: str, wanted: str) -> Sequence[Group]:
    """Return the groups that this phone was told of lately and that `wanted` fits."""
    told = Delivery.objects.filter(
        tenant_id=tenant_id,
        channel_kind__in=("sms", "voice"),
        address=number,
        kind="page",
        group_id__isnull=False,
        created_at__gte=Now() - TOLD_WITHIN,
    ).exclude(state="cancelled")
    groups = Group.objects.filter(
        tenant_id=tenant_id, pk__in=told.values("group_id")
    ).exclude(state="resolved")
    if wanted == "acknowledge":
        groups = groups.exclude(state="acknowledged")
    return list(groups.order_by("number")[:MOST_AT_ONCE])


def remember(tenant_id: UUID, number: str, what: str) -> Answer:
    """Write no more to this number, or do so again."""
    rows = Contact.objects.filter(tenant_id=tenant_id, kind="sms", address=number)
    for contact in rows.select_related("member"):
        member = contact.member
        stopped = Now() if what == "stop" else None
        Contact.objects.filter(pk=contact.pk).update(stopped_at=stopped)
        actor = Actor(MEMBER, str(member.pk), member.name)
        action = f"contact.{'stopped' if what == 'stop' else 'started'}"
        audit.record(tenant_id, actor, action, kind="contact", object_id=contact.pk)
    return Answer(what, "")
