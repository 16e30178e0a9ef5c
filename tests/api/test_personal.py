"""Are contacts and chains read and written over the API by those who may?"""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from alertcenter.common.ids import uuid7
from notifications.models import Contact, PersonalStep
from tenants.models import Audit
from tenants.rls import in_tenant
from tests.api.client import bearer, call, get
from tests.cast import Cast

pytestmark = pytest.mark.django_db(transaction=True)

MINE = "/t/acme/api/v1/me/notifications"
WANTED: dict[str, Any] = {
    "contacts": [
        {"kind": "email", "address": "bob@acme.example"},
        {"kind": "email", "address": "bob@home.example"},
    ],
    "usual": [
        {"contact": "email:bob@acme.example"},
        {"wait_seconds": 300},
        {"contact": "email:bob@home.example"},
    ],
    "important": [{"by": "email"}],
    "important_from": "error",
    "quiet": {
        "below": "critical",
        "how": "mail",
        "time_zone": "Europe/Berlin",
        "hours": [{"days": ["sat"], "begins": "22:00", "ends": "07:00"}],
    },
}


def of(cast: Cast, name: str) -> str:
    return f"/t/{cast.slug}/api/v1/members/{cast.members[name].pk}/notifications"


def put(path: str, body: Any, key: str) -> Any:
    headers = bearer(key) | {"Content-Type": "application/json"}
    return call("PUT", path, json.dumps(body).encode(), headers)


def session(cast: Cast, name: str) -> Client:
    client = Client()
    client.force_login(cast.user(name))
    return client


def put_as(client: Client, path: str, body: Any) -> Any:
    return client.put(path, json.dumps(body), content_type="application/json")


def test_a_member_writes_and_reads_his_own(acme):
    bob = session(acme, "bob")
    answer = put_as(bob, MINE, WANTED)
    assert answer.status_code == 200, answer.content
    told = bob.get(MINE).json()
    for name in ("contacts", "usual", "important", "important_from"):
        assert told[name] == WANTED[name], name
    assert told["quiet"]["hours"] == [
        {"days": ["sat"], "begins": "22:00:00", "ends": "07:00:00"}
    ]
    assert told["words"]["usual"] == "E-mail at once, E-mail after 5 min"
    assert told["words"]["quiet"].startswith("Sa 22:00–07:00 (Europe/Berlin)")
    with in_tenant(acme.id):
        assert Audit.objects.get(action="person.change").actor_label == "Bob"


def test_what_is_left_out_stays(acme):
    bob = session(acme, "bob")
    put_as(bob, MINE, WANTED)
    with in_tenant(acme.id):
        before = Contact.objects.get(address="bob@home.example").pk
    told = put_as(bob, MINE, {"important_from": "warning"}).json()
    assert (told["important_from"], told["usual"]) == ("warning", WANTED["usual"])
    put_as(bob, MINE, {"contacts": WANTED["contacts"][1:]})
    with in_tenant(acme.id):
        assert [c.pk for c in Contact.objects.all()] == [before]
        # A step dies with its contact.
        kinds = PersonalStep.objects.filter(important=False).values_list("kind")
        assert list(kinds) == [("wait",), ("contact",)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"contacts": [{"kind": "email", "address": "no mailbox"}]},
        {"contacts": [{"kind": "webhook", "address": "x"}]},
        {"contacts": [{"kind": "pigeon", "address": "x"}]},
        {"usual": [{"contact": "email:alice@acme.example"}]},
        {"usual": [{"by": "pigeon"}]},
        {"usual": [{"by": "email", "wait_seconds": 3}]},
        {"usual": [{"wait_seconds": 0}]},
        {"usual": [{"wait_seconds": 1}] * 21},
        {"quiet": {"hours": [{"days": [], "begins": "22:00", "ends": "07:00"}]}},
        {"quiet": {"hours": [{"days": ["x"], "begins": "22:00", "ends": "07:00"}]}},
        {"quiet": {"time_zone": "Mars/Olympus"}},
        {"quiet": {"how": "never"}},
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(acme, wrong):
    bob = session(acme, "bob")
    put_as(bob, MINE, WANTED)
    before = bob.get(MINE).json()
    answer = put_as(bob, MINE, {"important_from": "debug"} | wrong)
    assert answer.status_code == 400, answer.content
    assert bob.get(MINE).json() == before


def test_anothers_contact_is_not_taken_over(acme):
    put_as(session(acme, "alice"), MINE, {"contacts": WANTED["contacts"]})
    answer = put_as(session(acme, "bob"), MINE, WANTED)
    assert answer.status_code == 400
    with in_tenant(acme.id):
        assert {c.member_id for c in Contact.objects.all()} == {
            acme.members["alice"].pk
        }


def test_whose_slack_account_it_is_says_no_member_himself(acme):
    """Else he would act, and be acted for, as whoever presses buttons there."""
    hers = {"contacts": [{"kind": "slack", "address": "U0ALICE01"}]}
    vera, alice = session(acme, "vera"), session(acme, "alice")
    refused = put_as(vera, MINE, hers)
    assert refused.status_code == 400
    assert "Connect this in Slack" in refused.content.decode()
    with in_tenant(acme.id):
        assert not Contact.objects.exists()
    assert put_as(alice, of(acme, "vera"), hers).status_code == 200
    assert put_as(vera, MINE, hers).status_code == 200  # what is there stays


def test_anothers_browser_is_not_written_down(acme):
    browser = {"kind": "push", "address": "Chrome Linux 0123456789ab"}
    answer = put_as(session(acme, "bob"), MINE, {"contacts": [browser]})
    assert answer.status_code == 400


def test_others_are_for_administrators(acme):
    bob, vera = session(acme, "bob"), session(acme, "vera")
    assert put_as(bob, of(acme, "alice"), WANTED).status_code == 403
    assert bob.get(of(acme, "alice")).status_code == 403
    assert put_as(vera, of(acme, "vera"), {"usual": []}).status_code == 200
    assert put_as(session(acme, "alice"), of(acme, "bob"), WANTED).status_code == 200


def test_a_key_needs_the_scope_admin_and_is_nobody_itself(acme, key, mint):
    assert get(of(acme, "bob"), **bearer(key)).status == 403
    assert put(of(acme, "bob"), WANTED, key).status == 403
    strong = mint(acme, "read", "admin")
    assert put(of(acme, "bob"), WANTED, strong).status == 200
    assert get(MINE, **bearer(strong)).status == 404
    nobody = f"/t/acme/api/v1/members/{uuid7()}/notifications"
    assert get(nobody, **bearer(strong)).status == 404
