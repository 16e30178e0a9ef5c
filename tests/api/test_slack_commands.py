"""Does /alert do what it says, for those who may, once, and within three seconds?"""

from __future__ import annotations

import re
import time
from datetime import date
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from alertcenter.alerts.models import Alert, Group, Silence, Transition
from alertcenter.api import inbox as inbox_module
from alertcenter.api.slack_commands import read_silence
from alertcenter.common.ids import uuid7
from escalation import oncall
from notifications.models import Contact, Delivery
from tenants.models import Audit
from tenants.rls import in_tenant
from tests.api.client import Answer, call
from tests.api.test_slack import (
    SECRET,
    answers,
    inbox,
    make_channel,
    make_contact,
    make_group,
    run_engine,
    signed,
    state,
)
from tests.cast import Cast

pytestmark = pytest.mark.django_db(transaction=True)

URL = "/slack/commands"
ANSWERS = "http://127.0.0.1:9/response"


def form(text: str, user: str = "UBOB", **more: str) -> bytes:
    """The fields that Slack sends."""
    given = {
        "token": "legacy",
        "team_id": "T1",
        "team_domain": "acme-chat",
        "channel_id": "C1",
        "channel_name": "ops",
        "user_id": user,
        "user_name": "bob.slack",
        "command": "/alert",
        "text": text,
        "api_app_id": "A1",
        "is_enterprise_install": "false",
        "response_url": ANSWERS,
        "trigger_id": f"{time.time_ns()}.37.abc",
    }
    return urlencode(given | more).encode()


def send(text: str, user: str = "UBOB", secret: str = SECRET, **more: str) -> Answer:
    body = form(text, user, **more)
    return call("POST", URL, body, signed(body, secret))


def said(text: str, user: str = "UBOB", **more: str) -> str:
    answer = send(text, user, **more)
    assert answer.status == 200, answer.body
    assert answer.json["response_type"] == "ephemeral"
    return str(answer.json["text"])


@pytest.fixture
def group(acme) -> Group:
    make_channel(acme)
    make_contact(acme, "bob", "UBOB")
    make_contact(acme, "vera", "UVERA")
    return make_group(acme)


def fire(cast: Cast, **labels: str) -> None:
    now = timezone.now()
    with in_tenant(cast.id):
        Alert.objects.create(
            tenant_id=cast.id,
            dedup_key=uuid7().hex,
            title="x",
            severity=5,
            labels=labels,
            state="firing",
            episode_id=uuid7(),
            state_at=now,
            starts_at=now,
            last_at=now,
        )


class TestLooking:
    def test_help_names_every_command(self, group):
        for text in ("", "help", "HELP"):
            told = said(text)
            for verb in ("list", "ack", "resolve", "page", "oncall", "silence"):
                assert f"/alert {verb}" in told

    def test_list_names_what_is_open_and_leads_to_it(self, acme, group, settings):
        told = said("list")
        assert f"<{settings.BASE_URL}/t/acme/groups/1|#1 Disk full>" in told
        assert "Firing" in told
        said("resolve 1")
        assert said("list") == "Nothing is open."

    def test_list_escapes_what_alerts_say(self, acme, group):
        with in_tenant(acme.id):
            Group.objects.update(title="<!channel> <@U1>|x> &")
        told = said("list")
        assert "<!channel>" not in told
        assert "<@U1>" not in told
        assert "&lt;!channel&gt; &lt;@U1&gt;/x&gt; &amp;" in told

    def test_a_viewer_may_look(self, group):
        assert "#1" in said("list", "UVERA")

    def test_oncall_names_who_until_when_and_who_is_next(self, acme, group):
        with in_tenant(acme.id):
            people = [acme.members["bob"], acme.members["alice"]]
            oncall.make(acme.id, "Ops", people, starts_on=date(2026, 1, 1))
        told = said("oncall")
        assert told.startswith("*Ops*: ")
        assert {"Bob", "Alice"} <= set(re.findall(r"Bob|Alice", told))

    def test_what_nobody_knows_is_answered_with_help_and_escaped(self, group):
        told = said("<!everyone> now")
        assert "<!" not in told
        assert "/alert list" in told

    def test_the_answer_speaks_the_members_language(self, acme, group):
        with in_tenant(acme.id):
            acme.members["bob"].language = "de"
            acme.members["bob"].save()
        assert "Ausgelöst" in said("list") or "Firing" not in said("list")


class TestActing:
    def test_ack_acts_at_once_audits_and_is_stored(self, acme, group):
        begun = time.monotonic()
        assert said("ack 1") == "#1 is acknowledged."
        assert time.monotonic() - begun < 3
        assert state(acme, group) == "acknowledged"
        with in_tenant(acme.id):
            assert Audit.objects.get(action="group.acknowledged").actor_label == "Bob"
        (row,) = inbox(acme)
        assert row.done_at is not None
        assert run_engine() == 0
        assert answers(acme) == []

    @pytest.mark.parametrize("text", ["ack #1", "acknowledge 1,", "ack 1 #1"])
    def test_numbers_are_read_as_people_write_them(self, text, acme, group):
        said(text)
        assert state(acme, group) == "acknowledged"

    def test_unack_and_resolve(self, acme, group):
        said("ack 1")
        assert said("unack 1") == "#1 fires again."
        assert state(acme, group) == "firing"
        assert said("resolve 1") == "#1 is resolved."
        assert said("resolve 1") == "#1 is already resolved."

    @pytest.mark.parametrize("number", ["99", "x<!here>", "9" * 30, "²"])
    def test_a_number_that_is_none_is_named(self, number, acme, group):
        told = said(f"ack {number}")
        assert "There is no #" in told
        assert "<" not in told
        assert state(acme, group) == "firing"

    def test_without_a_number_nothing_happens(self, acme, group):
        assert "number" in said("ack")

    def test_a_note_is_kept(self, acme, group):
        assert said("note 1 the disk was <b>replaced</b>") == "Noted in #1."
        with in_tenant(acme.id):
            (row,) = Transition.objects.filter(kind="noted")
        assert row.data["text"] == "the disk was <b>replaced</b>"
        assert row.actor_label == "Bob"

    def test_a_replay_does_nothing_twice(self, acme, group):
        body = form("ack 1")
        headers = signed(body)
        first = call("POST", URL, body, headers).json["text"]
        again = call("POST", URL, body, headers).json["text"]
        assert (first, again) == ("#1 is acknowledged.", "This has been done already.")
        assert len(inbox(acme)) == 1


class TestPaging:
    def pages(self, cast: Cast) -> list[Delivery]:
        with in_tenant(cast.id):
            return list(Delivery.objects.filter(kind="page").select_related("member"))

    @pytest.mark.parametrize("who", ["<@UVERA>", "<@UVERA|vera>", "@vera", "Vera"])
    def test_somebody_is_called_about_a_group(self, who, acme, group):
        assert said(f"page {who} 1") == "Vera is called."
        (page,) = self.pages(acme)
        assert (page.address, page.group_id) == ("UVERA", group.pk)
        assert page.message["title"] == "Disk full"
        with in_tenant(acme.id):
            assert Audit.objects.filter(action="group.responder_added").count() == 1
            assert Transition.objects.get(kind="paged").data["who"] == "Vera"

    def test_somebody_is_called_with_words_alone(self, acme, group):
        assert said("page @vera please look at <!channel>") == "Vera is called."
        (page,) = self.pages(acme)
        assert page.message["title"] == "Bob: please look at <!channel>"
        assert page.group_id is None

    def test_nobody_is_called_about_what_is_over(self, acme, group):
        said("resolve 1")
        assert "already resolved" in said("page @vera 1")
        assert self.pages(acme) == []

    def test_another_tenants_people_cannot_be_called(self, acme, globex, group):
        make_contact(globex, "charlie", "UCHARLIE")
        for who in ("<@UCHARLIE>", "@charlie", "charlie@globex.example"):
            assert "whom you mean" in said(f"page {who} 1")
        assert self.pages(acme) == []


class TestSilencing:
    def test_a_silence_is_kept_with_its_preview(self, acme, group):
        fire(acme, env="staging", team="db")
        fire(acme, env="production")
        told = said('silence env="staging" team=db 2h the upgrade')
        assert "Mutes 1 now, 0 in the last 7 days." in told
        with in_tenant(acme.id):
            (row,) = Silence.objects.all()
        assert row.matchers == ['env="staging"', 'team="db"']
        assert row.comment == "the upgrade"
        assert row.created_by == "Bob"
        assert 7100 < (row.ends_at - timezone.now()).total_seconds() < 7300

    @pytest.mark.parametrize(
        "text",
        [
            "silence",
            "silence 2h",
            "silence env=x",
            "silence env=x forever",
            "silence =",
        ],
    )
    def test_what_lacks_a_condition_or_a_time_is_explained(self, text, acme, group):
        assert "/alert silence" in said(text)
        with in_tenant(acme.id):
            assert not Silence.objects.exists()

    @pytest.mark.parametrize("text", ['a=~".*" 1h', 'a=~"(" 1h', 'a="" 1h'])
    def test_a_condition_for_everything_or_for_nothing_is_refused(
        self, text, acme, group
    ):
        assert "Silenced" not in said(f"silence {text}")
        with in_tenant(acme.id):
            assert not Silence.objects.exists()

    @pytest.mark.parametrize(
        ("text", "conditions", "seconds", "why"),
        [
            ('env="a b" 2h why not', ['env="a b"'], 7200, "why not"),
            ("{env=~“a|b”,x!=y} 30m", ['env=~"a|b"', "x!=y"], 1800, ""),
            ('a="&lt;x&gt;" 1d', ['a="<x>"'], 86400, ""),
            ("a=b 1h30m a=c", ["a=b"], 5400, "a=c"),
            ("a=b", ["a=b"], 0, ""),
        ],
    )
    def test_how_a_line_is_read(self, text, conditions, seconds, why):
        assert read_silence([text]) == (conditions, seconds, why)


class TestWhoMay:
    @pytest.mark.parametrize(
        "text", ["ack 1", "resolve 1", "page @bob 1", "silence a=b 2h", "note 1 x"]
    )
    def test_a_viewer_may_not_act(self, text, acme, group):
        assert said(text, "UVERA") == "Your role does not allow this."
        assert state(acme, group) == "firing"
        with in_tenant(acme.id):
            assert not Silence.objects.exists()
            assert not Delivery.objects.exists()

    def test_a_stranger_is_told_how_to_connect(self, acme, group):
        told = said("ack 1", "UNEW")
        assert "belongs to no member" in told
        assert state(acme, group) == "firing"

    @pytest.mark.parametrize("secret", ["guess", ""])
    def test_an_unsigned_command_is_not_believed(self, secret, acme, group):
        answer = send("ack 1", secret=secret)
        assert answer.status == 401
        assert inbox(acme) == []

    def test_what_is_no_command_is_refused(self, acme, group):
        body = urlencode({"text": "x", "team_id": "T1"}).encode()
        assert call("POST", URL, body, signed(body)).status == 400


class TestTenantsApart:
    def test_a_shared_app_reaches_the_tenant_of_the_person(self, acme, globex, group):
        make_channel(globex)
        theirs = make_group(globex)
        make_contact(globex, "charlie", "UCHARLIE")
        assert "#1 is acknowledged." in said("ack 1", "UCHARLIE")
        assert (state(acme, group), state(globex, theirs)) == ("firing", "acknowledged")

    def test_another_tenants_secret_acts_on_its_own_groups_only(
        self, acme, globex, group
    ):
        make_channel(globex, secret="globex-secret")
        make_contact(globex, "charlie", "UBOB")
        told = send("ack 1", secret="globex-secret").json["text"]
        assert told == "There is no #1."
        assert state(acme, group) == "firing"


class TestInTime:
    def test_what_waits_for_a_lock_is_left_to_the_engine_which_answers(
        self, acme, group, monkeypatch
    ):
        monkeypatch.setattr(inbox_module, "PATIENCE", "100ms")
        other = connection.copy()
        try:
            with other.cursor() as cursor:
                other.set_autocommit(False)
                cursor.execute(
                    "SELECT set_config('app.tenants', %s, true)", [f"{{{acme.id}}}"]
                )
                cursor.execute("SELECT FROM alert_group FOR UPDATE")
                assert "takes a moment" in said("ack 1")
                other.rollback()
        finally:
            other.close()
        assert state(acme, group) == "firing"
        assert run_engine() == 0  # not before Slack itself has given up
        with in_tenant(acme.id), connection.cursor() as cursor:
            cursor.execute(
                "UPDATE slack_inbox SET received_at = now() - interval '4 seconds'"
            )
        assert run_engine() == 1
        assert state(acme, group) == "acknowledged"
        (answer,) = answers(acme)
        assert answer.message["payload"]["text"] == "#1 is acknowledged."
        assert answer.address == ANSWERS

    def test_an_error_is_not_shown_and_tried_again(self, acme, group, monkeypatch):
        def broken(_row, _member):
            raise RuntimeError("secret detail")

        monkeypatch.setitem(inbox_module.DO, "command", broken)
        assert "secret" not in said("ack 1")
        assert inbox(acme)[0].done_at is None


class TestConnecting:
    def link(self, user: str = "UNEW") -> str:
        found = re.search(r"<http://[^/]+(/slack/connect/[^|]+)\|", said("list", user))
        assert found
        return found[1]

    def client(self, cast: Cast, name: str) -> Client:
        client = Client()
        client.force_login(cast.user(name))
        return client

    def test_the_link_makes_the_account_the_members(self, acme, group):
        link, alice = self.link(), self.client(acme, "alice")
        page = alice.get(link)
        assert "bob.slack" in page.content.decode()
        assert "acme-chat" in page.content.decode()
        with in_tenant(acme.id):
            assert not Contact.objects.filter(address="UNEW").exists()
        assert alice.post(link).status_code == 200
        assert said("ack 1", "UNEW") == "#1 is acknowledged."
        with in_tenant(acme.id):
            assert Audit.objects.get(action="contact.connected").actor_label == "Alice"
        assert alice.post(link).status_code == 200  # twice is once

    def test_nobody_takes_over_what_another_has_connected(self, acme, group):
        link = self.link()
        self.client(acme, "alice").post(link)
        page = self.client(acme, "bob").post(link)
        assert "another member" in page.content.decode()

    def test_outsiders_and_forged_links_find_nothing(self, acme, globex, group):
        link = self.link()
        assert self.client(globex, "charlie").get(link).status_code == 404
        assert self.client(globex, "charlie").post(link).status_code == 404
        forged = link[:-3] + "abc"
        assert self.client(acme, "alice").get(forged).status_code == 404

    def test_the_link_ends_after_an_hour(self, acme, group, monkeypatch):
        link = self.link()
        monkeypatch.setattr("alertcenter.api.slack_people.GOOD_FOR", -1)
        assert self.client(acme, "alice").get(link).status_code == 404

    def test_who_is_not_logged_in_logs_in_first(self, acme, group):
        answer = Client().get(self.link())
        assert answer.status_code == 302
        assert answer.headers["Location"].startswith("/login/")

    def test_the_form_needs_its_token(self, acme, group):
        client = Client(enforce_csrf_checks=True)
        client.force_login(acme.user("alice"))
        assert client.post(self.link()).status_code == 403
