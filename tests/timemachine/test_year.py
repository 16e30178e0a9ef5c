"""Does a small year agree? `make timemachine` lives through a large one."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from alertcenter.settings.env import ROOT
from tests.timemachine.clock import needs_library

WANTED = 150


@pytest.mark.timeout(600)
@needs_library
def test_in_a_year_everybody_is_paged_who_has_to_be_and_nobody_else():
    """A process of its own: its PostgreSQL is not the run's."""
    result = subprocess.run(
        [
            sys.executable,
            *("-m", "tests.timemachine", "--json"),
            *("--incidents", str(WANTED), "--seed", "1"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=580,
        check=False,
    )
    assert result.returncode == 0, result.stdout[-8000:] + result.stderr[-4000:]
    (line,) = (x for x in result.stdout.splitlines() if x.startswith("FIGURES "))
    figures = json.loads(line.removeprefix("FIGURES "))
    assert figures["incidents"] == WANTED
    assert figures["disagreements"] == 0
    assert figures["pages"] > 2 * WANTED
    for odd in ("gaps", "repeated", "turns", "pulled", "lapsed", "held"):
        assert figures[odd] > 0, odd
    assert figures["simulated_days"] > 366
