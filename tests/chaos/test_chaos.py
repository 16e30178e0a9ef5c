"""Do the promises hold while everything is killed, stalled and cut off? In short.

`make chaos` is the long form. A violation here is seen again by its seed:
`make chaos ARGS="--steps 300 --seconds 60 --seed ..."`.
"""

from __future__ import annotations

import secrets

import pytest

from tests.chaos import report
from tests.chaos.checker import Violation
from tests.chaos.run import Order, run

pytestmark = [pytest.mark.flow, pytest.mark.chaos, pytest.mark.timeout(600)]

STEPS, SECONDS = 300, 60
FIXED_SEED = 20_261_121
# On a machine that others use as well a process starts anew only after a while.
LATE_HERE = 30.0


def serious(violation: Violation) -> bool:
    """All but a lateness that a busy machine explains."""
    if violation.kind != "late":
        return True
    return float(violation.text.split(" s ", 1)[0]) > LATE_HERE


@pytest.mark.parametrize("seed", [FIXED_SEED, "random"])
def test_a_minute_of_faults_breaks_no_promise(seed: int | str) -> None:
    chosen = seed if isinstance(seed, int) else secrets.randbelow(1 << 30)
    result = run(Order(STEPS, SECONDS, chosen))
    print(report.markdown(result))
    found = [v for v in result.findings.violations if serious(v)]
    assert not found, "\n".join([f"seed {chosen}", *map(str, found[:20])])
    assert result.findings.counts["steps"] >= STEPS / 3
    assert len(result.record.faults) >= 5
