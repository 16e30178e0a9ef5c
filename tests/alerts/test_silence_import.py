"""Silences of an Alertmanager: shown, brought in once, or refused with their place."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from alertcenter.alerts import silence_import
from alertcenter.alerts.models import Silence
from alertcenter.alerts.silence_import import MOST, SilencePlan
from tenants.actors import Actor
from tenants.models import Audit
from tenants.rls import in_tenant
from tests.cast import Cast
from tests.conftest import login_as

pytestmark = pytest.mark.django_db

NOW = datetime.now(UTC).replace(microsecond=0)
OPS = Actor("operator", "", "command line")


def at(hours: float) -> str:
    """Return a time as Alertmanager prints it."""
    moment = NOW + timedelta(hours=hours)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.895Z")


def silence(**changed: Any) -> dict[str, Any]:
    """Return what `amtool silence query -o json` writes of one, with some changes."""
    return {
        "id": "2b4d6b1c-0d15-4c5e-b5bd-6e3ec4b6c1e5",
        "status": {"state": "active"},
        "updatedAt": at(-1),
        "comment": "disk swap",
        "createdBy": "dba",
        "startsAt": at(-1),
        "endsAt": at(2),
        "matchers": [
            {"isEqual": True, "isRegex": False, "name": "team", "value": "db"},
            {"isEqual": False, "isRegex": True, "name": "host", "value": r"db-\d+"},
        ],
    } | changed


def bring(cast: Cast, given: Any, **options: Any) -> SilencePlan:
    body = given if isinstance(given, bytes) else json.dumps(given).encode()
    with in_tenant(cast.id):
        return silence_import.carry_out(cast.id, body, actor=OPS, **options)


def kept(cast: Cast) -> list[Silence]:
    with in_tenant(cast.id):
        return list(Silence.objects.order_by("ends_at"))


def test_a_silence_comes_over_with_its_author_and_reason(acme):
    plan = bring(acme, [silence()])
    assert [item.verdict for item in plan.items] == ["create"]
    (row,) = kept(acme)
    assert row.matchers == ['team="db"', r'host!~"db-\\d+"']
    assert (row.created_by, row.comment) == ("dba", "disk swap")
    assert row.ends_at == (NOW + timedelta(hours=2)).replace(microsecond=895_000)
    assert row.starts_at >= NOW - timedelta(minutes=5)
    assert row.in_force
    with in_tenant(acme.id):
        assert Audit.objects.get(action="silence.create").actor_label == OPS.label


def test_a_second_import_makes_nothing(acme):
    given = [silence(), silence(startsAt=at(-2)), silence(startsAt=at(1))]
    first = bring(acme, given)
    assert [item.verdict for item in first.items] == ["create", "leave", "create"]
    again = bring(acme, given)
    assert {item.verdict for item in again.items} == {"leave"}
    assert len(kept(acme)) == 2


def test_what_is_over_is_skipped_and_what_is_to_come_keeps_its_start(acme):
    plan = bring(acme, [silence(endsAt=at(-0.5)), silence(startsAt=at(1))])
    assert [item.verdict for item in plan.items] == ["skip", "create"]
    (row,) = kept(acme)
    assert row.starts_at == (NOW + timedelta(hours=1)).replace(microsecond=895_000)
    assert not row.in_force


def test_silences_of_before_the_negative_conditions_are_positive(acme):
    bring(acme, silence(matchers=[{"isRegex": True, "name": "a b", "value": "x|y"}]))
    assert kept(acme)[0].matchers == ['"a b"=~"x|y"']


@pytest.mark.parametrize(
    ("changed", "path", "words"),
    [
        ({"matchers": []}, "[1].matchers", "at least one"),
        ({"matchers": [1]}, "[1].matchers[0]", "mapping"),
        (
            {"matchers": [{"name": "a", "value": "(?!b)", "isRegex": True}]},
            "[1].matchers[0]",
            "Look-around",
        ),
        ({"matchers": [{"name": "", "value": "b"}]}, "[1].matchers[0]", "condition"),
        ({"matchers": [{"name": "a", "value": 1}]}, "[1].matchers[0].value", "text"),
        (
            {"matchers": [{"name": "a", "value": "b", "isRegex": "yes"}]},
            "[1].matchers[0]",
            "true or false",
        ),
        (
            {"matchers": [{"name": "a", "value": ".*", "isRegex": True}]},
            "[1]",
            "silence everything",
        ),
        ({"endsAt": "soon"}, "[1].endsAt", "not a time"),
        ({"startsAt": None}, "[1].startsAt", "text"),
        ({"startsAt": at(3)}, "[1]", "begin before it ends"),
        ({"comment": 7}, "[1].comment", "text"),
        ({"comment": "x" * 10_001}, "[1]", "too long"),
        ({"annotations": {"a": 1}}, "[1].annotations", "mapping"),
    ],
)
def test_one_wrong_silence_refuses_all_and_is_named(changed, path, words, acme):
    plan = bring(acme, [silence(), silence(**changed)])
    ((found, said),) = plan.errors
    assert found == path
    assert words in said
    assert kept(acme) == []


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'"text"', "not a list"),
        (b"[1]", "not a silence"),
        (b"[" + b"{}," * MOST + b"{}]", "at most"),
        (b" " * 8_000_001, "8 MB"),
    ],
)
def test_hostile_files_get_a_sentence(body, words, acme):
    ((_path, said),) = bring(acme, body).errors
    assert words in said


def test_what_cannot_be_kept_after_all_undoes_what_was(acme, monkeypatch):
    monkeypatch.setattr("alertcenter.alerts.silences.MOST_UNEXPIRED", 1)
    plan = bring(acme, [silence(), silence(comment="another")])
    assert [path for path, _words in plan.errors] == ["[1]"]
    assert kept(acme) == []


def test_other_tenants_have_nothing_of_it(acme, globex):
    bring(acme, [silence()])
    assert kept(globex) == []
    assert [item.verdict for item in bring(globex, [silence()]).items] == ["create"]


@pytest.mark.django_db(transaction=True)
def test_the_command_shows_applies_and_refuses(acme, tmp_path: Path):
    file = tmp_path / "silences.json"
    file.write_text(json.dumps([silence()]))
    out = StringIO()
    with login_as("owner"):
        call_command("importsilences", "acme", str(file), stdout=out)
        assert "say --apply" in out.getvalue()
        assert "create  [0]" in out.getvalue()
        assert kept(acme) == []
        call_command("importsilences", "acme", str(file), "--apply", stdout=out)
        assert len(kept(acme)) == 1
        file.write_text("[{}]")
        with pytest.raises(CommandError, match="refused"):
            call_command("importsilences", "acme", str(file), "--apply", stdout=out)
        assert "[0].matchers: " in out.getvalue()
