"""Does `manage.py up` start, stop and come back with its data?"""

from __future__ import annotations

import contextlib
import http.client
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from alertcenter.settings.env import ROOT
from alertcenter.supervisor.account import Account, service_account
from tests.stack import Stack, command_line, descendants, until

pytestmark = pytest.mark.flow
# Generous: the other half of the run is at work meanwhile.
SECOND_START_SECONDS = 25.0
NAMES = ("postgres", "redis", "web", "dispatcher", "worker", "beat")


@pytest.fixture
def own_stack() -> Iterator[Stack]:
    """A stack that a test may stop and start."""
    stack = Stack(fresh=True)
    yield stack
    stack.remove()


def get_status(stack: Stack, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


def test_first_start_shows_a_password_and_the_second_is_quick_with_all_data(own_stack):
    own_stack.start()
    assert own_stack.url in own_stack.ready_line
    assert own_stack.password
    assert get_status(own_stack, "/readyz") == 200
    assert own_stack.stop() == 0

    seconds = own_stack.start()
    assert seconds < SECOND_START_SECONDS
    assert not own_stack.password
    assert own_stack.sql("SELECT username FROM auth_user") == [("admin",)]
    assert own_stack.stop() == 0


def test_the_given_password_is_the_administrators(own_stack):
    own_stack.environment["ALERTCENTER_ADMIN_PASSWORD"] = "correct horse battery"
    own_stack.start()
    code = (
        "from django.contrib.auth import authenticate as a;"
        "print(bool(a(username='admin', password='correct horse battery')))"
    )
    assert own_stack.manage("shell", "--command", code).strip().endswith("True")
    assert not (own_stack.home / "first-password").exists()


def test_all_data_is_closed_to_others(stack):
    assert stat.S_IMODE(stack.home.stat().st_mode) == 0o700
    assert stat.S_IMODE((stack.home / "secrets.json").stat().st_mode) == 0o600
    assert stat.S_IMODE((stack.home / "run" / "redis.sock").stat().st_mode) == 0o700


def test_no_process_of_ours_serves_with_a_privileged_login(stack):
    query = (
        "SELECT DISTINCT usename FROM pg_stat_activity"
        " WHERE application_name LIKE 'alertcenter-%'"
    )
    until(lambda: set(stack.sql(query)) == {("ac_app",), ("ac_engine",)})
    privileged = stack.sql(
        "SELECT rolname FROM pg_roles WHERE rolname LIKE 'ac\\_%'"
        " AND (rolsuper OR rolbypassrls OR rolcreaterole)"
    )
    assert privileged == []


def test_killing_the_supervisor_leaves_no_process_behind(own_stack):
    own_stack.start()
    assert own_stack.process is not None
    everybody = descendants(own_stack.process.pid)
    own_stack.process.kill()
    own_stack.process.wait()
    until(lambda: not any(command_line(pid) for pid in everybody), seconds=40)
    assert own_stack.start() < SECOND_START_SECONDS
    own_stack.stop()


def test_a_start_is_broken_off_at_once_by_ctrl_c(own_stack):
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "manage.py"), "up", "--no-demo"],
        env=own_stack.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        # A suite that runs in the background ignores Ctrl-C, and so would this.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    until(lambda: (own_stack.home / "run" / "redis.pid").exists())
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0
    assert own_stack.processes() == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_an_ordinary_user_can_run_it():
    account = service_account(Path("/nonexistent"))
    assert account is not None
    if not account.reaches(ROOT):
        pytest.skip("the checkout is closed to other users")
    with reachable_python(account) as (python, environment):
        stack = Stack(python=[python], account=account)
        stack.environment |= environment
        try:
            stack.start()
            assert (stack.home / "postgres").stat().st_uid == account.uid
            assert (stack.home / "log").stat().st_uid == account.uid
            stack.stop()
        finally:
            stack.remove()


@contextlib.contextmanager
def reachable_python(account: Account) -> Iterator[tuple[str, dict[str, str]]]:
    """Give a Python that `account` may run, and the variables that it needs.

    The interpreter may live below /root: then a copy does.
    """
    if account.reaches(Path(sys.executable).resolve()):
        yield sys.executable, {}
        return
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    origin = Path(sys.base_prefix)
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    useless = shutil.ignore_patterns("test", "site-packages", "config-*", "idlelib")
    with tempfile.TemporaryDirectory(prefix="ac-python-") as folder:
        copy = Path(folder)
        copy.chmod(0o755)
        shutil.copytree(origin / "lib" / name, copy / "lib" / name, ignore=useless)
        for library in (origin / "lib").glob("libpython*"):
            shutil.copy(library, copy / "lib")
        (copy / "bin").mkdir()
        shutil.copy(origin / "bin" / name, copy / "bin")
        paths = {"LD_LIBRARY_PATH": str(copy / "lib"), "PYTHONPATH": packages}
        yield str(copy / "bin" / name), paths
