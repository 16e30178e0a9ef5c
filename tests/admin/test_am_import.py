"""Bringing in alertmanager.yml by a page and by a command; taking it away again."""

from __future__ import annotations

import html
import re
from io import StringIO
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.urls import reverse

from alertcenter.alerts.models import Route
from tenants.models import Audit
from tenants.rls import in_tenant
from tests.conftest import login_as
from tests.escalation.test_am_import import SHOP, SMALL

PAGE = reverse("admin:alertmanager_import")
EXPORT = reverse("admin:alertmanager_export")


def upload(body: bytes) -> dict[str, object]:
    return {"file": SimpleUploadedFile("alertmanager.yml", body), "text": ""}


def hidden(page: str) -> dict[str, str]:
    """Return what the form that applies the plan would post."""
    inner = page[page.index('id="plan"') :]
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', inner)
    return {name: html.unescape(value) for name, value in found} | {"_apply": "1"}


@pytest.mark.django_db
def test_a_file_is_shown_before_it_is_applied(alice, acme):
    page = alice.post(PAGE, upload(SHOP)).content.decode()
    for words in (
        "route.routes[2]",
        "victorops",
        "Nobody would be told",
        "time interval",
    ):
        assert words in page
    with in_tenant(acme.id):
        assert not Route.objects.exists()
    done = alice.post(PAGE, hidden(page), follow=True).content.decode()
    assert "Imported: 19 new, 0 changed, 0 stay." in done
    with in_tenant(acme.id):
        assert Route.objects.count() == 8
        row = Audit.objects.get(action="alertmanager.import")
        assert row.actor_label.startswith("Alice") or "alice" in row.actor_label


@pytest.mark.django_db
def test_what_was_not_shown_is_not_applied(alice, acme):
    page = alice.post(PAGE, {"text": SMALL}).content.decode()
    other = hidden(page) | {
        "text": SMALL.replace("receiver: a", "receiver: a\n  group_wait: 1s")
    }
    with in_tenant(acme.id):
        Route.objects.create(tenant=acme.tenant, name="mine", matchers=["a=b"])
    answer = alice.post(PAGE, hidden(page)).content.decode()
    assert "look at the plan once more" in answer
    with in_tenant(acme.id):
        assert Route.objects.count() == 1
    again = alice.post(PAGE, hidden(answer), follow=True).content.decode()
    assert "Imported: 2 new" in again
    assert "--replace" in alice.post(PAGE, other).content.decode()


@pytest.mark.django_db
def test_the_default_route_is_replaced_with_a_ticked_box(alice, acme):
    with in_tenant(acme.id):
        Route.objects.create(tenant=acme.tenant, name="all", is_default=True)
    refused = alice.post(PAGE, {"text": SMALL}).content.decode()
    assert "Refused, nothing is changed" in refused
    assert 'name="_apply"' not in refused
    page = alice.post(PAGE, {"text": SMALL, "replace": "on"}).content.decode()
    alice.post(PAGE, hidden(page))
    with in_tenant(acme.id):
        assert Route.objects.get().receiver == "a"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "The submitted file is empty."),
        (b"\xff\xfe", "not in UTF-8"),
        (b"a: &x [*x]", "contains itself"),
        (b"x" * 1_000_001, "larger than 1 MB"),
        (b"<script>: 1", "&lt;script&gt;"),
    ],
)
def test_hostile_files_get_a_sentence(body, words, alice, acme):
    answer = alice.post(PAGE, upload(body))
    assert answer.status_code == 200
    assert words in answer.content.decode()
    assert "<script>: 1" not in answer.content.decode()


@pytest.mark.django_db
def test_nothing_at_all_is_asked_for(alice, acme):
    assert "Choose a file first." in alice.post(PAGE, {"text": ""}).content.decode()
    assert PAGE in alice.get(reverse("admin:alerts_route_changelist")).content.decode()


@pytest.mark.django_db
def test_only_who_may_configure_gets_in(bob, charlie, alice, acme, globex):
    for address in (PAGE, EXPORT):
        assert bob.get(address).status_code == 403
    assert bob.post(PAGE, {"text": SMALL, "_apply": "1"}).status_code == 403
    page = alice.post(PAGE, {"text": SMALL}).content.decode()
    alice.post(PAGE, hidden(page))
    assert b"receiver: a" in alice.get(EXPORT).content
    assert b"receiver: a" not in charlie.get(EXPORT).content
    assert alice.get(EXPORT)["Content-Disposition"].startswith("attachment")


# --- the command ---


def run(*words: str) -> str:
    out = StringIO()
    with login_as("owner"):
        call_command(*words, stdout=out)
    return out.getvalue()


@pytest.mark.django_db(transaction=True)
def test_the_command_shows_then_applies_then_finds_nothing_to_do(acme, tmp_path: Path):
    file = tmp_path / "alertmanager.yml"
    file.write_bytes(SHOP)
    shown = run("importalertmanager", "acme", str(file))
    assert "say --apply" in shown
    assert re.search(r"receivers\[2\]\.victorops_configs\[0\] \(line \d+\)", shown)
    with in_tenant(acme.id):
        assert not Route.objects.exists()
    assert "create 19" in run("importalertmanager", "acme", str(file), "--apply")
    assert "create 0, change 0, leave 19" in run(
        "importalertmanager", "acme", str(file), "--apply"
    )
    exported = run("exportalertmanager", "acme")
    assert "xoxb" not in exported
    assert "receiver: ops" in exported


@pytest.mark.django_db(transaction=True)
def test_the_command_refuses_with_a_sentence(acme, tmp_path: Path):
    file = tmp_path / "alertmanager.yml"
    file.write_text("route: {receiver: x}")
    with pytest.raises(CommandError, match="refused"):
        run("importalertmanager", "acme", str(file), "--apply")
    with pytest.raises(CommandError, match="no tenant"):
        run("importalertmanager", "nobody", str(file))
    with pytest.raises(CommandError, match="No such file"):
        run("importalertmanager", "acme", str(tmp_path / "none.yml"))
