"""How are figures shown? As tables a person can paste."""

from __future__ import annotations

import platform
import statistics
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path


def table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table with its title."""
    widths = [
        max(len(head[i]), *(len(row[i]) for row in rows)) for i in range(len(head))
    ]
    lines = [_line(head, widths), _line(["-" * w for w in widths], widths)]
    lines += [_line(row, widths) for row in rows]
    return f"\n### {title}\n\n" + "\n".join(lines)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *rest = (
        cell.ljust(width) for cell, width in zip(cells, widths, strict=True)
    )
    return "| " + " | ".join([first, *rest]) + " |"


def rate(per_second: float) -> str:
    return f"{per_second / 1000:.1f}k" if per_second >= 1000 else f"{per_second:.0f}"


def times(value: float) -> str:
    return f"{value:.2f}x" if value < 10 else f"{value:.0f}x"


def milliseconds(value: float) -> str:
    return f"{value:.1f}"


def middle(values: Sequence[float]) -> float:
    """Return the median, 0.0 for no values."""
    return statistics.median(values) if values else 0.0


def spread(values: Sequence[float], show: Callable[[float], str]) -> str:
    """Return the median and, of several, the lowest and the highest."""
    if not values:
        return "-"
    low, high = show(min(values)), show(max(values))
    around = f" ({low} .. {high})" if low != high else ""
    return show(middle(values)) + around


def percentile(values: Sequence[float], share: float) -> float:
    """Return the nearest-rank percentile, 0.0 for no values."""
    if not values:
        return 0.0
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(len(ranked) * share))]


def machine() -> str:
    """Return on what the figures were taken."""
    model = "unknown processor"
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    cores = len(
        [1 for line in info.read_text().splitlines() if line.startswith("processor")]
        if info.exists()
        else []
    )
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    python = platform.python_version()
    return f"{now}, {cores} x {model}, {platform.system()}, Python {python}"
