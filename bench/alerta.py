"""How is Alerta run beside us? As its own authors say: gunicorn, and PostgreSQL.

https://docs.alerta.io/deployment.html#web-server. Two workers, one a core; the same
PostgreSQL server as ours with the same settings, without authentication. It is
installed from PyPI on demand, into a cache outside of the project.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path
from types import TracebackType

from alertcenter.settings.home import run_directory
from bench import forms
from bench.load import Target
from tests.stack import Stack, free_port

WANTED = Path(__file__).with_name("alerta-requirements.txt")
INSTALL_SECONDS = 180
START_SECONDS = 30
WORKERS = 2
NAME = "bench_alerta"


class Alerta:
    """A context manager: the server ends with it, its database with the stack."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Target | None:
        folder = installed()
        if folder is None:
            return None
        address = f"127.0.0.1:{free_port()}"
        command = [str(folder / "bin/gunicorn"), f"--workers={WORKERS}", "--preload"]
        command += [f"--bind={address}", "--log-level=error", "alerta.app:create_app()"]
        self.process = subprocess.Popen(
            command,
            env=environment(self._database()),
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        url = f"http://{address}"
        if not answers(f"{url}/management/healthcheck"):
            self._end()
            return None
        return Target(
            "Alerta", f"{url}/alert", form=forms.ALERTA, lists=False, distinct=100
        )

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._end()

    def _end(self) -> None:
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def _database(self) -> str:
        password = secrets.token_hex(8)
        self.stack.sql(f"CREATE ROLE {NAME} LOGIN PASSWORD '{password}'")
        self.stack.sql(f"CREATE DATABASE {NAME} OWNER {NAME}")
        host = urllib.parse.quote(str(run_directory(self.stack.home)), safe="")
        return f"postgresql://{NAME}:{password}@/{NAME}?host={host}&port=5432"


def installed() -> Path | None:
    """Return the environment that has Alerta, made if need be; None: impossible."""
    folder = cache() / "alerta"
    mark = folder / "installed.txt"
    if mark.exists() and mark.read_text() == WANTED.read_text():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    pip = [str(folder / "bin/python"), "-m", "pip", "install", "--quiet"]
    try:
        for command in (
            [sys.executable, "-m", "venv", str(folder)],
            [*pip, "--disable-pip-version-check", "-r", str(WANTED)],
        ):
            subprocess.run(
                command, check=True, capture_output=True, timeout=INSTALL_SECONDS
            )
    except (OSError, subprocess.SubprocessError):
        shutil.rmtree(folder, ignore_errors=True)
        return None
    mark.write_text(WANTED.read_text())
    return folder


def cache() -> Path:
    """Return where what is measured beside us is kept from run to run."""
    given = os.environ.get("ALERTCENTER_BENCH_CACHE")
    folder = Path(given) if given else Path.home() / ".cache" / "alertcenter-bench"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def environment(database_url: str) -> dict[str, str]:
    """Return Alerta's variables, with nothing of ours."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return kept | {"DATABASE_URL": database_url, "ALERTA_SVR_CONF_FILE": os.devnull}


def answers(url: str) -> bool:
    """Wait until something answers there."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return True
        except OSError:
            time.sleep(0.2)
    return False
