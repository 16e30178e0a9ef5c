"""Is a program of the machine there that this test needs?"""

from __future__ import annotations

import os
import shutil

import pytest


def require_binary(name: str) -> str:
    """Return the path of program `name`; without it skip, with the reason.

    The pipeline sets ALERTCENTER_REQUIRE_ALL=1: there a missing program fails
    the run, so that no test is ever skipped unseen.
    """
    path = shutil.which(name)
    if path:
        return path
    reason = f"needs the program {name} (.ci/run installs it)"
    if os.environ.get("ALERTCENTER_REQUIRE_ALL") == "1":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason, allow_module_level=True)
