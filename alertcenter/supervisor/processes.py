"""Which processes of ours run, with which login to the database?"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from alertcenter.settings.env import ROOT, Env
from alertcenter.supervisor.children import Spec, describe, kill_group, spawn
from alertcenter.supervisor.errors import StartError
from alertcenter.supervisor.logfiles import last_words, rotate
from alertcenter.supervisor.place import Place
from alertcenter.supervisor.stop import StopRequest

MANAGE = ROOT / "manage.py"
METRICS = "metrics"
SMTP_PORT = "ALERTCENTER_SMTP_PORT"


def forget_metrics(env: Env) -> None:
    """Empty the folder of figures: they count from this start."""
    shutil.rmtree(env.home / METRICS, ignore_errors=True)
    (env.home / METRICS).mkdir(mode=0o700)


def child_specs(env: Env, place: Place, counts: Mapping[str, int]) -> list[Spec]:
    """Return web, dispatchers, workers and beat, in starting order."""
    return [
        _spec(env, place, name, command, role)
        for name, command, role in _names(counts, bool(env.text(SMTP_PORT)))
    ]


def _names(
    counts: Mapping[str, int], with_mail: bool
) -> Iterator[tuple[str, str, str]]:
    yield "web", "web", "app"
    if with_mail:
        yield "smtp", "smtp", "app"
    for name, command in (("dispatcher", "dispatch"), ("worker", "worker")):
        for number in range(1, counts.get(name, 1) + 1):
            yield name if number == 1 else f"{name}-{number}", command, "engine"
    yield "beat", "beat", "engine"


def _spec(env: Env, place: Place, name: str, command: str, role: str) -> Spec:
    return Spec(
        name=name,
        command=[sys.executable, str(MANAGE), command],
        environment=environment(env, name, role),
        log=place.logs / f"{name}.log",
        directory=ROOT,
        pid_file=place.run / f"{name}.pid",
    )


def environment(env: Env, name: str, role: str) -> dict[str, str]:
    """Return the variables of a process named `name`."""
    return dict(os.environ) | {
        "ALERTCENTER_HOME": str(env.home),
        "ALERTCENTER_DB_ROLE": role,
        "AC_PROCESS": name,
        "PYTHONUNBUFFERED": "1",
        # The figures of all processes meet here; /metrics of the web shows them.
        "PROMETHEUS_MULTIPROC_DIR": str(env.home / METRICS),
    }


def run_step(
    env: Env,
    place: Place,
    stop: StopRequest,
    arguments: list[str],
    extra: Mapping[str, str] | None = None,
) -> None:
    """Run one `manage.py` command as the owner; raises StartError when it fails."""
    name = arguments[0]
    log = place.logs / f"{name}.log"
    rotate(log)
    spec = Spec(
        name=name,
        command=[sys.executable, str(MANAGE), *arguments],
        environment=environment(env, name, "owner") | dict(extra or {}),
        log=log,
        directory=ROOT,
    )
    log.touch(mode=0o600)
    with log.open("ab") as output:
        process = spawn(spec, output)
    _wait(process, stop)
    if process.returncode:
        raise StartError(_failure(name, process.returncode, log))


def _wait(process: subprocess.Popen[bytes], stop: StopRequest) -> None:
    try:
        while process.poll() is None:
            stop.pause(0.05)
    finally:
        if process.poll() is None:
            kill_group(process.pid)
            process.wait()


def _failure(name: str, code: int, log: Path) -> str:
    words = f"{last_words(log)} (all of it: {log})"
    return f"manage.py {name} failed, {describe(code)}: {words}"
