"""How is a curve drawn? As an SVG by hand: a reader's browser needs nothing else."""

from __future__ import annotations

import html
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

# Told apart by colour and by dashes, so that a print in black says the same.
STYLES = [("#0b6bcb", "none"), ("#c2410c", "6 3"), ("#15803d", "2 3")]
WIDTH, HEIGHT = 420, 300
LEFT, RIGHT, TOP, BOTTOM = 52, 14, 36, 64


@dataclass(frozen=True)
class Panel:
    """One drawing: `lines` by name, each with a value for each of `steps`."""

    title: str
    across: str
    steps: Sequence[int]
    lines: Mapping[str, Sequence[float]]


def svg(panels: Sequence[Panel], note: str) -> str:
    """Return the panels side by side, from zero up, with `note` below."""
    width, height = WIDTH * len(panels), HEIGHT + 20
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
        ' font-family="sans-serif" font-size="11" fill="#222">',
        f"<title>{html.escape(note)}</title>",
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    for number, panel in enumerate(panels):
        parts.append(f'<g transform="translate({number * WIDTH},0)">')
        parts += _panel(panel)
        parts.append("</g>")
    parts.append(_text(LEFT, height - 8, note, anchor="start"))
    return "\n".join([*parts, "</svg>", ""])


def _panel(panel: Panel) -> Iterator[str]:
    top = _most(panel)
    yield _text(LEFT, 20, panel.title, anchor="start", weight="bold")
    apart = 0.25 if top <= 2 else 0.5 * math.ceil(top / 4)
    for tick in range(int(top / apart) + 1):
        value = apart * tick
        y = _y(value, top)
        yield f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>'
        yield _text(LEFT - 6, y + 4, f"{value:.2f}", anchor="end")
    for place, step in enumerate(panel.steps):
        yield _text(_x(place, panel), HEIGHT - BOTTOM + 16, f"{step:,}")
    yield _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - BOTTOM + 32, panel.across)
    for number, (name, values) in enumerate(panel.lines.items()):
        colour, dashes = STYLES[number % len(STYLES)]
        points = [(_x(at, panel), _y(value, top)) for at, value in enumerate(values)]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        drawn = f'stroke="{colour}" stroke-width="2" stroke-dasharray="{dashes}"'
        yield f'<polyline points="{line}" fill="none" {drawn}/>'
        for x, y in points:
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>'
        x, y = LEFT + 115 * number, HEIGHT - 14
        yield f'<path d="M{x} {y - 4}h24" {drawn}/>'
        yield _text(x + 30, y, name, anchor="start")


def _most(panel: Panel) -> float:
    """Return where the axis ends: the next half above all values."""
    most = max(
        (value for values in panel.lines.values() for value in values), default=1
    )
    return max(1.0, math.ceil(most * 2) / 2)


def _x(place: int, panel: Panel) -> float:
    """Steps stand evenly: they are powers of ten, or nearly."""
    inner = WIDTH - LEFT - RIGHT - 60
    return LEFT + 30 + inner * place / max(1, len(panel.steps) - 1)


def _y(value: float, top: float) -> float:
    return TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / top)


def _text(
    x: float, y: float, text: str, *, anchor: str = "middle", weight: str = "normal"
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}">'
        f"{html.escape(text)}</text>"
    )
