"""Does an alert cost more when many are open, or when many tenants send?

`python -m bench.growth --sizes 1000,1000000 --tenants 1,1000`: an installation for each
size, all at once, filled through the way in; each round measures every size once, one
after the other in the same minute, so that the ratio to the first size holds where
rates do not. Then one more, where the same number of open alerts is spread over 1, 100
and 1,000 tenants that take turns. What a cell adds is taken away after it: the sizes
stay what they are called.
"""

from __future__ import annotations

import argparse
import http.client
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bench import backlog, cpu, forms, ingest, load, plot, setting
from bench.figures import (
    machine,
    middle,
    milliseconds,
    rate,
    spread,
    table,
    times,
)
from bench.load import MIXES, Load, Measured
from tests.fakes.slack import FakeSlack
from tests.flows.world import World
from tests.stack import Stack

SIZES = [1_000, 10_000, 100_000, 1_000_000]
TENANTS = [1, 100, 1_000]
TOTAL = 100_000  # open alerts of the tenants of one number together
BATCH, CONNECTIONS = 100, 16
CELLS = [Load(BATCH, CONNECTIONS, mix) for mix in MIXES]
WARM_SECONDS = 1
# What an open alert takes of the disk, with its history and the log of both.
BYTES_EACH = 10_000
# What is not grouped so long after a fill began stays ungrouped, and is told.
FILL_SECONDS = 350.0
# No cell begins after so long, but for those of the first round.
MOST_SECONDS = 1500.0
FILL_BATCH, FILLERS = 1_000, 4
# In all sizes the same number of groups: this many clusters of forms.NAMES names.
CLUSTERS = 10
STANDING = "standing"
SCRIPT = Path(__file__).with_name("tenants.lua")

# A tenant with a key, two rules and a route, but nobody to page: its one group opens
# once, when it is filled.
MANY = """
import json
from alertcenter.alerts.models import Route, Rule
from alertcenter.common.ids import uuid7
from tenants import apikeys
from tenants.actors import Actor
from tenants.models import Tenant
from tenants.rls import in_tenant

limits = [field.name for field in Tenant._meta.concrete_fields
          if field.name.endswith("events_per_second")]
made = []
for number in range({count}):
    pk, slug = uuid7(), "of-{count}-" + str(number)
    with in_tenant(pk):
        Tenant.objects.create(pk=pk, slug=slug, name=slug,
                              **dict.fromkeys(limits, {plenty}))
        Rule.objects.create(
            tenant_id=pk, name="Who cares", position=1, matchers=['team="web"'],
            set_labels={{"owner": "web-crew"}})
        Rule.objects.create(
            tenant_id=pk, name="Elsewhere", position=2, matchers=['team="nobody"'],
            set_severity=5)
        Route.objects.create(
            tenant_id=pk, name="all", is_default=True, group_by=["cluster"],
            group_wait_seconds=0)
        key = apikeys.mint(pk, "growth", ["ingest"],
                           actor=Actor("operator", "", "test"))[1]
    made.append([slug, key])
print("MADE " + json.dumps(made))
"""
GONE = [
    "DELETE FROM group_alert m USING alert a"
    " WHERE a.id = m.alert_id AND a.tenant_id = m.tenant_id AND a.labels @> %s",
    "DELETE FROM alert WHERE labels @> %s",
]
SETTLED = ["VACUUM ANALYZE alert", "VACUUM ANALYZE group_alert"]


@dataclass(frozen=True)
class One:
    """One cell, measured once. `cpu`: microseconds an alert until the backlog was
    gone, by process."""

    measured: Measured
    cpu: dict[str, float]
    drained: float | None
    lost: int


@dataclass(frozen=True)
class Side:
    """One step of what grows: how it is loaded, and which label tells what is new."""

    step: int
    stack: Stack
    mark: str
    ready: Callable[[Load, str], None]
    send: Callable[[Load, int, str], Measured]


# By step, by mix: its rounds in order.
Found = dict[int, dict[str, list[One]]]


def measure(
    sides: Sequence[Side], rounds: int, seconds: int, until: float = float("inf")
) -> Found:
    """Measure each cell on all sides in turn, every other round backwards."""
    found: Found = {side.step: {cell.mix: [] for cell in CELLS} for side in sides}
    for side in sides:
        once(side, CELLS[-1], WARM_SECONDS)
    for number in range(rounds):
        for cell in CELLS:
            # One round is always whole: half a table says nothing.
            if number and time.monotonic() > until:
                print("Time was up: fewer rounds than asked for.", flush=True)
                return found
            for side in sides if number % 2 == 0 else reversed(sides):
                one = once(side, cell, seconds)
                found[side.step][cell.mix].append(one)
                said(
                    f"round {number + 1}, {cell.name}, {side.step:,}: "
                    f"{rate(one.measured.rate)}, lost {one.lost}"
                )
    return found


def once(side: Side, cell: Load, seconds: int) -> One:
    """Measure one side once, and take away what came in."""
    stack, stamp = side.stack, ingest.stamp_of(cell)
    side.ready(cell, stamp)
    known = counted(stack)
    before = cpu.of_stack(stack)
    measured = side.send(cell, seconds, stamp)
    drained = backlog.drained(stack)
    spent = cpu.each(before, cpu.of_stack(stack), measured.alerts)
    lost = missing(stack, known + measured.alerts)
    for statement in GONE:
        stack.sql(statement, [json.dumps({side.mark: stamp})])
    for statement in SETTLED:
        stack.sql(statement)
    return One(measured, spent, drained, lost)


def counted(stack: Stack) -> int:
    """Return how often any alert came in."""
    return int(stack.sql("SELECT coalesce(sum(count), 0) FROM alert")[0][0])


def missing(stack: Stack, wanted: int) -> int:
    """Return how many answered alerts are not counted, once repeats are written."""
    deadline = time.monotonic() + backlog.COUNTED_WITHIN
    while (lost := wanted - counted(stack)) > 0 and time.monotonic() < deadline:
        time.sleep(backlog.PAUSE)
    return max(0, lost)


# --- open alerts ---


def by_sizes(options: argparse.Namespace, until: float) -> Found:
    """Measure installations of all sizes side by side."""
    sizes = list(fitting(options.sizes))
    with ExitStack() as ends:
        slack = ends.enter_context(FakeSlack())
        sides = [sized(started(ends), slack, size) for size in sizes]
        return measure(sides, options.rounds, options.seconds, until)


def fitting(sizes: Sequence[int]) -> Iterator[int]:
    """Yield the sizes that the disk has room for."""
    free = shutil.disk_usage(tempfile.gettempdir()).free
    for size in sizes:
        free -= size * BYTES_EACH
        if free > 0:
            yield size
        else:
            print(f"{size:,} open alerts are left out: the disk is too small.")


def started(ends: ExitStack) -> Stack:
    """Start an installation that goes when `ends` does."""
    stack = Stack()
    ends.callback(stack.remove)
    stack.start()
    return stack


def sized(stack: Stack, slack: FakeSlack, size: int) -> Side:
    """Fill one tenant with `size` open alerts, paged as any others."""
    place = setting.build(stack, slack)
    target = ingest.ours_of(place)
    fill(stack, standing_of(place, size), size)
    return Side(
        size,
        stack,
        "cluster",
        lambda cell, stamp: primed(target, cell, stamp, stack),
        lambda cell, seconds, stamp: load.run(target, cell, seconds, stamp),
    )


def primed(target: load.Target, cell: Load, stamp: str, stack: Stack) -> None:
    load.prime(target, cell, stamp)
    backlog.drained(stack)


def standing_of(place: World, size: int) -> Iterator[tuple[str, str, str]]:
    """Yield a request after the other: slug, key, body."""
    for turn, first in enumerate(range(0, size, FILL_BATCH)):
        form = forms.stamped(forms.ALERTMANAGER, f"{STANDING}-{turn % CLUSTERS}")
        numbers = range(first, min(size, first + FILL_BATCH))
        yield place.slug, place.key, body_of(form, numbers)


def body_of(form: str, numbers: Sequence[int]) -> str:
    ends = forms.endings()[0]
    return f"[{','.join(form % (i % forms.NAMES, i, i, ends) for i in numbers)}]"


# --- tenants ---


def by_tenants(options: argparse.Namespace, until: float) -> Found:
    """Measure the same number of open alerts spread over more and more tenants."""
    with ExitStack() as ends:
        stack = started(ends)
        home = Path(ends.enter_context(tempfile.TemporaryDirectory()))
        sides = [shared(stack, home, n, options.total) for n in options.tenants]
        return measure(sides, options.rounds, options.seconds, until)


def shared(stack: Stack, home: Path, count: int, total: int) -> Side:
    """Make `count` tenants that share `total` open alerts."""
    script = MANY.format(count=count, plenty=setting.PLENTY)
    output = stack.manage("shell", "-c", script)
    line = next(x for x in output.splitlines() if x.startswith("MADE "))
    made = json.loads(line.removeprefix("MADE "))
    listed = home / f"{count}.txt"
    listed.write_text("".join(f"{slug} {key}\n" for slug, key in made))
    each = max(1, total // count)
    fill(stack, requests_to(made, each), each * count)
    return Side(
        count,
        stack,
        "job",
        lambda _cell, _stamp: None,
        lambda cell, seconds, stamp: in_turn(stack, listed, each, cell, seconds, stamp),
    )


def requests_to(
    made: list[tuple[str, str]], each: int
) -> Iterator[tuple[str, str, str]]:
    form = forms.stamped(forms.ALERTMANAGER, STANDING)
    for slug, key in made:
        for first in range(0, each, FILL_BATCH):
            numbers = range(first, min(each, first + FILL_BATCH))
            yield slug, key, body_of(form, numbers)


def in_turn(
    stack: Stack, listed: Path, each: int, cell: Load, seconds: int, stamp: str
) -> Measured:
    """Load all tenants of a list, one request each in turn."""
    form = forms.stamped(forms.ALERTMANAGER, STANDING)
    words = {
        "tenants": listed,
        "form": form,
        # New alerts join the standing groups: what grows is tenants, not groups.
        "newer": form.replace('"job":"node"', f'"job":"{stamp}"'),
        "batch": cell.batch,
        "fresh": MIXES[cell.mix],
        "each": each,
        "names": forms.NAMES,
        "ends": ",".join(forms.endings()),
    }
    command = ["wrk", "-t1", f"-c{cell.connections}", f"-d{seconds}s"]
    command += ["--timeout=30s", f"-s{SCRIPT}", stack.url, "--"]
    command += [f"{name}={value}" for name, value in words.items()]
    before = load.children_seconds()
    output = subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=seconds + 60
    ).stdout
    return load.figures(output, cell, load.children_seconds() - before)


# --- to fill ---


def fill(stack: Stack, requests: Iterator[tuple[str, str, str]], alerts: int) -> None:
    """Send all `requests` as any sender would, and wait until all is done."""
    begun = time.monotonic()
    filler = Filler(stack, requests, begun + FILL_SECONDS)
    filler.run()
    sent = time.monotonic() - begun
    while backlog.drained(stack) is None:
        if time.monotonic() > begun + FILL_SECONDS:
            left = stack.sql(
                "WITH gone AS (DELETE FROM feed RETURNING 1) SELECT count(*) FROM gone"
            )[0][0]
            said(f"{left:,} changes were not looked at in time: cut off")
    for statement in [*SETTLED, "CHECKPOINT"]:
        stack.sql(statement)
    said(
        f"{alerts:,} sent in {sent:.0f} s, done after"
        f" {time.monotonic() - begun:.0f} s; open: {backlog.open_alerts(stack):,}"
    )


class Filler:
    """Some threads that send what comes next, until nothing does."""

    def __init__(
        self, stack: Stack, requests: Iterator[tuple[str, str, str]], until: float
    ) -> None:
        self.stack, self.requests, self.until = stack, requests, until
        self.lock = threading.Lock()
        self.error: Exception | None = None

    def run(self) -> None:
        threads = [threading.Thread(target=self._work) for _ in range(FILLERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self.error:
            raise self.error

    def _work(self) -> None:
        link = http.client.HTTPConnection("127.0.0.1", self.stack.port, timeout=60)
        try:
            while not self.error:
                with self.lock:
                    given = next(self.requests, None)
                if given is None:
                    return
                self._send(link, *given)
        except (OSError, http.client.HTTPException, RuntimeError) as error:
            self.error = error
        finally:
            link.close()

    def _send(
        self, link: http.client.HTTPConnection, slug: str, key: str, body: str
    ) -> None:
        heads = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        while True:
            link.request("POST", f"/t/{slug}/api/v2/alerts", body.encode(), heads)
            answer = link.getresponse()
            answer.read()
            if answer.status == 200:
                return
            # Full for a moment: nothing was kept, so it is sent again.
            if answer.status != 503 or time.monotonic() > self.until:
                raise RuntimeError(f"not filled: {answer.status}")
            time.sleep(0.2)


# --- to show ---


def ratios(found: Found, step: int, mix: str) -> list[float]:
    """Return each round's rate as a part of the first step's in the same round."""
    first = next(iter(found.values()))[mix]
    return [
        one.measured.rate / base.measured.rate
        for one, base in zip(found[step][mix], first, strict=False)
        if base.measured.rate
    ]


def costs(found: Found, step: int, mix: str) -> float:
    """Return the microseconds an alert of all processes, the median of the rounds."""
    return middle([sum(one.cpu.values()) for one in found[step][mix]])


def rows(found: Found) -> Iterator[list[str]]:
    for mix in MIXES:
        for step, by_mix in found.items():
            ones = by_mix[mix]
            if not ones:
                continue
            yield [
                f"{step:,}",
                mix,
                spread([one.measured.rate for one in ones], rate),
                spread(ratios(found, step, mix), times),
                milliseconds(middle([one.measured.p50 for one in ones])),
                milliseconds(middle([one.measured.p95 for one in ones])),
                *(
                    f"{middle([one.cpu[name] for one in ones]):.0f}"
                    for name in ("web", "postgres", "dispatcher")
                ),
                f"{costs(found, step, mix):.0f}",
                never(ones),
                str(sum(one.measured.bad for one in ones)),
                str(sum(one.lost for one in ones)),
                f"{middle([one.measured.share for one in ones]):.2f}",
            ]


def never(ones: Sequence[One]) -> str:
    gone = [one.drained for one in ones if one.drained is not None]
    return spread(gone, milliseconds) if len(gone) == len(ones) else "not in 60"


def show(title: str, step: str, found: Found) -> str:
    head = [step, "mix", "alerts/s", f"to {next(iter(found)):,}", "p50 ms", "p95 ms"]
    head += ["web µs", "postgres µs", "dispatcher µs", "all µs", "drained in s"]
    head += ["refused", "lost", "wrk, of a core"]
    return table(title, head, list(rows(found)))


def drawn(title: str, across: str, found: Found) -> plot.Panel:
    """Return the rates as parts of the first step's."""
    return plot.Panel(
        title,
        across,
        list(found),
        {mix: [middle(ratios(found, step, mix)) for step in found] for mix in MIXES},
    )


def said(text: str) -> None:
    """Show on standard error that it goes on."""
    print(text, file=sys.stderr, flush=True)


def main() -> int:
    options = _options()
    if shutil.which("wrk") is None:
        print("bench: wrk is needed (Debian: apt-get install wrk).", file=sys.stderr)
        return 1
    # So that no installation outlives the run that started it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    begun, title = time.monotonic(), machine()
    panels = []
    if options.sizes:
        found = by_sizes(options, begun + options.most_seconds)
        print(show(f"By open alerts; {title}", "open", found), flush=True)
        panels.append(drawn("Rate by open alerts, first = 1", "open alerts", found))
    if options.tenants:
        found = by_tenants(options, begun + options.most_seconds)
        what = f"By tenants, {options.total:,} open alerts in all; {title}"
        print(show(what, "tenants", found), flush=True)
        panels.append(drawn("Rate by tenants, first = 1", "tenants", found))
    if options.plot:
        note = f"Batches of {BATCH}, {CONNECTIONS} connections; {title}"
        options.plot.write_text(plot.svg(panels, note))
    print(f"\nTook {time.monotonic() - begun:.0f} s.")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.growth")
    parser.add_argument("--sizes", type=_numbers, default=SIZES, help="or none")
    parser.add_argument("--tenants", type=_numbers, default=TENANTS, help="or none")
    parser.add_argument("--total", type=int, default=TOTAL)
    parser.add_argument("--seconds", type=int, default=2, help="of each cell")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--most-seconds", type=float, default=MOST_SECONDS)
    parser.add_argument("--plot", type=Path, help="where to draw, as SVG")
    return parser.parse_args()


def _numbers(text: str) -> list[int]:
    return [] if text == "none" else [int(part) for part in text.split(",")]


if __name__ == "__main__":
    sys.exit(main())
