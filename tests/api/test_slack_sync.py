"""Is the user group whoever is on call, and are members found by their address?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from alertcenter.api import slack_sync
from escalation import oncall
from escalation.models import Schedule
from notifications.channels.slack import of_usergroups
from notifications.models import Channel, Contact
from tenants.models import Audit
from tenants.rls import in_tenant
from tests.api.test_slack import make_contact
from tests.cast import Cast
from tests.conftest import login_as
from tests.fakes.slack import FakeSlack

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(name="fake")
def _fake() -> Iterator[FakeSlack]:
    slack_sync._SURE.clear()
    with FakeSlack() as slack:
        slack.usergroups["S0OPS"] = ["U0OLD"]
        yield slack


def connect(cast: Cast, fake: FakeSlack, **settings: Any) -> None:
    with in_tenant(cast.id):
        Channel.objects.create(
            tenant_id=cast.id,
            kind="slack",
            slug="ops",
            name="#ops",
            settings={"channel": "#ops", "api_url": fake.url} | settings,
            secret=json.dumps({"bot_token": f"xoxb-{cast.slug}"}),
        )


def put_on_call(cast: Cast, name: str) -> None:
    with in_tenant(cast.id):
        Schedule.objects.filter(tenant_id=cast.id, name="Ops").delete()
        oncall.make(cast.id, "Ops", [cast.members[name]], starts_on=date(2026, 1, 1))


def keep_groups() -> None:
    with login_as("engine"):
        slack_sync.keep_groups()


def match_people() -> None:
    with login_as("engine"):
        slack_sync.match_people()


def methods(fake: FakeSlack) -> list[str]:
    return [call.method for call in fake.requests]


class TestUserGroups:
    def test_the_group_follows_who_is_on_call(self, acme, fake):
        connect(acme, fake, usergroups=["ops = S0OPS"])
        make_contact(acme, "bob", "U0BOB")
        make_contact(acme, "alice", "U0ALICE")
        put_on_call(acme, "bob")
        keep_groups()
        assert fake.usergroups["S0OPS"] == ["U0BOB"]
        put_on_call(acme, "alice")
        keep_groups()
        assert fake.usergroups["S0OPS"] == ["U0ALICE"]

    def test_what_is_in_step_is_not_written_again(self, acme, fake):
        connect(acme, fake, usergroups=["Ops = S0OPS"])
        make_contact(acme, "bob", "U0BOB")
        put_on_call(acme, "bob")
        for _ in range(3):
            keep_groups()
        assert methods(fake).count("usergroups.users.update") == 1
        assert methods(fake).count("usergroups.users.list") == 1

    def test_what_somebody_changed_in_slack_is_put_right(self, acme, fake, monkeypatch):
        connect(acme, fake, usergroups=["Ops = S0OPS"])
        make_contact(acme, "bob", "U0BOB")
        put_on_call(acme, "bob")
        keep_groups()
        fake.usergroups["S0OPS"] = ["U0INTRUDER"]
        monkeypatch.setattr(slack_sync, "BELIEVED", 0.0)
        keep_groups()
        assert fake.usergroups["S0OPS"] == ["U0BOB"]

    def test_with_nobody_on_call_the_group_stays(self, acme, fake):
        connect(acme, fake, usergroups=["Ops = S0OPS", "Nights = S0NIGHT"])
        put_on_call(acme, "bob")  # who has no Slack account
        keep_groups()
        assert fake.usergroups["S0OPS"] == ["U0OLD"]
        assert methods(fake) == []

    def test_one_that_slack_refuses_keeps_no_other_waiting(self, acme, globex, fake):
        connect(acme, fake, usergroups=["Ops = S0GONE"])
        make_contact(acme, "bob", "U0BOB")
        put_on_call(acme, "bob")
        connect(globex, fake, usergroups=["Ops = S0OPS"])
        make_contact(globex, "charlie", "U0CHARLIE")
        put_on_call(globex, "charlie")
        keep_groups()
        assert fake.usergroups["S0OPS"] == ["U0CHARLIE"]
        tokens = {c.token for c in fake.requests if c.json["usergroup"] == "S0OPS"}
        assert tokens == {"xoxb-globex"}

    @pytest.mark.parametrize("line", ["Ops", "= S0OPS", "Ops = C0OPS", "Ops = <!x>"])
    def test_a_line_that_cannot_be_read_is_refused(self, line):
        with pytest.raises(ValidationError):
            of_usergroups(["Ops = S0OPS", line])


class TestPeople:
    def contacts(self, cast: Cast) -> dict[str, str]:
        with in_tenant(cast.id):
            rows = Contact.objects.filter(kind="slack").select_related("member")
            return {row.member.name: row.address for row in rows}

    def test_members_are_found_by_their_address_and_audited(self, acme, fake):
        connect(acme, fake)
        make_contact(acme, "alice", "U0ALICE")
        fake.people = {"bob@acme.example": "U0BOB", "alice@acme.example": "U0OTHER"}
        match_people()
        assert self.contacts(acme) == {"Alice": "U0ALICE", "Bob": "U0BOB"}
        with in_tenant(acme.id):
            assert Audit.objects.get(action="contact.matched").data == {
                "address": "U0BOB"
            }

    def test_an_account_that_is_anothers_stays_his(self, acme, fake):
        connect(acme, fake)
        make_contact(acme, "alice", "U0BOB")
        fake.people = {"bob@acme.example": "U0BOB"}
        match_people()
        assert self.contacts(acme) == {"Alice": "U0BOB"}

    def test_a_tenant_may_not_want_it(self, acme, fake):
        connect(acme, fake, match_people=False)
        fake.people = {"bob@acme.example": "U0BOB"}
        match_people()
        assert fake.requests == []

    def test_a_slack_that_lets_nobody_ask_stops_no_other_tenant(
        self, acme, globex, fake
    ):
        connect(acme, fake)
        connect(globex, fake)
        fake.people = {"charlie@globex.example": "U0CHARLIE"}
        fake.ok_false("missing_scope")
        match_people()
        assert self.contacts(acme) == {}
        assert self.contacts(globex) == {"Charlie": "U0CHARLIE"}
        assert methods(fake).count("users.lookupByEmail") == 2
