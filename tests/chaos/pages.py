"""Did every page arrive, once, in order, at its own tenant's, and in time?"""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

from tests.chaos.checker import IN_THE_AIR, ROUNDING, Findings, Known, at
from tests.chaos.record import Arrival, Delivery, Fault, Step

# The vendor's process reads its requests one after the other.
SAME_MOMENT = 0.1
# From a request to the commit of its outcome, with the pauses of a patient sender.
SETTLING = 15.0
# Faults that may end a send between the vendor's answer and our commit of it.
INSIDE_A_SEND = (
    "kill dispatcher",
    "kill worker",
    "kill pool process",
    "kill postgres backend",
    "kill postmaster",
    "failpoint",
    "stop dispatcher",
    "stop worker",
    "postgres blackhole",
    "postgres reset",
    "postgres latency",
    "third dispatcher",
    "redis blackhole",  # Celery cancels what runs when its broker is lost
    "redis reset",
    "kill redis",
    "stop redis",
)
# Faults in which what was judged may leave much later.
DELAYS = ("stop dispatcher", "stop worker", "postgres latency", "postgres blackhole")
ONCE = ("page", "reply")
MOST_COPIES = 2


def check(known: Known, found: Findings) -> None:
    outbox = Outbox(known)
    outbox.check_arrivals(found)
    for step in known.record.steps:
        if step.state == "done" and step.done is not None:
            check_step(known, outbox, step, step.done, found)
    for row in known.record.deliveries:
        if row.kind in ONCE:
            check_copies(known, outbox, row, found)
        if row.kind == "page" and row.group:
            check_hushed(known, outbox, row, found)
    check_order(outbox, found)


class Outbox:
    """Deliveries and arrivals, by what they are looked up by."""

    def __init__(self, known: Known) -> None:
        self.rows = {row.id: row for row in known.record.deliveries}
        self.by_step: dict[str, list[Delivery]] = defaultdict(list)
        self.lanes: dict[tuple[str, str], list[Delivery]] = defaultdict(list)
        self.all: list[Arrival] = sorted(known.record.arrivals, key=lambda one: one.at)
        self.arrivals: dict[str, list[Arrival]] = defaultdict(list)
        for row in sorted(known.record.deliveries, key=lambda row: row.order):
            self.by_step["/".join(row.idem.split("/")[:3])].append(row)
            self.lanes[row.slug, row.lane].append(row)
        for arrival in self.all:
            self.arrivals[arrival.id].append(arrival)

    def shown(self, row: Delivery) -> list[Arrival]:
        return [one for one in self.arrivals[row.id] if one.shown]

    def check_arrivals(self, found: Findings) -> None:
        """What arrived was promised, and is its own tenant's."""
        for one in self.all:
            if one.fate == "reset_unread":
                continue
            found.counts["requests at the vendor"] += 1
            row = self.rows.get(one.id)
            where = f"{one.slug} {one.place} {one.name}"
            if row is None:
                found.wrong("phantom", where, f"no delivery {one.id!r}")
                continue
            said = one.said_slug or row.slug
            if not one.slug == row.slug == said or not of(one):
                found.wrong("crossed", where, f"delivery {one.id} of {row.slug}")


def of(one: Arrival) -> bool:
    """Whether a place of Slack's is of the tenant whose token was used."""
    return one.place.startswith("hook-") or one.slug in one.place.lower()


# --- every step's page ---


def check_step(
    known: Known, outbox: Outbox, step: Step, done: float, found: Findings
) -> None:
    rows = outbox.by_step[f"{step.run}/{step.position}/{step.round}"]
    if len(rows) != 1:
        found.wrong("lost", at(step), f"{len(rows)} pages of one step")
        return
    row = rows[0]
    found.counts["pages"] += 1
    early = [one.at for one in outbox.arrivals[row.id] if one.at < done - SAME_MOMENT]
    if early:
        text = f"delivery {row.id} {done - early[0]:.3f} s before its claim"
        found.wrong("early", at(step), text)
    if why := undelivered(known, outbox, row, done):
        found.wrong("lost", at(step), f"delivery {row.id}: {why}")
    elif outbox.shown(row):
        found.counts["pages delivered"] += 1
        if (first := outbox.arrivals[row.id][0]).shown:  # it was not refused at first
            found.arrival.append(first.at - done)
    elif gave_up(row):
        found.counts["pages given up in doubt"] += 1


def gave_up(row: Delivery) -> bool:
    """Whether it was cut off at each try: of what may have arrived no more copies leave
    (docs/delivery.md), and a fallback, which this world has none of, would be told."""
    in_doubt = row.state == "ambiguous" and row.next_at is None
    return in_doubt and row.attempts >= MOST_COPIES


def undelivered(known: Known, outbox: Outbox, row: Delivery, done: float) -> str:
    """Return why nobody was told although somebody had to be; "" if all is well."""
    if outbox.shown(row):
        return ""
    if row.state == "cancelled":
        return "" if known.may_end(row.group, done) else "cancelled by nobody"
    if row.state == "merged":
        digest = outbox.rows.get(row.merged_into)
        if digest is None:
            return "merged into nothing"
        if digest.state == "cancelled" and known.may_end(row.group, done):
            return ""
        return undelivered(known, outbox, digest, done)
    if row.next_at is None and known.may_end(row.group, done):
        return ""  # in doubt when somebody took it in hand
    if gave_up(row):
        return ""
    return f"{row.state} after {row.attempts} attempts, and never arrived"


# --- copies ---


def check_copies(known: Known, outbox: Outbox, row: Delivery, found: Findings) -> None:
    """A further copy follows only what the vendor cut off, or one fault each."""
    shown = outbox.shown(row)
    if len(shown) < 2:
        return
    usable = [f for f in known.record.faults if f.fault in INSIDE_A_SEND]
    for earlier, later in pairwise(shown):
        if earlier.doubtful:
            found.counts["copies after the vendor's reset"] += 1
            continue
        fault = next((f for f in usable if hits(f, earlier.at, later.at)), None)
        if fault is None:
            text = f"{len(shown)} copies of {row.kind} {row.id}, {later.at:.3f}"
            found.wrong("copy", f"group {row.group} {later.place}", text)
            continue
        usable.remove(fault)
        found.counts["copies after a fault"] += 1


def hits(fault: Fault, begin: float, end: float) -> bool:
    return fault.begun <= min(end, begin + SETTLING) and fault.ended >= begin - 1.0


# --- after an acknowledgement ---


def check_hushed(known: Known, outbox: Outbox, row: Delivery, found: Findings) -> None:
    """Nothing leaves about a group that somebody surely has in hand."""
    for begin, end in known.hushed(row.group):
        for one in outbox.arrivals[row.id]:
            if not begin + IN_THE_AIR < one.at < end:
                continue
            if any(
                f.fault in DELAYS and f.begun <= one.at and f.ended >= begin - 1.0
                for f in known.record.faults
            ):
                found.counts["held up in the air past an acknowledgement"] += 1
                continue
            text = f"delivery {row.id} left {one.at - begin:.1f} s after it"
            found.wrong("after acknowledgement", f"group {row.group}", text)


# --- order ---


def check_order(outbox: Outbox, found: Findings) -> None:
    """In one lane a page arrives after the pages before it, a reply after all."""
    for (slug, lane), rows in outbox.lanes.items():
        last = dict.fromkeys(ONCE, 0.0)
        for row in rows:
            shown = outbox.shown(row)
            if row.kind not in ONCE or not shown or row.instead:
                continue
            found.counts["in order"] += 1
            came = shown[0].at
            before = last["page"] if row.kind == "page" else max(last.values())
            if came < before - SAME_MOMENT - ROUNDING:
                text = f"{row.kind} {row.id} came {before - came:.3f} s too soon"
                found.wrong("order", f"{slug} {lane}", text)
            last[row.kind] = max(last[row.kind], came)
