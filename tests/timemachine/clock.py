"""How is the database's clock moved, and nobody else's?

PostgreSQL runs with libfaketime (Debian: faketime), which answers every question for
the wall clock with what stands in a file. The time stands still between two moves, so
that everything that is done at one moment bears the same time. Its monotonic clock, by
which it waits, stays real; so does the clock of the application.
"""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from alertcenter.settings.env import DATABASE_NAME, read
from alertcenter.supervisor.children import Spec
from alertcenter.supervisor.place import claim_home, settle
from alertcenter.supervisor.postgres import Postgres
from alertcenter.supervisor.redis import Valkey
from alertcenter.supervisor.roles import prepare_database
from tests.servers import FAST_AND_FORGETFUL, SERVERS

PLACES = ("/usr/lib/*/faketime/libfaketime.so.1", "/usr/lib/faketime/libfaketime.so.1")
SETTINGS = FAST_AND_FORGETFUL | {
    # They wake by the wall clock, which jumps: the driver tidies up itself.
    "autovacuum": "off",
    "shared_buffers": "256MB",
    "max_connections": "40",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}


def library() -> Path | None:
    """Return the library that moves a process's clock, if it is installed."""
    for pattern in PLACES:
        for found in sorted(Path("/").glob(pattern.lstrip("/"))):
            return found
    return None


# The pipeline (ALERTCENTER_REQUIRE_ALL) skips nothing: there a test fails without it.
needs_library = pytest.mark.skipif(
    library() is None and not os.environ.get("ALERTCENTER_REQUIRE_ALL"),
    reason="needs libfaketime (Debian: faketime)",
)


class Clock:
    """The file that says which time it is. It only ever goes forward."""

    def __init__(self, path: Path, now: datetime) -> None:
        self.path = path
        self.now = now.astimezone(UTC)
        self._write()

    def move(self, to: datetime) -> None:
        """Let it be `to`, which is not before the present."""
        if to < self.now:
            raise ValueError(f"the clock cannot go back from {self.now} to {to}")
        self.now = to
        self._write()

    def _write(self) -> None:
        # The library reads the fraction as a double and cuts it off: half a
        # microsecond more keeps the last digit.
        whole, micro = int(self.now.timestamp()), self.now.microsecond
        beside = self.path.with_suffix(".new")
        beside.write_text(f"{whole}.{micro:06d}5\n")
        beside.chmod(0o644)
        beside.rename(self.path)


class MovedPostgres(Postgres):
    """An embedded server that reads the time from a file."""

    faked: dict[str, str]

    def _spec(self) -> Spec:
        spec = super()._spec()
        return replace(spec, environment=dict(spec.environment) | type(self).faked)


def start(begin: datetime) -> Clock:
    """Start the run's servers, PostgreSQL at `begin`; they end with the process."""
    lib = library()
    if lib is None:
        raise SystemExit("timemachine: libfaketime is needed (Debian: faketime).")
    env = read()
    claim_home(env.home)
    place = settle(env.home, env.run)
    # In the sockets' folder, which the server's account may enter.
    path = place.sockets / "clock"
    clock = Clock(place.run / "clock", begin)
    if place.account:
        place.account.owns(place.run / "clock")
    MovedPostgres.faked = {
        "LD_PRELOAD": str(lib),
        "FAKETIME_TIMESTAMP_FILE": str(path),
        "FAKETIME_FMT": "%s",
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_DISABLE_SHM": "1",
        "NO_FAKE_STAT": "1",
    }
    SERVERS.postgres = MovedPostgres(place, env.secrets["db_superuser"], SETTINGS)
    SERVERS.postgres.start()
    SERVERS.valkey = Valkey(place)
    SERVERS.valkey.start()
    prepare_database(SERVERS.postgres.parameters, env.secrets, DATABASE_NAME)
    os.environ["DJANGO_SETTINGS_MODULE"] = "alertcenter.settings.test"
    return clock
