"""By what, and when, has a person to be told? The checker's own reckoning.

The rules are those of docs/personal-notifications.md.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.timemachine.cover import hours_near
from tests.timemachine.world import Contact, Person, Tenant

# Kinds that leave through a channel of the tenant, and those that are proven first.
THROUGH_CHANNEL = {"sms", "voice", "slack"}
PROVEN = {"sms", "voice"}
LONGEST_HOLD = timedelta(days=8)

Call = tuple[datetime, str, str]  # when, by what kind, where


def reachable(tenant: Tenant, person: Person) -> list[tuple[str, str, str]]:
    """Return (contact's key, kind, address) of what can be used."""
    found = [
        (one.key, one.kind, one.address)
        for one in person.contacts
        if usable(tenant, one)
    ]
    if not found and person.mailbox:
        found = [("", "email", person.mailbox)]
    return found


def usable(tenant: Tenant, contact: Contact) -> bool:
    """Whether a contact is proven and there is a channel for it."""
    if contact.kind in PROVEN and not contact.proven:
        return False
    return contact.kind not in THROUGH_CHANNEL or tenant.has_channel(contact.kind)


def calls(tenant: Tenant, person: Person, severity: int, at: datetime) -> set[Call]:
    """Return all that a page at `at` makes; nothing for whoever is inactive."""
    if not person.active:
        return set()
    ways = reachable(tenant, person)
    hushed = severity < person.quiet_below
    important = severity >= person.important_from
    steps = [s for s in person.steps if s.important == important]
    if important and not steps:
        steps = [s for s in person.steps if not s.important]
    made: list[Call] = []
    now = at
    for step in steps:
        if step.kind == "wait":
            now += timedelta(seconds=step.wait)
            continue
        chosen = [
            (kind, address)
            for key, kind, address in ways
            if (key == step.contact if step.kind == "contact" else kind == step.by)
        ]
        now = tell(person, ways, chosen, now, hushed, made)
    if not made:
        everything = [(kind, address) for _key, kind, address in ways]
        tell(person, ways, everything, at, hushed, made)
    return set(made)


def tell(
    person: Person,
    ways: list[tuple[str, str, str]],
    chosen: list[tuple[str, str]],
    now: datetime,
    hushed: bool,
    made: list[Call],
) -> datetime:
    """Add the calls of one step; return the moment to which the chain has come."""
    if hushed and (over := quiet_until(person, now)) != now:
        boxes = [("email", address) for _key, kind, address in ways if kind == "email"]
        if over is not None and (person.quiet_how == "hold" or not boxes):
            now = over
        else:
            told = {call[1:] for call in made}
            chosen = [box for box in boxes if box not in told]
    made += [(now, kind, address) for kind, address in chosen]
    return now


def quiet_until(person: Person, at: datetime) -> datetime | None:
    """Return when the quiet is over: at once, later, or (None) never."""
    zone, moment = person.quiet_zone or person.zone, at
    while True:
        ends = [
            end
            for one in person.quiet
            for begin, end in hours_near(zone, moment, one.days, one.begins, one.ends)
            if begin <= moment < end
        ]
        if not ends:
            return moment
        moment = max(ends)
        if moment - at > LONGEST_HOLD:
            return None
