"""May a member write how he is told, and nobody else's, and does the test walk it?"""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from notifications import delivery, personal, personal_words
from notifications.admin import personal as page
from notifications.models import Contact, Delivery, PersonalStep, QuietHours
from tenants.models import Audit, Member
from tenants.rls import in_tenant
from tests.cast import Cast
from tests.conftest import login_as

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _patience(monkeypatch):
    monkeypatch.setattr(page, "TESTS", type(page.TESTS)(rate=1, burst=4))


def change(member: Member) -> str:
    return reverse("admin:notifications_person_change", args=[member.pk])


def contact(acme: Cast, name: str, kind: str, address: str) -> Contact:
    with in_tenant(acme.id):
        return Contact.objects.create(
            tenant_id=acme.id, member=acme.members[name], kind=kind, address=address
        )


def form(
    steps: tuple[dict[str, Any], ...] = (),
    important: tuple[dict[str, Any], ...] = (),
    contacts: tuple[Any, ...] = (),
    hours: tuple[dict[str, Any], ...] = (),
    rule: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Return what the page posts."""
    rows = {
        "contacts": [
            {"id": c.pk, "kind": c.kind, "address": c.address, "position": 1}
            if isinstance(c, Contact)
            else c
            for c in contacts
        ],
        "personal_steps": list(steps),
        "personal_steps-2": list(important),
        "personal_rules": [rule] if rule else [],
        "quiet_hours": list(hours),
    }
    given: dict[str, Any] = {}
    for prefix, lines in rows.items():
        stored = sum("id" in line for line in lines)
        given[f"{prefix}-TOTAL_FORMS"] = str(len(lines))
        given[f"{prefix}-INITIAL_FORMS"] = str(stored)
        for number, line in enumerate(lines):
            for name, value in line.items():
                given[f"{prefix}-{number}-{name}"] = value
    return given


def wishes(acme: Cast, name: str) -> personal.Person:
    with in_tenant(acme.id):
        found = personal.read(acme.id, acme.members[name].pk)
    assert found
    return found


def words(acme: Cast, name: str, *, important: bool) -> str:
    return personal_words.chain_words(wishes(acme, name), important=important)


def test_a_member_writes_his_own_chains_and_reads_them_in_words(acme, bob):
    member = acme.members["bob"]
    one = contact(acme, "bob", "email", "bob@acme.example")
    slack = contact(acme, "bob", "slack", "U0BOB0001")
    given = form(
        contacts=(one, slack),
        steps=(
            {"position": 1, "kind": "contact", "contact": one.pk},
            {"position": 2, "kind": "wait", "wait_seconds": "5m"},
            {"position": 3, "kind": "by", "by": "email"},
        ),
        important=({"position": 7, "kind": "by", "by": "email"},),
        rule={"important_from": 4, "quiet_below": 5, "quiet_how": "mail"},
        hours=({"days": ["sat", "sun"], "begins": "22:00", "ends": "07:00"},),
    )
    answer = bob.post(change(member), given)
    assert answer.status_code == 302, answer.context["errors"]
    assert words(acme, "bob", important=False) == ("E-mail at once, E-mail after 5 min")
    assert words(acme, "bob", important=True) == "E-mail at once"
    assert wishes(acme, "bob").important_from == 4
    shown = bob.get(change(member)).content.decode()
    assert "E-mail at once, E-mail after 5 min" in shown
    assert "from error on: E-mail at once" in shown
    assert "Sa Su 22:00–07:00 (UTC): below critical nothing but e-mail" in shown
    with in_tenant(acme.id):
        (line,) = PersonalStep.objects.filter(important=True)
        assert line.position == 1
        assert Audit.objects.filter(action="person.change").count() == 1


def test_the_link_in_the_header_leads_to_ones_own_page(acme, bob, operator):
    answer = bob.get(reverse("admin:my_notifications"))
    assert answer.headers["Location"] == change(acme.members["bob"])
    assert reverse("admin:my_notifications") in bob.get("/admin/").content.decode()


def test_nobody_but_an_administrator_writes_anothers(acme, alice, bob, vera):
    member = acme.members["bob"]
    given = form(hours=({"days": ["mon"], "begins": "22:00", "ends": "07:00"},))
    assert vera.get(change(member)).status_code == 200
    assert vera.post(change(member), given).status_code == 403
    assert bob.post(change(acme.members["alice"]), given).status_code == 403
    with in_tenant(acme.id):
        assert not QuietHours.objects.exists()
    assert alice.post(change(member), given).status_code == 302
    with in_tenant(acme.id):
        assert QuietHours.objects.get().member == member


def test_a_viewer_may_write_his_own(acme, vera):
    given = form(contacts=({"kind": "email", "address": "v@acme.example"},))
    given["contacts-0-position"] = "1"
    assert vera.post(change(acme.members["vera"]), given).status_code == 302
    with in_tenant(acme.id):
        assert Contact.objects.get().address == "v@acme.example"


def test_a_slack_account_is_connected_and_not_claimed(acme, vera, alice):
    member = acme.members["vera"]
    given = form(contacts=({"kind": "slack", "address": "U0ALICE01"},))
    given["contacts-0-position"] = "1"
    assert "Connect this in Slack" in vera.post(change(member), given).content.decode()
    with in_tenant(acme.id):
        assert not Contact.objects.exists()
    assert alice.post(change(member), given).status_code == 302


def test_a_step_takes_ones_own_contacts_only(acme, bob):
    hers = contact(acme, "alice", "email", "alice@acme.example")
    given = form(steps=({"position": 1, "kind": "contact", "contact": hers.pk},))
    answer = bob.post(change(acme.members["bob"]), given)
    assert answer.status_code == 200
    with in_tenant(acme.id):
        assert not PersonalStep.objects.exists()


def test_a_step_without_what_it_needs_is_refused(acme, bob):
    for line in ({"kind": "wait"}, {"kind": "contact"}, {"kind": "by"}):
        answer = bob.post(
            change(acme.members["bob"]), form(steps=({"position": 1} | line,))
        )
        assert answer.status_code == 200, line


def test_quiet_hours_need_a_day(acme, bob):
    hours = ({"days": [], "begins": "22:00", "ends": "07:00"},)
    assert bob.post(change(acme.members["bob"]), form(hours=hours)).status_code == 200


# --- test my chain ---


def press(client: Client, member: Member, which: str) -> Any:
    return client.post(reverse(f"admin:notifications_person_{which}", args=[member.pk]))


@pytest.fixture
def chain(acme, settings) -> Any:
    """Bob's: one mailbox at once, ten minutes later another one, all day quiet."""
    settings.SIMULATION = True
    first = contact(acme, "bob", "email", "bob@acme.example")
    second = contact(acme, "bob", "email", "bob@home.example")
    mine = {"tenant_id": acme.id, "member": acme.members["bob"]}
    with in_tenant(acme.id):
        PersonalStep.objects.create(**mine, kind="contact", contact=first)
        PersonalStep.objects.create(**mine, position=2, kind="wait", wait_seconds=600)
        PersonalStep.objects.create(**mine, position=3, kind="contact", contact=second)
        QuietHours.objects.create(**mine, begins="00:00", ends="00:00")
    return acme.members["bob"]


def send_due() -> None:
    connection.close()
    with login_as("engine"):
        delivery.deliver_due()


def test_the_test_walks_the_chain_with_short_waits_and_shows_each_answer(
    acme, bob, chain
):
    answer = press(bob, chain, "test_usual")
    assert answer.status_code == 302
    progress = answer.headers["Location"]
    with in_tenant(acme.id):
        first, second = Delivery.objects.order_by("id")
    assert (first.kind, second.kind) == ("test", "test")
    assert first.next_at
    assert second.next_at
    assert round((second.next_at - first.next_at).total_seconds()) == 3
    send_due()
    shown = bob.get(progress).content.decode()
    assert "250 simulated" in shown
    assert "10 min" in shown
    assert 'http-equiv="refresh"' in shown
    with in_tenant(acme.id), connection.cursor() as cursor:
        cursor.execute("UPDATE delivery SET next_at = now() WHERE next_at IS NOT NULL")
    send_due()
    shown = bob.get(progress).content.decode()
    assert shown.count("250 simulated") == 2
    assert 'http-equiv="refresh"' not in shown
    with in_tenant(acme.id):
        assert Audit.objects.get(action="person.test").actor_label == "Bob"


def test_what_a_provider_refuses_is_shown_in_its_words(acme, bob, chain):
    with in_tenant(acme.id):
        Contact.objects.filter(address="bob@home.example").update(address="no mailbox")
    progress = press(bob, chain, "test_usual").headers["Location"]
    with in_tenant(acme.id), connection.cursor() as cursor:
        cursor.execute("UPDATE delivery SET next_at = now()")
    send_due()
    shown = bob.get(progress).content.decode()
    assert "this is no e-mail address" in shown


def test_only_oneself_and_administrators_test_a_chain(acme, alice, vera, chain):
    assert press(vera, chain, "test_usual").status_code == 403
    assert press(alice, chain, "test_important").status_code == 302
    page_of_test = reverse("admin:notifications_person_chain", args=[chain.pk])
    assert vera.get(f"{page_of_test}?test={chain.pk}").status_code == 403
    assert alice.get(f"{page_of_test}?test=x").status_code == 404


def test_tests_are_counted(acme, bob, chain):
    places = [
        press(bob, chain, "test_usual").headers["Location"] for _number in range(5)
    ]
    assert places[-1] == change(chain)
    assert all("/chain/?test=" in place for place in places[:4])
