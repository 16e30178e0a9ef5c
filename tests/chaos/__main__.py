"""`python -m tests.chaos`: what make chaos runs. Prints a report; exits 1 if a promise
was broken."""

from __future__ import annotations

import argparse
import secrets
import signal
import sys
from pathlib import Path

from tests.chaos import report
from tests.chaos.run import Order, run


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos")
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=1_080)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--calm", action="store_true", help="no faults, to compare")
    parser.add_argument("--keep", action="store_true", help="keep the folder")
    parser.add_argument("--report", type=Path, default=Path("artifacts/chaos.md"))
    given = parser.parse_args()
    seed = secrets.randbelow(1 << 30) if given.seed is None else given.seed
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # as Ctrl-C: in order
    order = Order(given.steps, given.seconds, seed, not given.calm, given.keep)
    result = run(order, lambda line: print(line, flush=True))
    text = report.markdown(result)
    given.report.parent.mkdir(parents=True, exist_ok=True)
    given.report.write_text(text)
    print(text)
    for violation in result.findings.violations[:50]:
        print(f"VIOLATION {violation}")
    for said, times in sorted(result.record.errors.items()):
        print(f"LOGGED {times} times: {said}")
    return 1 if result.findings.violations else 0


if __name__ == "__main__":
    sys.exit(main())
