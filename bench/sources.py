"""What does each adapter cost, and which are there? The table of docs/sources.md.

`python -m bench.sources` prints microseconds an event, the best of five rounds of each
adapter's example. No database, no process.
"""

from __future__ import annotations

import time

from alertcenter.alerts.sources.adapter import Adapter, Incoming
from alertcenter.alerts.sources.registry import adapters

TIMES = 400
ROUNDS = 5
LIMIT = 50.0  # microseconds an event


def cost_of(adapter: Adapter) -> float:
    """Return microseconds an event."""
    example = adapter.example
    data = {"text": example} if isinstance(example, str) else example
    incoming = Incoming(data, adapter.example_headers)
    best = float("inf")
    for _round in range(ROUNDS):
        begun = time.process_time()
        for _time in range(TIMES):
            events = list(adapter.read(incoming))
        best = min(best, (time.process_time() - begun) / TIMES / max(1, len(events)))
    return best * 1e6


def main() -> None:
    """Print a line for each source, and who is beyond the limit."""
    print("| source | address | microseconds an event |")
    print("|---|---|---|")
    costs = {name: cost_of(adapter) for name, adapter in adapters().items()}
    for name, cost in costs.items():
        title = adapters()[name].title
        print(f"| {title} | `/in/{name}` | {cost:.0f} |")
    over = [name for name, cost in costs.items() if cost > LIMIT]
    worst = max(costs.values())
    print(f"\n{len(costs)} sources, at most {worst:.0f} us; beyond {LIMIT:.0f}: {over}")


if __name__ == "__main__":
    main()
