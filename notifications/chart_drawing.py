"""How does a chart look? A small PNG: lines, axes, times in the reader's zone, names.

On a light ground, which is readable in both of Slack's themes. Pillow is imported when
a chart is drawn, not before: few processes ever do.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from notifications.chart_data import MOST_SERIES, Series

WIDTH, PLOT_HEIGHT = 800, 300
LEFT, RIGHT, TOP = 70, 16, 40
AXIS_HEIGHT = 28
ROW = 18
MOST_NAMES = 8
TICKS = 5
TEXT, TITLE = 12, 14
MOST_TITLE = 100
# Okabe and Ito: told apart also by who sees few colours; repeated beyond eight.
COLOURS = (
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7A6A00",
    "#333333",
)  # fmt: skip
GROUND, GRID, INK, FAINT = "#FFFFFF", "#E3E6EA", "#1F2933", "#616E7C"
POWERS = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def draw(
    series: Sequence[Series], *, title: str, time_zone: str, more: str = ""
) -> bytes:
    """Return a PNG of these series, one at least. `more`: says how many are not
    named, with %(n)s."""
    from PIL import Image, ImageDraw, ImageFont

    shown = list(series[:MOST_SERIES])
    names = [one.name for one in shown[:MOST_NAMES]]
    if len(shown) > len(names):
        names.append((more or "+%(n)s") % {"n": len(shown) - len(names)})
    height = TOP + PLOT_HEIGHT + AXIS_HEIGHT + ROW * len(names) + 8
    image = Image.new("RGB", (WIDTH, height), GROUND)
    pen = ImageDraw.Draw(image)
    text = ImageFont.load_default(TEXT)
    pen.text(
        (LEFT, 12), title[:MOST_TITLE], fill=INK, font=ImageFont.load_default(TITLE)
    )
    frame = Frame(shown)
    frame.grid(pen, text, ZoneInfo(time_zone))
    for number, one in enumerate(shown):
        frame.line(pen, one, COLOURS[number % len(COLOURS)])
    legend(pen, text, names, len(shown))
    held = io.BytesIO()
    image.save(held, "PNG", optimize=True)
    return held.getvalue()


def legend(pen: Any, font: Any, names: Sequence[str], drawn: int) -> None:
    """Write the names below, each with its colour."""
    for number, name in enumerate(names):
        y = TOP + PLOT_HEIGHT + AXIS_HEIGHT + ROW * number
        if number < min(drawn, MOST_NAMES):
            pen.rectangle((LEFT, y + 3, LEFT + 14, y + 11), fill=COLOURS[number])
        pen.text((LEFT + 22, y), name, fill=INK, font=font)


class Frame:
    """The axes: which value stands where."""

    def __init__(self, series: Sequence[Series]) -> None:
        points = [point for one in series for point in one.points]
        self.begin = min(at for at, _value in points)
        self.end = max(max(at for at, _value in points), self.begin + 60)
        low = min(value for _at, value in points)
        high = max(value for _at, value in points)
        self.step = nice((high - low) / TICKS or abs(high) / TICKS or 1.0)
        self.low = math.floor(low / self.step) * self.step
        self.high = math.ceil(high / self.step) * self.step
        if self.high <= self.low:
            self.high = self.low + self.step

    def x(self, at: float) -> float:
        share = (at - self.begin) / (self.end - self.begin)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return TOP + (1 - share) * PLOT_HEIGHT

    def grid(self, pen: Any, font: Any, zone: ZoneInfo) -> None:
        """Draw the grid, with values at the left and times below."""
        count = min(2 * TICKS + 2, round((self.high - self.low) / self.step))
        for number in range(count + 1):
            value = self.low + number * self.step
            y = self.y(value)
            pen.line((LEFT, y, WIDTH - RIGHT, y), fill=GRID)
            pen.text((LEFT - 8, y), said(value), fill=FAINT, font=font, anchor="rm")
        for number in range(TICKS + 1):
            at = self.begin + (self.end - self.begin) * number / TICKS
            when = datetime.fromtimestamp(at, UTC).astimezone(zone)
            pen.text(
                (self.x(at), TOP + PLOT_HEIGHT + 14),
                f"{when:%H:%M}" + (f" {when.tzname()}" if number == TICKS else ""),
                fill=FAINT,
                font=font,
                anchor="rm" if number == TICKS else "mm",
            )
        pen.line((LEFT, TOP, LEFT, TOP + PLOT_HEIGHT), fill=FAINT)
        bottom = TOP + PLOT_HEIGHT
        pen.line((LEFT, bottom, WIDTH - RIGHT, bottom), fill=FAINT)

    def line(self, pen: Any, series: Series, colour: str) -> None:
        """Draw one series; where values are missing the line breaks."""
        piece: list[tuple[float, float]] = []
        gap = 2.5 * typical_step(series)
        before = None
        for at, value in series.points:
            if before is not None and at - before > gap:
                self._stroke(pen, piece, colour)
                piece = []
            piece.append((self.x(at), self.y(value)))
            before = at
        self._stroke(pen, piece, colour)

    def _stroke(self, pen: Any, piece: list[tuple[float, float]], colour: str) -> None:
        if len(piece) == 1:
            x, y = piece[0]
            pen.ellipse((x - 2, y - 2, x + 2, y + 2), fill=colour)
        elif piece:
            pen.line(piece, fill=colour, width=2, joint="curve")


def typical_step(series: Series) -> float:
    """Return the usual time between two points."""
    times = [at for at, _value in series.points]
    steps = sorted(b - a for a, b in pairwise(times))
    return steps[len(steps) // 2] if steps else 60.0


def nice(step: float) -> float:
    """Return the next step that people count in: 1, 2 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(step)) if step > 1e-300 else 1e-300
    for times in (1, 2, 5, 10):
        if step <= times * power * (1 + 1e-9):
            return times * power
    return 10 * power


def said(value: float) -> str:
    """Return a value in a few letters: 1.5k, 0.02."""
    for power, letter in POWERS:
        if abs(value) >= power:
            return f"{value / power:.4g}{letter}"
    return f"{value:.3g}" if abs(value) >= 1e-12 else "0"
