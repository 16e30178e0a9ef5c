"""Which measurements are too long for every day? Each is a program of its own.

`python -m bench.<name>` runs one alone. They start private installations themselves.
"""

from __future__ import annotations

import subprocess
import sys

# From the answer to the outbox and the screens, while alerts come steadily.
STEADY = [
    ["downstream", "--rate=10000", "--seconds=60", "--mix=new"],
    ["downstream", "--rate=10000", "--seconds=60", "--mix=repeats"],
    ["downstream", "--rate=1000", "--seconds=30", "--mix=new"],
]
LARGE = [["sockets"], ["big"], ["growth"]]
MOST_SECONDS = 1800


def measure() -> None:
    """Run all, one after the other; what fails is named and the rest goes on."""
    for name, *arguments in [*STEADY, *LARGE]:
        said = " ".join([name, *arguments])
        print(f"\n## bench.{said}", flush=True)
        command = [sys.executable, "-m", f"bench.{name}", *arguments]
        try:
            subprocess.run(command, check=True, timeout=MOST_SECONDS)
        except subprocess.SubprocessError as error:
            print(f"\nbench.{said} failed: {error}", flush=True)
