"""How do many installations of one test run come by a migrated database quickly?

`home()` makes one home with roles and a migrated database, once a process; a first
start in a copy of it does all the rest. Run as a program it makes that home: importing
tests.servers points this process's settings to a private one.
"""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

from alertcenter.settings.env import ROOT

SECONDS = 400.0


@cache
def home() -> Path:
    """Return the home to copy. Raises CalledProcessError."""
    place = Path(tempfile.mkdtemp(prefix="ac-prepared-"))
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    # As root the server's files belong to another user, who has to get there.
    place.chmod(0o755)
    subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.prepared", str(place / "home")],
        cwd=ROOT,
        check=True,
        timeout=SECONDS,
    )
    return place / "home"


def copy_to(target: Path) -> None:
    """Fill an empty home; owners and modes stay as they are."""
    subprocess.run(["cp", "-a", f"{home()}/.", str(target)], check=True)


def make(target: Path) -> None:
    """Make a home with a migrated database and leave it at `target`."""
    from tests.servers import SERVERS

    SERVERS.start()
    os.environ["ALERTCENTER_DB_ROLE"] = "owner"
    manage = [sys.executable, str(ROOT / "manage.py"), "migrate", "--noinput"]
    subprocess.run([*manage, "--verbosity=0"], check=True)
    for server in (SERVERS.valkey, SERVERS.postgres):
        assert server is not None
        server.stop()
    shutil.rmtree(SERVERS.home / "run", ignore_errors=True)
    subprocess.run(["cp", "-a", str(SERVERS.home), str(target)], check=True)


if __name__ == "__main__":
    make(Path(sys.argv[1]))
