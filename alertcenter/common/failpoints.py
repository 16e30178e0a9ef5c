"""Where can a test kill this process? At named points, only when ALERTCENTER_ENV=test.

`ALERTCENTER_FAILPOINT=send.before_http` kills at the first pass, `...:3` at the third,
by SIGKILL, as a power cut would.
"""

from __future__ import annotations

import os
import signal
import threading

_lock = threading.Lock()
_passes = 0


def hit(name: str) -> None:
    """Die here if the environment of a test says so."""
    global _passes
    wanted = os.environ.get("ALERTCENTER_FAILPOINT", "")
    if not wanted or os.environ.get("ALERTCENTER_ENV") != "test":
        return
    point, _, count = wanted.partition(":")
    if point != name:
        return
    with _lock:
        _passes += 1
        if _passes >= int(count or 1):
            os.kill(os.getpid(), signal.SIGKILL)
