"""On which PostgreSQL and Redis do the tests run? Private ones, in a folder of /tmp.

Loaded by `-p tests.servers`, before pytest-django reads the settings: importing
this module points them at the private installation. The servers start with the
first test and end with the run.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from alertcenter.settings.env import DATABASE_NAME, ROOT, read, read_dotenv
from alertcenter.supervisor.place import claim_home, settle
from alertcenter.supervisor.postgres import Postgres
from alertcenter.supervisor.redis import Valkey
from alertcenter.supervisor.roles import prepare_database

KEPT = ("ALERTCENTER_REQUIRE_ALL",)
FOREIGN = ("DATABASE_URL", "POSTGRES_URL", "REDIS_URL", "PORT", "WEB_CONCURRENCY")

# The data lasts as long as the run: nothing has to reach the disk.
FAST_AND_FORGETFUL = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "128MB",
    "max_wal_size": "1GB",
}


def private_environment(home: Path) -> dict[str, str]:
    """Return the variables of an installation that no `.env` or shell can steer."""
    names = [*FOREIGN, *read_dotenv(ROOT / ".env")]
    names += [
        name for name in os.environ if name.startswith(("ALERTCENTER_", "SLACK_"))
    ]
    blank = {name: "" for name in names if name not in KEPT}
    return blank | {"ALERTCENTER_ENV": "test", "ALERTCENTER_HOME": str(home)}


class Servers:
    """The run's private PostgreSQL and Redis."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.postgres: Postgres | None = None
        self.valkey: Valkey | None = None

    def start(self) -> None:
        env = read()
        claim_home(env.home)
        place = settle(env.home, env.run)
        self.postgres = Postgres(
            place, env.secrets["db_superuser"], settings=FAST_AND_FORGETFUL
        )
        self.postgres.start()
        self.valkey = Valkey(place)
        self.valkey.start()
        prepare_database(self.postgres.parameters, env.secrets, DATABASE_NAME)

    @property
    def superuser(self) -> dict[str, Any]:
        """psycopg2's parameters: sees every row, whatever the policies say."""
        assert self.postgres is not None
        return self.postgres.parameters | {"dbname": DATABASE_NAME}

    def stop(self) -> None:
        for server in (self.valkey, self.postgres):
            if server is not None:
                server.stop()
        shutil.rmtree(self.home, ignore_errors=True)


def _point_settings_here() -> Servers:
    home = Path(tempfile.mkdtemp(prefix="ac-test-"))
    os.environ.update(private_environment(home))
    read.cache_clear()
    servers = Servers(home)
    atexit.register(servers.stop)
    return servers


SERVERS = _point_settings_here()
