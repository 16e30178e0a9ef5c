"""Who starts and restarts the processes of a run, and ends all of them?

A process with one thread: `python -m tests.chaos.keeper CONFIG`. PostgreSQL and Valkey
on unix sockets, `outside` before them, and `manage.py up`, which reaches both through
the proxies. It starts what dies as the product's supervisor does, starts and ends
further processes when told to by lines on its standard input, and stops everything
when that ends: also when the run was killed.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from alertcenter.settings.env import DATABASE_NAME, ROOT
from alertcenter.settings.home import load_secrets, run_directory
from alertcenter.supervisor.children import Child, Spec, spawn, stop_all
from alertcenter.supervisor.place import claim_home, settle
from alertcenter.supervisor.postgres import Postgres
from alertcenter.supervisor.redis import SOCKET_NAME, Valkey

MANAGE = str(ROOT / "manage.py")
TICK_SECONDS = 0.1
START_SECONDS = 300.0
UP_STOP_SECONDS = 40.0
# Processes die here, the machine does not: what was written is there without fsync.
SETTINGS = {"shared_buffers": "256MB", "max_wal_size": "1GB", "fsync": "off"}


class Keeper:
    """All processes of one run."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.base = Path(config["base"])
        self.config = config
        self.extra: dict[str, Child] = {}
        self.outside: subprocess.Popen[bytes] | None = None
        self.up: subprocess.Popen[bytes] | None = None
        home = self.base / "servers"
        claim_home(home)
        self.place = settle(home, run_directory(home))
        password = load_secrets(home)["db_superuser"]
        self.postgres = Postgres(self.place, password, settings=SETTINGS)
        self.valkey = Valkey(self.place)

    def start(self) -> None:
        self.postgres.start()
        self.valkey.start()
        ports = self.start_outside()
        self.environment = dict(os.environ) | self.config["environment"]
        self.environment |= {
            "DATABASE_URL": f"postgres://postgres:{self.postgres.password}"
            f"@127.0.0.1:{ports['postgres']}/{DATABASE_NAME}",
            "REDIS_URL": f"redis://127.0.0.1:{ports['redis']}/0",
        }
        log = self.base / "up.log"
        arguments = ["up", "--no-demo", *self.config["arguments"]]
        spec = self.spec("up", arguments, log)
        with log.open("ab") as output:
            self.up = spawn(spec, output)
        deadline = time.monotonic() + START_SECONDS
        while b" is ready: " not in log.read_bytes():
            if self.up.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"not ready: {log.read_text()[-2000:]}")
            self.tick()
        ready = {"ports": ports, "up": self.up.pid, "environment": self.environment}
        print(json.dumps(ready), flush=True)

    def start_outside(self) -> dict[str, int]:
        config = {
            "postgres": str(self.place.run / ".s.PGSQL.5432"),
            "redis": str(self.place.run / SOCKET_NAME),
            "ledger": str(self.base / "vendor.jsonl"),
            "control": str(self.place.run / "control"),
            "seed": self.config["seed"],
        }
        self.outside = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.outside", json.dumps(config)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=(self.base / "outside.log").open("ab"),
            start_new_session=True,
            cwd=ROOT,
        )
        assert self.outside.stdout is not None
        ports: dict[str, int] = json.loads(self.outside.stdout.readline())
        return ports

    def spec(self, name: str, arguments: list[str], log: Path, **more: str) -> Spec:
        return Spec(
            name=name,
            command=[sys.executable, MANAGE, *arguments],
            environment=self.environment | more,
            log=log,
            directory=ROOT,
            pid_file=self.place.run / f"{name}.pid",
        )

    # --- while it runs ---

    def run(self) -> None:
        while True:
            self.tick()
            if not select.select([sys.stdin], [], [], TICK_SECONDS)[0]:
                continue
            line = sys.stdin.readline()
            if not line:
                return
            self.obey(json.loads(line))

    def tick(self) -> None:
        now = time.monotonic()
        for child in (self.postgres.child, self.valkey.child, *self.extra.values()):
            child.tick(now)
        time.sleep(0.01)

    def obey(self, order: dict[str, str]) -> None:
        """Start or end one more process: `{"start": "beat", "as": "beat-9"}`."""
        if "start" in order:
            name, home = order["as"], self.environment["ALERTCENTER_HOME"]
            more = {
                "ALERTCENTER_DB_ROLE": "engine",
                "AC_PROCESS": name,
                "PYTHONUNBUFFERED": "1",
                "PROMETHEUS_MULTIPROC_DIR": f"{home}/metrics",
            }
            log = Path(home) / "log" / f"{name}.log"
            child = Child(self.spec(name, [order["start"]], log, **more))
            child.start()
            self.extra[name] = child
        else:
            stop_all([self.extra.pop(order["end"])])

    # --- the end ---

    def stop(self) -> None:
        stop_all(list(self.extra.values()))
        if self.up is not None:
            self.up.send_signal(signal.SIGTERM)
            try:
                self.up.wait(UP_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.up.kill()  # its children end with it
                self.up.wait()
        if self.outside is not None:
            assert self.outside.stdin is not None
            self.outside.stdin.close()
            try:
                self.outside.wait(5)
            except subprocess.TimeoutExpired:
                self.outside.kill()
        self.valkey.stop()
        self.postgres.stop()


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    keeper = Keeper(json.loads(sys.argv[1]))
    try:
        keeper.start()
        keeper.run()
    finally:
        keeper.stop()


if __name__ == "__main__":
    main()
