"""Was every promise kept? Worked out anew from the ledgers and the database alone.

Nothing here asks the product: due times follow from the policy that the run wrote and
from the claim of the step before; who acknowledged when is what the client was
answered; what arrived is what the vendor saw. The ledger of the faults only explains
copies and stops that a fault may explain.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tests.chaos.record import Act, Event, Fault, Group, Record, Run, Step
from tests.chaos.world import Policy

# Of a double, and of the order in which two clocks on one host are read.
ROUNDING = 0.002
# A request that was judged before an acknowledgement committed is in the air so long.
IN_THE_AIR = 1.5
STUCK_SECONDS = 10.0
LATE_SECONDS = 10.0
MEGABYTES = 600
FOREVER = float("inf")
ENDS = ("acknowledge", "resolve")
# What may be answered while a dependency is away; 0: the web itself was.
FINE = (0, 503)
KINDS = {
    "acknowledge": "acknowledged",
    "unacknowledge": "unacknowledged",
    "resolve": "resolved",
    "escalate": "escalated",
}


@dataclass(frozen=True)
class Violation:
    """One broken promise, with enough to find the rows again."""

    kind: str
    where: str
    text: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.where}: {self.text}"


@dataclass
class Findings:
    """What was checked, and what was found."""

    violations: list[Violation] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    # Seconds from due (or from the end of the fault) to claim.
    calm: list[float] = field(default_factory=list)
    after_faults: list[float] = field(default_factory=list)
    during: list[float] = field(default_factory=list)
    # Seconds from the claim of a step to the arrival of its page.
    arrival: list[float] = field(default_factory=list)

    def wrong(self, kind: str, where: str, text: str) -> None:
        self.violations.append(Violation(kind, where, text))


class Known:
    """The record, by what it is looked up by."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.acts: dict[str, list[Act]] = defaultdict(list)
        self.events: dict[tuple[str, str], list[Event]] = defaultdict(list)
        self.runs: dict[str, list[Run]] = defaultdict(list)
        self.steps: dict[str, list[Step]] = defaultdict(list)
        self.groups = {group.id: group for group in record.groups}
        for act in record.acts:
            self.acts[act.group].append(act)
        for event in record.events:
            self.events[event.slug, event.name].append(event)
        for run in sorted(record.runs, key=lambda run: run.created):
            self.runs[run.group].append(run)
        for step in record.steps:
            self.steps[step.run].append(step)

    def over_by_source(self, group: Group) -> bool:
        """Whether its sender may have said that it is over."""
        mine = self.events[group.slug, group.name]
        return any(event.event == "resolved" for event in mine)

    def may_end(self, group_id: str, after: float) -> bool:
        """Whether somebody may have ended the paging after this moment."""
        group = self.groups.get(group_id)
        if group is not None and self.over_by_source(group):
            return True
        return any(
            act.act in ENDS and act.maybe and until(act) >= after
            for act in self.acts[group_id]
        )

    def began(self, run: Run) -> float:
        """Return when its cause came: the group opened, or somebody let it begin anew.

        The row itself is written a moment later, in the same transaction.
        """
        if run is self.runs[run.group][0]:
            return self.groups[run.group].opened
        anew = [a.sent for a in self.acts[run.group] if a.act == "unacknowledge"]
        return max((at for at in anew if at <= run.created), default=run.created)

    def hushed(self, group_id: str) -> list[tuple[float, float]]:
        """Return the spans in which it surely was acknowledged or resolved."""
        acts = self.acts[group_id]
        undone = [a for a in acts if a.act == "unacknowledge" and a.maybe]
        spans = []
        for act in acts:
            if act.act in ENDS and act.done:
                later = [u.sent for u in undone if until(u) >= act.sent]
                spans.append((act.answered, min(later, default=FOREVER)))
        return [(begin, end) for begin, end in spans if end > begin]


def until(act: Act) -> float:
    """Return when it was committed at the latest."""
    return act.answered if act.status == 200 else FOREVER


def check(record: Record) -> Findings:
    """Compare everything with everything."""
    from tests.chaos import pages  # which uses what is above

    known, found = Known(record), Findings()
    check_promised(known, found)
    check_answers(known, found)
    for group in record.groups:
        check_group(known, group, found)
    check_acts(known, found)
    pages.check(known, found)
    check_lateness(record, found)
    for name, megabytes in record.memory.items():
        if megabytes > MEGABYTES:
            found.wrong("memory", name, f"{megabytes} MB resident")
    return found


# --- what was answered ---


def check_promised(known: Known, found: Findings) -> None:
    """Every alert that was answered 2xx is there, in one group."""
    alerts = Counter(known.record.alerts)
    groups = Counter((group.slug, group.name) for group in known.record.groups)
    for place, events in known.events.items():
        if not any(e.event == "firing" and 200 <= e.status < 300 for e in events):
            continue
        found.counts["alerts promised"] += 1
        where = "/".join(place)
        if alerts[place] != 1:
            found.wrong("lost", where, f"{alerts[place]} alerts of what was taken")
        doubtful = any(event.status == 0 for event in events)
        # What is over before anybody has looked at it opens no group.
        over = any(event.event == "resolved" for event in events)
        if (not groups[place] and not over) or (groups[place] > 1 and not doubtful):
            found.wrong("lost", where, f"{groups[place]} groups of one alert")


def check_answers(known: Known, found: Findings) -> None:
    """While something is away the answer is 503, never another error."""
    answers: list[Event | Act] = [*known.record.events, *known.record.acts]
    for one in answers:
        found.counts["answers"] += 1
        if one.status not in FINE and not 200 <= one.status < 300:
            where = one.name if isinstance(one, Event) else f"{one.act} {one.group}"
            found.wrong("answer", where, f"status {one.status} at {one.sent:.3f}")


def check_acts(known: Known, found: Findings) -> None:
    """Every act that was answered as done stands in the timeline."""
    stored = Counter(known.record.acted)
    for group, acts in known.acts.items():
        for act, kind in KINDS.items():
            done = sum(a.act == act and bool(a.done) for a in acts)
            found.counts["acts done"] += done
            if stored[kind, group] < done:
                text = f"{done} times done, {stored[kind, group]} in the timeline"
                found.wrong("lost act", f"{act} {group}", text)


# --- groups, runs and steps ---


def check_group(known: Known, group: Group, found: Findings) -> None:
    policy = known.record.policies.get(group.slug)
    runs = known.runs[group.id]
    if policy is None:
        found.wrong("crossed", group.id, f"a group of no tenant: {group.slug}")
        return
    if not runs:
        found.wrong("lost", where_of(group), "no run ever began")
        return
    urgent = [a for a in known.acts[group.id] if a.act == "escalate" and a.maybe]
    for number, run in enumerate(runs):
        before = policy.before if number == 0 else 0
        check_run(known, run, policy, before, urgent, found)
    if group.state == "firing" and runs[-1].state == "stopped":
        found.wrong("lost", where_of(group), "it fires, and its last run was stopped")
    for begin, end in known.hushed(group.id):
        for run in runs:
            for step in known.steps[run.id]:
                if step.state == "done" and begin < (step.done or 0.0) < end:
                    text = f"claimed {(step.done or 0.0) - begin:.3f} s after it"
                    found.wrong("after acknowledgement", at(step), text)


def check_run(
    known: Known,
    run: Run,
    policy: Policy,
    before: int,
    urgent: list[Act],
    found: Findings,
) -> None:
    """Walk the policy beside the run's rows."""
    where = f"run {run.id} of {where_of(known.groups[run.group])}"
    if [(k, w) for k, _, w in run.steps] != [(s.kind, s.wait) for s in policy.steps]:
        found.wrong("snapshot", where, f"{run.steps} is not {policy.steps}")
        return
    rows = {step.position: step for step in known.steps[run.id]}
    came, wait, open_end = known.began(run), float(before), False
    for position, planned in enumerate(policy.steps):
        if planned.kind == "wait":
            wait += planned.wait
            continue
        row = rows.pop(position, None)
        if row is None:
            found.wrong("lost", where, f"step {position} was never written")
            open_end = True
            break
        if row.state != "done" or row.done is None:
            check_open(known, run, row, found)
            open_end = True
            break
        found.counts["steps"] += 1
        check_early(row, came, wait, urgent, found)
        came, wait = row.done, 0.0
    if run.state == "finished" and open_end:
        found.wrong("lost", where, "finished before its last step")
    if run.state == "active" and not open_end:
        found.wrong("lost", where, "all steps done, and still active")
    for row in rows.values():
        found.wrong("lost", where, f"step {row.position} is out of its turn")


def check_open(known: Known, run: Run, row: Step, found: Findings) -> None:
    """A step that was not carried out was stopped by somebody, or is yet to come."""
    if row.state == "due":
        if run.state != "active":
            found.wrong("lost", at(row), f"due in a run that is {run.state}")
        elif row.due < known.record.ended - STUCK_SECONDS:
            late = known.record.ended - row.due
            found.wrong("lost", at(row), f"due for {late:.1f} s, held {row.held!r}")
        return
    if not known.may_end(run.group, run.created):
        found.wrong("lost", at(row), f"{row.state}, and nobody ended it")


def check_early(
    row: Step, came: float, wait: float, urgent: list[Act], found: Findings
) -> None:
    """Claimed no sooner than the step before and the waits allow, unless somebody
    asked for it: each asking hurries one step."""
    assert row.done is not None
    if row.done < row.due - ROUNDING:
        found.wrong("early", at(row), f"claimed {row.due - row.done:.3f} s before due")
        return
    if row.done >= came + wait - ROUNDING:
        return
    for act in urgent:
        if act.sent <= row.done and until(act) >= came:
            urgent.remove(act)
            found.counts["steps hurried"] += 1
            return
    text = f"claimed {came + wait - row.done:.3f} s too soon: {came:.3f} and {wait} s"
    found.wrong("early", at(row), text)


def at(step: Step) -> str:
    return f"group {step.group} run {step.run} step {step.position}"


def where_of(group: Group) -> str:
    return f"group {group.id} ({group.name})"


# --- how late ---


def check_lateness(record: Record, found: Findings) -> None:
    """A step is claimed at once, or soon after what kept it has ended."""
    faults = sorted(record.faults, key=lambda fault: fault.begun)
    for step in record.steps:
        if step.state != "done" or step.done is None or step.attempts or step.held:
            continue
        near = around(faults, step.due - STUCK_SECONDS, step.done)
        if not near:
            found.calm.append(step.done - step.due)
            late = step.done - step.due
        else:
            ended = [f.ended for f in near if f.ended <= step.done]
            if len(ended) < len(near):
                found.during.append(step.done - step.due)
                continue  # it still goes on: nothing was promised yet
            late = step.done - max(step.due, *ended)
            found.after_faults.append(late)
        if late > LATE_SECONDS:
            told = ", ".join(f"{f.fault} ({f.note})" for f in near) or "no fault"
            found.wrong("late", at(step), f"{late:.1f} s after {told}")


def around(faults: Sequence[Fault], begin: float, end: float) -> list[Fault]:
    return [f for f in faults if f.begun <= end and f.ended >= begin]


def quantile(values: Iterable[float], share: float) -> float:
    ordered = sorted(values)
    if not ordered:
        return 0.0
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
