"""Which tables show what was measured? Medians, and the rounds' extremes beside."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from bench.cpu import PROCESSES
from bench.figures import middle, milliseconds, rate, spread, table, times
from bench.ingest import Round, Rounds
from bench.load import Measured


def of_rates(title: str, rounds: Rounds) -> str:
    """Return how quick both were."""
    rows = [
        [
            cell.name,
            str(cell.connections),
            *_speed([one.ours.measured for one in found]),
            *_speed([one.theirs for one in found if one.theirs]),
            spread([one.ratio for one in found if one.theirs], times),
            spread([one.p95_ratio for one in found if one.theirs], times),
            spread([one.limit for one in found if one.limit], rate),
            spread([one.of_limit for one in found if one.limit], times),
        ]
        for cell, found in rounds.items()
        if found
    ]
    speed = ["alerts/s", "p50 ms", "p95 ms", "p99 ms"]
    head = ["batch, mix", "conns", *speed, "Alertmanager/s", *speed[1:]]
    head += ["rate ratio", "p95 ratio", "database/s", "of database"]
    return table(title, head, rows)


def _speed(all_measured: Sequence[Measured]) -> list[str]:
    return [
        spread([one.rate for one in all_measured], rate),
        *(
            milliseconds(middle([getattr(one, name) for one in all_measured]))
            for name in ("p50", "p95", "p99")
        ),
    ]


def of_costs(title: str, rounds: Rounds) -> str:
    """Return what it cost, and whether anything was refused, lost or left undone."""
    rows = [_cost(cell.name, found) for cell, found in rounds.items() if found]
    head = ["batch, mix", *PROCESSES, "all ours", "Alertmanager", "wrk, of a core"]
    head += ["refused", "lost", "drained in s", "open alerts"]
    head.append("web MB")
    return table(f"{title}: µs of processor an alert", head, rows)


def gaps(rounds: Rounds, wanted: int) -> Iterator[str]:
    """Yield what the tables lack, in sentences."""
    least = min(map(len, rounds.values()), default=0)
    if least < wanted:
        yield f"Time was up: some cells have {least} rounds, not {wanted}."
    if not any(one.theirs for found in rounds.values() for one in found):
        yield "Alertmanager is not installed (apt-get install prometheus-alertmanager)."


def _cost(name: str, found: Sequence[Round]) -> list[str]:
    return [
        name,
        *(
            _median(found, lambda one, p=process: one.ours.cpu[p], _whole)  # type: ignore[misc]
            for process in PROCESSES
        ),
        _median(found, lambda one: sum(one.ours.cpu.values()), _whole),
        _median(found, lambda one: one.their_cpu, _whole),
        _median(found, lambda one: one.ours.measured.share, _share),
        str(sum(one.ours.measured.bad for one in found)),
        str(sum(one.ours.lost for one in found)),
        _drained([one.ours.drained for one in found]),
        str(max(one.ours.open for one in found)),
        spread([one.ours.memory for one in found], _whole),
    ]


def _drained(seconds: Sequence[float | None]) -> str:
    if None in seconds:
        return "not in 60"
    return spread([one for one in seconds if one is not None], milliseconds)


def _median(
    found: Sequence[Round],
    value: Callable[[Round], float],
    show: Callable[[float], str],
) -> str:
    return show(middle([value(one) for one in found])) if found else "-"


def _whole(value: float) -> str:
    return f"{value:.0f}"


def _share(value: float) -> str:
    return f"{value:.2f}"
