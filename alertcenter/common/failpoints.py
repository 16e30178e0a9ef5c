"""Where can a test kill this process? At named points, only when ALERTCENTER_ENV=test.

ALERTCENTER_FAILPOINT names a file. A test writes a point's name into it, such as
`send.before_http`; the first process that passes there takes the file away and dies
by SIGKILL, as in a power cut. Each writing kills once.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path


def hit(name: str) -> None:
    """Die here if a test asks for it."""
    wanted = os.environ.get("ALERTCENTER_FAILPOINT", "")
    if not wanted or os.environ.get("ALERTCENTER_ENV") != "test":
        return
    order = Path(wanted)
    try:
        if order.read_text().strip() != name:
            return
        order.rename(order.with_suffix(".taken"))
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGKILL)
