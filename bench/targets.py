"""What must hold, and does it? One verdict a row, by the median of the rounds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bench.figures import middle, rate, table, times
from bench.ingest import Round, Rounds


@dataclass(frozen=True)
class Verdict:
    """What was asked, and what was found; `least` says which of both may be more."""

    what: str
    asked: float
    found: float
    least: bool = True
    show: Callable[[float], str] = times

    @property
    def holds(self) -> bool:
        return self.found >= self.asked if self.least else self.found <= self.asked

    @property
    def said(self) -> str:
        if self.holds:
            return "pass"
        if not self.asked:
            return f"missed by {self.show(self.found)}"
        return f"missed by {abs(self.found / self.asked - 1) * 100:.0f} %"

    @property
    def row(self) -> list[str]:
        sign = ">=" if self.least else "<="
        asked = f"{sign} {self.show(self.asked)}"
        return [self.what, asked, self.show(self.found), self.said]


@dataclass(frozen=True)
class Floor:
    """One demand on one cell."""

    batch: int
    mix: str
    asked: float
    of: Callable[[Round], float]
    what: str
    least: bool = True


def _rate(one: Round) -> float:
    return one.ratio


def _p95(one: Round) -> float:
    return one.p95_ratio


def _of_database(one: Round) -> float:
    return one.of_limit


BESIDE = "rate beside Alertmanager"
FLOORS = [
    Floor(1, "repeats", 1.0, _rate, BESIDE),
    Floor(1, "90 %", 1.0, _rate, BESIDE),
    Floor(1, "new", 0.6, _rate, BESIDE),
    Floor(10, "repeats", 1.0, _rate, BESIDE),
    Floor(10, "90 %", 1.0, _rate, BESIDE),
    Floor(100, "repeats", 1.3, _rate, BESIDE),
    Floor(100, "90 %", 1.3, _rate, BESIDE),
    Floor(100, "90 %", 0.35, _p95, "p95 beside Alertmanager", least=False),
    Floor(100, "new", 1.0, _rate, BESIDE),
    Floor(100, "new", 0.5, _of_database, "of the upserts of two connections"),
]


def of_rounds(rounds: Rounds, where: str = "") -> Iterator[Verdict]:
    """Yield a verdict for each demand on a cell that was measured."""
    for floor in FLOORS:
        values = [
            floor.of(one)
            for cell, found in rounds.items()
            for one in found
            if (cell.batch, cell.mix) == (floor.batch, floor.mix) and floor.of(one)
        ]
        if values:
            what = f"{where}batch {floor.batch} {floor.mix}: {floor.what}"
            yield Verdict(what, floor.asked, middle(values), floor.least)


def of_answers(rounds: Rounds) -> Iterator[Verdict]:
    """Yield that nothing was refused and nothing lost."""
    every = [one.ours for found in rounds.values() for one in found]
    for what, value in (
        ("requests refused", sum(one.measured.bad for one in every)),
        ("answered alerts that cannot be found", sum(one.lost for one in every)),
        ("rounds whose backlog was there after 60 s", _never(rounds)),
    ):
        if every:
            yield Verdict(what, 0, value, least=False, show=rate)


def _never(rounds: Rounds) -> int:
    return sum(one.ours.drained is None for found in rounds.values() for one in found)


def show(verdicts: list[Verdict]) -> str:
    head = ["what must hold", "asked", "found", "verdict"]
    return table("Targets", head, [one.row for one in verdicts])
