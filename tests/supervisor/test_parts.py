"""Do the supervisor's parts keep their small promises?"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg2
import pytest

from alertcenter.settings.env import read
from alertcenter.supervisor.catalogues import compile_catalogues
from alertcenter.supervisor.children import Backoff, Child, Spec
from alertcenter.supervisor.logfiles import Tail, last_words, rotate
from alertcenter.supervisor.postgres import Answer, forget_pid, judge, read_pid
from alertcenter.supervisor.roles import LEAKPROOF, prepare_database
from tests.stack import command_line, until


def spec(tmp_path, code: str, **changes) -> Spec:
    values = {
        "name": "child",
        "command": [sys.executable, "-c", code],
        "environment": dict(os.environ),
        "log": tmp_path / "child.log",
        "directory": tmp_path,
        "grace": 0.5,
    }
    return Spec(**(values | changes))


def test_the_pause_doubles_up_to_ten_seconds_and_forgets_after_a_steady_life():
    backoff = Backoff()
    pauses = [backoff.next(lived=0.1) for _ in range(7)]
    assert pauses == [0.5, 1, 2, 4, 8, 10, 10]
    assert backoff.next(lived=31) == 0.5


def test_a_dead_child_is_reported_once_and_started_after_its_pause(tmp_path):
    child = Child(spec(tmp_path, "raise SystemExit(3)"))
    child.start()
    until(lambda: not child.running())
    now = time.monotonic()
    assert child.tick(now) == "child ended (exit code 3); it starts again in 0.5 s."
    assert child.tick(now + 0.4) is None
    assert child.process is None
    child.tick(now + 0.6)
    assert child.process is not None
    child.wait_stopped(time.monotonic() + 5)


def test_a_child_that_ignores_sigterm_is_killed_with_its_own_children(tmp_path):
    code = (
        "import signal, subprocess, sys, time;"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
        "print(p.pid, flush=True); time.sleep(60)"
    )
    child = Child(spec(tmp_path, code))
    child.start()
    grandchild = int(until(lambda: (tmp_path / "child.log").read_text().strip()))
    child.ask_to_stop()
    child.wait_stopped(time.monotonic() + 0.5)
    until(lambda: not command_line(grandchild), 5)


def test_warnings_are_shown_and_the_rest_is_not(tmp_path, capsys):
    path = tmp_path / "web.log"
    path.write_text(json.dumps({"level": "warning", "event": "old"}) + "\n")
    tail = Tail("web", path)
    with path.open("a") as log:
        for level in ("info", "warning", "error"):
            log.write(json.dumps({"level": level, "event": f"new {level}"}) + "\n")
        log.write('{"level": "error", "event": "half a li')
    tail.show()
    shown = capsys.readouterr().err
    assert "new warning" in shown
    assert "new error" in shown
    assert "old" not in shown
    assert "info" not in shown
    assert "half" not in shown


def test_a_large_log_is_put_aside_at_start(tmp_path):
    path = tmp_path / "web.log"
    path.write_text("x" * 100)
    rotate(path, limit=99)
    assert not path.exists()
    assert (tmp_path / "web.log.1").read_text() == "x" * 100


def test_last_words_are_a_sentence(tmp_path):
    path = tmp_path / "web.log"
    assert last_words(path) == "no output"
    path.write_text('first\n{"event": "No disk left."}\n')
    assert last_words(path) == "No disk left"


def test_catalogues_are_compiled_once(tmp_path):
    folder = tmp_path / "fr" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    text = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'
    (folder / "django.po").write_text(text + 'msgid "Alert"\nmsgstr "Alerte"\n')
    assert compile_catalogues(tmp_path) == [folder / "django.mo"]
    assert b"Alerte" in (folder / "django.mo").read_bytes()
    assert compile_catalogues(tmp_path) == []


def test_catalogues_are_compiled_by_several_at_once(tmp_path):
    """Two test processes of a fresh clone, or two hosts that share a folder."""
    folder = tmp_path / "fr" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    entries = [f'msgid "alert {i}"\nmsgstr "alerte {i}"\n' for i in range(2000)]
    head = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n'
    (folder / "django.po").write_text("\n".join([head, *entries]))
    gate = threading.Barrier(8)

    def compile_now(_) -> None:
        gate.wait()
        compile_catalogues(tmp_path)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(compile_now, range(8)))
    assert b"alerte 1999" in (folder / "django.mo").read_bytes()
    assert sorted(path.name for path in folder.iterdir()) == ["django.mo", "django.po"]


@pytest.mark.parametrize(
    ("message", "answer"),
    [
        ("FATAL: the database system is starting up", Answer.BUSY),
        ("FATAL: the database system is in recovery mode", Answer.BUSY),
        ("FATAL: sorry, too many clients already", Answer.BUSY),
        ('FATAL: password authentication failed for user "x"', Answer.REFUSED),
        ("connection refused", Answer.DEAD),
    ],
)
def test_a_busy_server_is_not_taken_for_a_dead_one(message, answer):
    assert judge(message) is answer


def test_a_pid_of_somebody_else_is_forgotten_but_the_rest_kept(tmp_path):
    path = tmp_path / "postmaster.pid"
    path.write_text(f"{os.getpid()}\n/data\n1\n5432\n/run\n\n  123  456\nready\n")
    forget_pid(path)
    assert read_pid(path) == 999_999_999
    assert "  123  456" in path.read_text()


def test_preparing_the_database_twice_changes_nothing(servers):
    for _ in range(2):
        prepare_database(servers.postgres.parameters, read().secrets, "alertcenter")
    rows = query(
        servers.superuser,
        "SELECT rolname, rolcanlogin, rolcreatedb, rolsuper, rolbypassrls"
        " FROM pg_roles WHERE rolname LIKE 'ac\\_%' ORDER BY 1",
    )
    assert rows == [
        ("ac_app", True, False, False, False),
        ("ac_engine", True, False, False, False),
        ("ac_owner", True, True, False, False),
        ("ac_resolver", False, False, False, False),
    ]


def test_searches_may_use_their_index_under_row_level_security(servers):
    for function in LEAKPROOF:
        statement = "SELECT proleakproof FROM pg_proc WHERE oid = %s::regprocedure"
        assert query(servers.superuser, statement, [function]) == [(True,)]


def test_only_the_owner_may_create_tables(servers):
    env = read()
    for role in ("app", "engine"):
        login = {"user": f"ac_{role}", "password": env.secrets[f"db_{role}"]}
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            query(servers.superuser | login, "CREATE TABLE intruder (n int)")


def test_a_login_that_may_create_roles_is_enough(servers):
    """As with DATABASE_URL of a managed PostgreSQL: no superuser anywhere."""
    query(
        servers.superuser,
        "CREATE ROLE setup LOGIN CREATEROLE CREATEDB PASSWORD 'setup'",
    )
    query(
        servers.superuser,
        "GRANT ac_owner, ac_app, ac_engine, ac_resolver TO setup WITH ADMIN TRUE",
    )
    login = servers.postgres.parameters | {"user": "setup", "password": "setup"}
    for _ in range(2):
        prepare_database(login, read().secrets, "elsewhere")
    owner = query(
        servers.superuser | {"dbname": "elsewhere"},
        "SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = 'public'",
    )
    assert owner == [("ac_owner",)]


def query(parameters, statement: str, values=None) -> list[tuple]:
    connection = psycopg2.connect(**parameters)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()
