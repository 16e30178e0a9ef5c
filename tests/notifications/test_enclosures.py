"""What comes along with a mail about more alerts than it shows?"""

from __future__ import annotations

import csv
import io
import json
from typing import Any
from uuid import uuid4

import pytest

from notifications import enclosures
from notifications.channels import email, letters
from notifications.channels.base import Parcel
from tests.notifications.scene import a_message, a_parcel

pytestmark = pytest.mark.django_db

ROW = {
    "title": "Disk of db-1 is full",
    "severity": "critical",
    "state": "firing",
    "starts_at": "2026-11-21T02:00:00+00:00",
    "summary": "only 1 % left",
    "link": "https://prom.example/",
    "labels": {"team": "db", "host": "db-1"},
}
FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "=cmd|' /C calc'!A0")


@pytest.fixture
def rows(monkeypatch) -> list[dict[str, Any]]:
    found = [ROW | {"title": f"Disk {number}"} for number in range(30)]
    monkeypatch.setattr(
        enclosures, "sources", [lambda _tenant, _group, most: found[:most]]
    )
    return found


def many(count: int = 30, **changes: Any) -> Parcel:
    given = {"channel_kind": "email", "address": "bob@acme.example", "settings": {}}
    message = a_message(alert_count=count)
    return a_parcel(**given | {"message": message} | changes)


def table(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))


def test_what_does_not_fit_is_attached_as_a_table(smtp, rows):
    email.send(many())
    (mail,) = smtp.mails
    (file,) = mail.message.iter_attachments()
    assert file.get_filename() == "group-12-alerts.csv"
    assert file.get_content_type() == "text/csv"
    lines = table(file.get_payload(decode=True))
    assert lines[0] == list(enclosures.COLUMNS)
    assert len(lines) == 31
    assert lines[1] == [
        "Disk 0", "critical", "firing", ROW["starts_at"], "only 1 % left",
        "https://prom.example/", "host=db-1; team=db",
    ]  # fmt: skip
    for subtype in ("plain", "html"):
        said = letters.part(mail.message, subtype)
        assert "group-12-alerts.csv lists 30 of them." in said


def test_a_channel_chooses_what_it_gets(rows):
    names = {
        wanted: [
            one.name.rpartition(".")[2]
            for one in enclosures.enclosures(many(settings={"attach": wanted}))
        ]
        for wanted in enclosures.CHOICES
    }
    assert names == {
        "csv": ["csv"], "json": ["json"], "both": ["csv", "json"], "none": [],
    }  # fmt: skip


def test_json_says_how_many_there_are_in_all(rows):
    (file,) = enclosures.enclosures(many(count=900, settings={"attach": "json"}))
    whole = json.loads(file.content)
    assert (whole["alert_count"], whole["listed"]) == (900, 30)
    assert whole["alerts"][0]["labels"] == {"team": "db", "host": "db-1"}


@pytest.mark.parametrize(
    "parcel", [many(count=2), many(kind="test"), many(kind="reply")]
)
def test_nothing_is_attached_where_the_mail_says_all(rows, parcel):
    assert enclosures.enclosures(parcel) == []


def test_files_are_bounded_in_rows_and_bytes(monkeypatch):
    flood = [ROW | {"summary": "😀" * 5000}] * 3000
    monkeypatch.setattr(enclosures, "sources", [lambda *_given: flood])
    for one in enclosures.enclosures(many(count=3000, settings={"attach": "both"})):
        assert 0 < one.rows <= enclosures.MOST_ROWS
        assert len(one.content) < enclosures.MOST_BYTES + 4096


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_is_a_formula(monkeypatch, text):
    row = dict.fromkeys(enclosures.COLUMNS, text) | {"labels": {text: text}}
    monkeypatch.setattr(enclosures, "sources", [lambda *_given: [row]])
    (file,) = enclosures.enclosures(many())
    for cell in table(file.content)[1]:
        assert not cell.startswith(enclosures.FORMULA)


def test_a_group_that_holds_nothing_attaches_nothing():
    assert enclosures.enclosures(many(tenant_id=uuid4())) == []


# --- opened ---


def test_no_picture_is_in_a_mail_unless_the_channel_asks_for_it(smtp):
    email.send(many(count=2))
    email.send(many(count=2, settings={"track_opens": True}))
    email.send(many(count=2, settings={"track_opens": True}, kind="test"))
    html = [letters.part(mail.message, "html") for mail in smtp.mails]
    assert ["<img" in one for one in html] == [False, True, False]
    assert "/o/" in html[1]
