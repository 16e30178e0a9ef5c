"""How is a stranger's calendar read without it keeping the engine from its work?

In a process of its own, which the kernel ends when it takes too long or too much: a
rule such as "each 30th of February" keeps a processor busy until the year 9999.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from escalation import ical_in
from escalation.hours import Span
from escalation.ical_in import CalendarError, Event

MOST_SECONDS = 30  # of a processor
MOST_WAIT = 90  # on a machine that has other things to do
MOST_MEMORY = 1024 * 1024 * 1024
ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Order:
    """What the process is told, before the calendar itself."""

    zone: str
    starts_at: str
    ends_at: str
    seconds: int


def read(
    data: bytes, zone: ZoneInfo, within: Span, *, seconds: int = MOST_SECONDS
) -> list[Event]:
    """Return what `ical_in.read` does. Raises CalendarError."""
    begin, end = within.starts_at.isoformat(), within.ends_at.isoformat()
    order = json.dumps(asdict(Order(zone.key, begin, end, seconds))).encode()
    try:
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "escalation.ical_apart"],
            input=order + b"\n" + data,
            capture_output=True,
            timeout=max(MOST_WAIT, seconds),
            cwd=ROOT,
            env={"PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"},
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise CalendarError("slow") from error
    if done.returncode != 0:
        raise CalendarError("slow")
    answer = json.loads(done.stdout)
    if "code" in answer:
        raise CalendarError(answer["code"], answer["part"])
    return [_event(one) for one in answer["events"]]


def _event(one: list[object]) -> Event:
    uid, summary, begin, end, whole_days, free, attendees = one
    return Event(
        str(uid),
        str(summary),
        datetime.fromisoformat(str(begin)),
        datetime.fromisoformat(str(end)),
        bool(whole_days),
        bool(free),
        tuple(map(str, attendees)) if isinstance(attendees, list) else (),
    )


def main() -> None:
    """Read an order and a calendar from standard input, write JSON."""
    order = Order(**json.loads(sys.stdin.buffer.readline()))
    seconds = order.seconds
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    with suppress(ValueError, OSError):  # not on every system
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    within = Span(
        datetime.fromisoformat(order.starts_at), datetime.fromisoformat(order.ends_at)
    )
    try:
        found = ical_in.read(sys.stdin.buffer.read(), ZoneInfo(order.zone), within)
    except CalendarError as error:
        json.dump({"code": error.code, "part": error.part}, sys.stdout)
        return
    json.dump({"events": found}, sys.stdout, default=datetime.isoformat)


if __name__ == "__main__":
    main()
