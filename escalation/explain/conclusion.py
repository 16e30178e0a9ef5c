"""What does it all come to? One sentence for what was, one for what comes next.

Pure: reads the lines of one group, in the order of what weighs most. Who was told
weighs more than what kept others from being told, and a group that tells nobody
needs no silence to be quiet.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from escalation.explain.trace import Ending, Line, Verdict


@dataclass(frozen=True)
class Standing:
    """What the conclusion needs to know of a group beside its lines."""

    state: str
    now: datetime
    since: datetime
    number: int


Judge = Callable[[Sequence[Line], Standing], Ending | None]


def conclude(lines: Sequence[Line], standing: Standing) -> Ending:
    """Return what these lines come to."""
    for judge in SO_FAR:
        ending = judge(lines, standing)
        if ending is not None:
            break
    else:
        ending = Ending(said("unknown", "no", None))
    outlook = _outlook(lines, standing, ending)
    return Ending(ending.conclusion, outlook, ending.rests_on)


def said(code: str, verdict: Verdict, line: Line | None, **more: object) -> Line:
    """Return a conclusion that says what `line` knows."""
    if line is None:
        return Line("conclusion", code, verdict, data=more)
    data = {**line.data, **more, "at": line.at}
    return Line("conclusion", code, verdict, line.at, data, line.link)


def ending(code: str, verdict: Verdict, line: Line, **more: object) -> Ending:
    return Ending(said(code, verdict, line, **more), rests_on=line)


def first(lines: Sequence[Line], *codes: str) -> Line | None:
    return next((line for line in lines if line.code in codes), None)


def last(lines: Sequence[Line], *codes: str) -> Line | None:
    return first(lines[::-1], *codes)


# --- what was so far ---


def _told(lines: Sequence[Line], standing: Standing) -> Ending | None:
    """Somebody was told. Pages that were there before the alert joined do not tell
    of it, and a group that grows is not told anew."""
    sent = [line for line in lines if line.code == "sent"]
    if not any(line.step == "delivery" for line in lines):
        # Kept longer than what was sent: the log of what channels were told.
        sent = [line for line in lines if line.code == "notice"]
    after = [line for line in sent if line.at is None or line.at >= standing.since]
    if after:
        told = after[0]
        code = "told_channel" if told.code == "notice" else "told"
        people = {str(one.data["who"]) for one in after} - {str(told.data["who"])}
        if people:
            return ending(f"{code}_more", "yes", told, others=sorted(people))
        return ending(code, "yes", told)
    if sent:
        return ending("told_before", "yes", sent[-1], group=standing.number)
    line = first(lines, "in_doubt")
    return ending("told_in_doubt", "yes", line) if line else None


def _sending(lines: Sequence[Line], _standing: Standing) -> Ending | None:
    line = first(lines, "retrying", "asked_to_wait", "doubtful")
    if line:
        return ending("not_yet_accepted", "info", line)
    if line := first(lines, "sending"):
        return ending("being_sent", "info", line)
    if line := first(lines, "put_off"):
        return ending("put_off_until", "info", line)
    line = last(lines, "dead")
    return ending("failed", "no", line) if line else None


def _for_nobody(lines: Sequence[Line], _standing: Standing) -> Ending | None:
    if first(lines, "run", "flush_due", "flush_failing"):
        return None
    for code, conclusion in (
        ("no_route", "nobody_no_route"),
        ("no_route_then", "nobody_no_route"),
        ("route_tells_nobody", "nobody_route"),
    ):
        line = first(lines, code)
        if line is not None and line.verdict == "no":
            return ending(conclusion, "no", line)
    return None


def _in_a_storm(lines: Sequence[Line], _standing: Standing) -> Ending | None:
    line = first(lines, "storm_held")
    return ending("nobody_storm", "no", line) if line else None


def _taken(lines: Sequence[Line], standing: Standing) -> Ending | None:
    """A person took it before anybody was told."""
    if standing.state == "resolved":
        line = last(lines, "cancelled", "step_cancelled")
        because = line.data["because"] if line else ""
        if line is None or because not in ("acknowledged", "snoozed"):
            return None
        return ending(f"nobody_{because}_then", "no", line)
    if standing.state not in ("acknowledged", "snoozed"):
        return None
    line = last(lines, standing.state)
    return ending(f"nobody_{standing.state}", "no", line) if line else None


QUIET = {
    "silenced": "nobody_silenced",
    "silence_matches": "nobody_silenced",
    "silenced_then": "nobody_silenced_then",
    "silenced_some": "nobody_silenced",
    "inhibited": "nobody_inhibited",
    "inhibited_some": "nobody_inhibited",
    "inhibited_then": "nobody_inhibited_then",
}


def _quiet(lines: Sequence[Line], _standing: Standing) -> Ending | None:
    for line in lines:
        if line.code in QUIET and line.verdict == "no":
            return ending(QUIET[line.code], "no", line)
    return None


INTERVALS = ("interval_mutes", "interval_outside")


def _held(lines: Sequence[Line], _standing: Standing) -> Ending | None:
    line = next(
        (one for one in lines if one.code in INTERVALS and one.verdict == "no"), None
    )
    if line:
        return ending(f"nobody_{line.code}", "no", line)
    line = last(lines, "step_held", "step_was_held")
    return ending("nobody_held", "no", line) if line else None


def _nobody_there(lines: Sequence[Line], _standing: Standing) -> Ending | None:
    for reason in ("nobody_on_call", "no_address", "channel_gone", "failed", "nobody"):
        line = last(lines, f"step_{reason}")
        if line is not None:
            return ending(f"nobody_step_{reason}", "no", line)
    return None


def _waits(lines: Sequence[Line], standing: Standing) -> Ending | None:
    line = first(lines, "step_failing", "flush_failing")
    if line:
        return ending("cannot_be_done", "no", line)
    for line in lines:
        if line.code == "step_waiting":
            return ending("waits_waiting", "info", line)
        if line.code not in ("step_due", "flush_due"):
            continue
        if line.at is not None and line.at <= standing.now:
            return ending("due_now", "info", line)
        if line.code == "flush_due":
            code = "waits_channels" if line.data["first"] else "waits_channels_again"
        else:
            code = "waits_group_wait" if line.data["first"] else "waits_step"
        return ending(code, "info", line)
    return None


def _over(lines: Sequence[Line], standing: Standing) -> Ending | None:
    """Nothing was sent, and it is over."""
    if standing.state != "resolved":
        return None
    line = last(lines, "resolved", "resolved_source", "resolved_policy")
    return ending("nobody_resolved", "no", line) if line else None


def _without_policy(lines: Sequence[Line], _standing: Standing) -> Ending | None:
    line = first(lines, "no_run")
    return ending("nobody_no_run", "no", line) if line else None


SO_FAR: Sequence[Judge] = (
    _told,
    _sending,
    _in_a_storm,
    _for_nobody,
    _taken,
    _quiet,
    _held,
    _nobody_there,
    _waits,
    _over,
    _without_policy,
)


# --- what comes next ---


def _outlook(lines: Sequence[Line], standing: Standing, so_far: Ending) -> Line | None:
    """Return what comes next, unless the conclusion has said it."""
    found = _next(lines, standing)
    if found is None or found.rests_on is so_far.rests_on:
        return None
    return found.conclusion


def _next(lines: Sequence[Line], standing: Standing) -> Ending | None:
    if standing.state == "resolved":
        line = last(lines, "resolved", "resolved_source", "resolved_policy")
        return ending("next_over", "info", line) if line else None
    if standing.state in ("acknowledged", "snoozed"):
        line = last(lines, standing.state)
        return ending(f"next_{standing.state}", "info", line) if line else None
    if quiet := _quiet(lines, standing):
        code = quiet.conclusion.code.replace("nobody", "next")
        return Ending(said(code, "no", quiet.rests_on), rests_on=quiet.rests_on)
    if line := first(lines, "step_held"):
        return ending("next_held", "no", line)
    if line := first(lines, "step_waiting"):
        return ending("next_waiting", "info", line)
    if line := first(lines, "step_due"):
        late = line.at is not None and line.at <= standing.now
        code = "next_nobody" if line.data.get("nobody") else "next_step"
        return ending("due_now" if late else code, "info", line)
    if line := first(lines, "flush_due"):
        return ending("waits_channels_again", "info", line)
    line = last(lines, "run")
    if line is not None and line.data["state"] == "finished":
        return ending("next_finished", "info", line)
    return None
