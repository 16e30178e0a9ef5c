"""Is another supervisor at work on the same ALERTCENTER_HOME?"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from alertcenter.supervisor.errors import StartError


@contextlib.contextmanager
def only_one(home: Path) -> Iterator[None]:
    """Hold `home/up.lock`; the kernel frees it when this process dies.

    Raises StartError when it is held.
    """
    handle = os.open(home / "up.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(handle)
        raise StartError(
            f"AlertCenter already runs with ALERTCENTER_HOME {home}: "
            "stop it first, or choose another folder."
        ) from error
    try:
        yield
    finally:
        os.close(handle)
