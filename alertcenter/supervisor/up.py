"""In which order does an installation start, and what keeps it running?

The file to read first: `Supervisor.start` is the order of a start, `keep` what
happens afterwards, `stop` the end.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from alertcenter.settings.env import DATABASE_NAME, ROOT, Env, parse_database_url, read
from alertcenter.supervisor import firstrun
from alertcenter.supervisor.catalogues import compile_catalogues
from alertcenter.supervisor.children import Child, stop_all
from alertcenter.supervisor.errors import StartError, StopRequested
from alertcenter.supervisor.leftovers import end_leftovers
from alertcenter.supervisor.lock import only_one
from alertcenter.supervisor.logfiles import Tail, last_words, rotate
from alertcenter.supervisor.place import Place, claim_home, settle
from alertcenter.supervisor.postgres import Answer, Postgres
from alertcenter.supervisor.processes import (
    MANAGE,
    child_specs,
    forget_metrics,
    run_step,
)
from alertcenter.supervisor.readiness import bind_address, check_port, is_ready
from alertcenter.supervisor.redis import Valkey, check_redis
from alertcenter.supervisor.roles import check_server, prepare_database
from alertcenter.supervisor.stop import StopRequest

READY_SECONDS = 90.0
TICK_SECONDS = 0.25
PROBE_SECONDS = 2.0
DEAD_SECONDS = 15.0  # a process that lives but answers nothing for so long is killed
WEB_DEATHS_ALLOWED = 3
CHECKED_SETTINGS = (
    "environment",
    "port",
    "web_concurrency",
    "base_url",
    "redis_url",
    "simulation",
    "trusted_proxies",
)
CHECKED_SECRETS = ("secret_key", "kek")  # may make ALERTCENTER_HOME/secrets.json


def main(arguments: Sequence[str]) -> int:
    """Run until asked to stop; returns the exit code."""
    options = _parser().parse_args(arguments)
    stop = StopRequest()
    stop.install()
    try:
        env = read()
        _check_settings(env, CHECKED_SETTINGS)
        claim_home(env.home)
        _check_settings(env, CHECKED_SECRETS)
        with only_one(env.home):
            Supervisor(env, options, stop).run()
    except StopRequested:
        return 0
    except StartError as error:
        print(f"alertcenter: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="manage.py up",
        description="Start everything: databases, web, dispatcher, worker, beat.",
    )
    parser.add_argument(
        "--no-demo", action="store_true", help="a first start without the demo tenant"
    )
    parser.add_argument("--workers", type=int, default=1, metavar="N")
    parser.add_argument("--dispatchers", type=int, default=1, metavar="N")
    return parser


def _check_settings(env: Env, names: Sequence[str]) -> None:
    """Read each setting now: no child shall be the first to find a wrong one.

    Raises SettingsError, which names the variable.
    """
    for name in names:
        getattr(env, name)
    if not env.embeds_postgres:
        parse_database_url(env.database_url, "DATABASE_URL")


@dataclass
class Supervisor:
    """One installation's processes."""

    env: Env
    options: argparse.Namespace
    stop_request: StopRequest
    children: list[Child] = field(default_factory=list)
    tails: list[Tail] = field(default_factory=list)
    postgres: Postgres | None = None
    redis: Valkey | None = None
    last_alive: dict[str, float] = field(default_factory=dict)
    probe_at: float = 0.0

    def run(self) -> None:
        try:
            self.start()
            while not self.stop_request.made:
                self.keep()
                self.stop_request.wait(TICK_SECONDS)
        finally:
            self.stop()

    # --- the order of a start ---

    def start(self) -> None:
        self.place = self._settle()
        forget_metrics(self.env)
        end_leftovers(self.place.run, (str(MANAGE), "valkey-server"))
        check_port(bind_address(self.env), self.env.port)
        self._start_servers()
        self._prepare_database()
        self._compile_catalogues()
        self._step("migrate", "--noinput", "--verbosity=1")
        password = self._first_run()
        self._start_children()
        self._wait_ready()
        self._announce(password)

    def _settle(self) -> Place:
        embeds = self.env.embeds_postgres or self.env.embeds_redis
        return settle(self.env.home, self.env.run, embeds=embeds)

    def _start_servers(self) -> None:
        if self.env.embeds_postgres:
            rotate(self.place.logs / "postgres.log")
            self.postgres = Postgres(self.place, self.env.secrets["db_superuser"])
            self.postgres.start(self.stop_request.pause)
        if self.env.embeds_redis:
            rotate(self.place.logs / "redis.log")
            self.redis = Valkey(self.place)
            self.redis.start(self.stop_request.pause)
        else:
            check_redis(self.env.redis_url)

    def _prepare_database(self) -> None:
        if self.postgres:
            prepare_database(self.postgres.parameters, self.env.secrets, DATABASE_NAME)
        elif self.env.has_role_urls:
            check_server(firstrun.owner_parameters(self.env))
        else:
            parameters, name = _given_database(self.env)
            prepare_database(parameters, self.env.secrets, name)

    def _compile_catalogues(self) -> None:
        try:
            compile_catalogues(ROOT / "locale")
        except OSError as error:
            self._say(f"translations stay as they are, {error.filename} is read-only.")

    def _first_run(self) -> str:
        """Make the administrator and the demo; return a password still to be shown."""
        has_users = firstrun.has_users(self.env)
        if has_users and not firstrun.password_file(self.env).exists():
            return ""
        password = firstrun.keep_password(self.env)
        if not has_users:
            self._create_admin(password)
        if firstrun.wants_demo(self.env, self.options.no_demo):
            self._step("loaddemo")
        return password

    def _create_admin(self, password: str) -> None:
        who = [f"--username={firstrun.ADMIN}", "--email=admin@localhost.invalid"]
        run_step(
            self.env,
            self.place,
            self.stop_request,
            ["createsuperuser", "--noinput", *who],
            {"DJANGO_SUPERUSER_PASSWORD": password},
        )

    def _step(self, *arguments: str) -> None:
        run_step(self.env, self.place, self.stop_request, list(arguments))

    def _start_children(self) -> None:
        counts = {
            "worker": self.options.workers,
            "dispatcher": self.options.dispatchers,
        }
        for spec in child_specs(self.env, self.place, counts):
            rotate(spec.log)
            child = Child(spec)
            self.children.append(child)
            self.tails.append(Tail(spec.name, spec.log))
            child.start()

    def _wait_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        web = self.children[0]
        while not is_ready(self.env):
            self.keep()
            if web.restarts >= WEB_DEATHS_ALLOWED or time.monotonic() > deadline:
                words = last_words(web.spec.log)
                raise StartError(
                    f"The web process is not ready ({words}); see {web.spec.log}"
                )
            self.stop_request.pause(0.1)

    def _announce(self, password: str) -> None:
        login = (
            f"  Log in as {firstrun.ADMIN} with password {password}" if password else ""
        )
        print(f"AlertCenter is ready: {self.env.base_url}/{login}", flush=True)
        firstrun.password_file(self.env).unlink(missing_ok=True)

    # --- what keeps it running ---

    def keep(self) -> None:
        """Restart what died. Servers are asked a real query every 2 s."""
        now = time.monotonic()
        for child in [*self._server_children(), *self.children]:
            self._say(child.tick(now))
        if now < self.probe_at:
            return
        self.probe_at = now + PROBE_SECONDS
        for server in self._servers():
            self._probe(server, now)
        for tail in self.tails:
            tail.show()

    def _probe(self, server: Postgres | Valkey, now: float) -> None:
        child = server.child
        if not child.running() or server.probe() is not Answer.DEAD:
            self.last_alive[child.name] = now
            return
        if now - self.last_alive.setdefault(child.name, now) > DEAD_SECONDS:
            self._say(f"{child.name} answers nothing and is restarted.")
            child.kill()
            self.last_alive.pop(child.name)

    def _servers(self) -> list[Postgres | Valkey]:
        return [server for server in (self.postgres, self.redis) if server]

    def _server_children(self) -> list[Child]:
        return [server.child for server in self._servers()]

    def _say(self, sentence: str | None) -> None:
        if sentence:
            print(f"alertcenter: {sentence}", file=sys.stderr, flush=True)

    # --- the end ---

    def stop(self) -> None:
        """Stop ours first, then the servers they use."""
        stop_all(self.children)
        for tail in self.tails:
            tail.show()
        with contextlib.suppress(FileNotFoundError):
            if self.redis:
                self.redis.stop()
        if self.postgres:
            self.postgres.stop()


def _given_database(env: Env) -> tuple[dict[str, object], str]:
    """Return psycopg2's parameters of DATABASE_URL, and the database's name."""
    parts = parse_database_url(env.database_url, "DATABASE_URL")
    name = parts["name"]
    given = {
        "host": parts["host"],
        "port": parts["port"],
        "user": parts["user"],
        "password": parts["password"],
        "connect_timeout": 5,
    }
    parameters = {key: value for key, value in given.items() if value}
    return parameters | parts["options"] | {"dbname": "postgres"}, name
