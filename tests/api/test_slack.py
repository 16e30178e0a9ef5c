"""Is Slack believed only when it signed, and is a press acted on once?"""

from __future__ import annotations

import hashlib
import hmac
import json
import select
import time
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.utils.translation import get_language

from alertcenter.alerts.models import Group
from alertcenter.api import inbox as inbox_module
from alertcenter.api import slack_signing
from alertcenter.api.models import SlackInbox
from alertcenter.api.slack import process_inbox
from alertcenter.common.buckets import Buckets
from alertcenter.common.ids import uuid7
from notifications.models import Channel, Contact, Delivery
from tenants.models import Audit
from tenants.rls import in_tenant
from tests.api.client import Answer, call
from tests.cast import Cast
from tests.conftest import login_as

pytestmark = pytest.mark.django_db(transaction=True)

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
URL = "/slack/interactions"
ANSWERS = "http://127.0.0.1:9/response"


def make_channel(cast: Cast, secret: str = SECRET, team: str = "T1") -> Channel:
    with in_tenant(cast.id):
        return Channel.objects.create(
            tenant_id=cast.id,
            kind="slack",
            slug="ops",
            name="#ops",
            settings={"channel": "#ops", "team_id": team, "app_id": "A1"},
            secret=json.dumps({"bot_token": "xoxb-1", "signing_secret": secret}),
        )


def make_group(cast: Cast, number: int = 1) -> Group:
    now = "2026-01-01T00:00:00Z"
    with in_tenant(cast.id):
        return Group.objects.create(
            tenant_id=cast.id,
            number=number,
            key=f"{number:064x}",
            severity=5,
            title="Disk full",
            opened_at=now,
            changed_at=now,
        )


def make_contact(cast: Cast, name: str, user_id: str) -> None:
    with in_tenant(cast.id):
        Contact.objects.create(
            tenant_id=cast.id, member=cast.members[name], kind="slack", address=user_id
        )


def press(group_id, act="acknowledge", user="UBOB", team="T1", **more) -> dict:
    return {
        "type": "block_actions",
        "team": {"id": team},
        "api_app_id": "A1",
        "user": {"id": user},
        "response_url": ANSWERS,
        "actions": [{"action_id": act, "value": str(group_id), "type": "button"}],
    } | more


def signed(body: bytes, secret: str = SECRET, at: float = 0) -> dict[str, str]:
    stamp = str(int(at or time.time()))
    text = b"v0:" + stamp.encode() + b":" + body
    digest = hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()
    return {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": f"v0={digest}",
    }


def form(payload: object) -> bytes:
    return urlencode({"payload": json.dumps(payload)}).encode()


def send(payload: object, secret: str = SECRET, at: float = 0) -> Answer:
    body = form(payload)
    return call("POST", URL, body, signed(body, secret, at))


@pytest.fixture(autouse=True)
def patience(monkeypatch) -> None:
    """Another test's wrong signatures are not this one's."""
    monkeypatch.setattr(slack_signing, "FORGERIES", Buckets(rate=1 / 3600, burst=30))


def inbox(cast: Cast) -> list[SlackInbox]:
    with in_tenant(cast.id):
        return list(SlackInbox.objects.order_by("id"))


def state(cast: Cast, group: Group) -> str:
    with in_tenant(cast.id):
        return Group.objects.get(pk=group.pk).state


def answers(cast: Cast) -> list[Delivery]:
    with in_tenant(cast.id):
        return list(Delivery.objects.filter(kind="answer"))


def run_engine() -> int:
    with login_as("engine"):
        return process_inbox()


@pytest.fixture
def group(acme) -> Group:
    make_channel(acme)
    make_contact(acme, "bob", "UBOB")
    make_contact(acme, "vera", "UVERA")
    return make_group(acme)


class TestBelieved:
    def test_a_signed_press_is_stored_answered_empty_and_acted_on(self, acme, group):
        answer = send(press(group.pk))
        assert (answer.status, answer.body) == (200, b"")
        assert state(acme, group) == "firing"
        assert run_engine() == 1
        assert state(acme, group) == "acknowledged"
        with in_tenant(acme.id):
            row = Group.objects.get(pk=group.pk)
            audit = Audit.objects.get(action="group.acknowledged")
        assert row.acked_by == "Bob"
        assert audit.actor_label == "Bob"
        assert inbox(acme)[0].done_at is not None
        assert run_engine() == 0

    @pytest.mark.parametrize(
        ("act", "after"),
        [
            ("resolve", "resolved"),
            ("snooze", "snoozed"),
            ("acknowledge", "acknowledged"),
        ],
    )
    def test_each_button_does_its_act(self, act, after, acme, group):
        assert send(press(group.pk, act)).status == 200
        run_engine()
        assert state(acme, group) == after

    def test_a_replay_answers_200_and_changes_nothing(self, acme, group):
        body = form(press(group.pk))
        headers = signed(body)
        assert [call("POST", URL, body, headers).status for _ in range(3)] == [200] * 3
        assert len(inbox(acme)) == 1
        assert run_engine() == 1

    def test_a_channel_without_team_id_is_found_too(self, acme):
        make_channel(acme, team="")
        assert send(press(make_group(acme).pk)).status == 200

    @pytest.mark.parametrize("team", ["", "T1"])
    def test_a_tenant_with_many_channels_crowds_out_nobody(self, team, acme, globex):
        with in_tenant(globex.id):
            Channel.objects.bulk_create(
                Channel(
                    tenant_id=globex.id,
                    kind="slack",
                    slug=f"c{number}",
                    name=f"c{number}",
                    settings={"team_id": team, "app_id": "A1"},
                )
                for number in range(250)
            )
        make_channel(acme, team="")
        assert send(press(make_group(acme).pk)).status == 200
        assert len(inbox(acme)) == 1

    def test_the_engine_is_woken(self, acme, group):
        with connection.cursor() as cursor:
            cursor.execute("LISTEN ac_feed")
        send(press(group.pk))
        # Another connection's notice comes when PostgreSQL gets round to it.
        select.select([connection.connection], [], [], 10)
        connection.connection.poll()
        assert [n.channel for n in connection.connection.notifies] == ["ac_feed"]
        connection.close()


class TestNotBelieved:
    def refused(self, answer: Answer, acme: Cast, status: int = 401) -> None:
        assert answer.status == status, answer.body
        assert " " in answer.sentence
        assert inbox(acme) == []

    @pytest.mark.parametrize("age", [301, 3600, -360])
    def test_an_old_or_future_timestamp(self, age, acme, group):
        self.refused(send(press(group.pk), at=time.time() - age), acme)

    @pytest.mark.parametrize("off", [3600, -3600])
    def test_the_hosts_own_clock_does_not_matter(self, off, acme, group, monkeypatch):
        right = time.time()
        monkeypatch.setattr("slack_sdk.signature.time", lambda: right + off)
        self.refused(send(press(group.pk), at=right + off), acme)
        assert send(press(group.pk), at=right).status == 200

    def test_a_changed_byte(self, acme, group):
        body = form(press(group.pk))
        headers = signed(body)
        changed = body.replace(b"acknowledge", b"acknowledgf")
        self.refused(call("POST", URL, changed, headers), acme)
        headers["X-Slack-Signature"] = headers["X-Slack-Signature"][:-1] + "x"
        self.refused(call("POST", URL, body, headers), acme)

    def test_a_wrong_secret(self, acme, group):
        self.refused(send(press(group.pk), secret="guess"), acme)

    @pytest.mark.parametrize("secret", ["", "null", "None"])
    def test_a_channel_without_secret_lets_nobody_in(self, secret, acme):
        with in_tenant(acme.id):
            Channel.objects.create(
                tenant_id=acme.id,
                kind="slack",
                slug="bare",
                name="bare",
                settings={"team_id": "T1", "app_id": "A1"},
            )
        self.refused(send(press(uuid7()), secret=secret), acme)

    @pytest.mark.parametrize(
        "missing", ["X-Slack-Signature", "X-Slack-Request-Timestamp"]
    )
    def test_a_missing_header(self, missing, acme, group):
        body = form(press(group.pk))
        headers = signed(body)
        del headers[missing]
        self.refused(call("POST", URL, body, headers), acme)

    @pytest.mark.parametrize("stamp", ["", "now", "-5", "1e9", "9" * 40, "\xb2"])
    def test_a_strange_timestamp(self, stamp, acme, group):
        body = form(press(group.pk))
        headers = signed(body) | {"X-Slack-Request-Timestamp": stamp}
        self.refused(call("POST", URL, body, headers), acme)

    def test_an_unknown_team(self, acme, group):
        self.refused(send(press(group.pk, team="T404")), acme)

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"nonsense",
            b"payload=",
            b"payload=nope",
            b"payload=[1]",
            b"payload=" + b"[" * 5000,
            b"payload=%ff%fe",
            b"\xff\xfe",
        ],
    )
    def test_a_strange_body(self, body, acme, group):
        self.refused(call("POST", URL, body, signed(body)), acme, 400)

    def test_a_large_body(self, acme, group):
        body = form(press(group.pk, padding="x" * 300_000))
        self.refused(call("POST", URL, body, signed(body)), acme, 413)

    @pytest.mark.parametrize("text", ["\x00", "\ud800"])
    def test_a_text_the_database_cannot_hold(self, text, acme, group):
        self.refused(send(press(group.pk, extra=text)), acme, 400)

    def test_other_methods(self):
        assert call("GET", URL).status == 405


class TestRefusedPresses:
    def test_an_unknown_user_is_told_so_and_nothing_changes(self, acme, group):
        assert send(press(group.pk, user="UNOBODY")).status == 200
        run_engine()
        assert state(acme, group) == "firing"
        (answer,) = answers(acme)
        assert answer.address == ANSWERS
        assert "belongs to no member" in answer.message["title"]
        assert "/slack/connect/" in answer.message["title"]

    def test_a_viewer_may_not_act(self, acme, group):
        send(press(group.pk, user="UVERA"))
        run_engine()
        assert state(acme, group) == "firing"
        assert "role" in answers(acme)[0].message["title"]

    def test_the_answer_speaks_the_members_language(self, acme, group, monkeypatch):
        with in_tenant(acme.id):
            acme.members["bob"].language = "fr"
            acme.members["bob"].save()
        seen = []

        def explained(_outcome):
            seen.append(get_language())
            return "déjà"

        monkeypatch.setattr("alertcenter.api.inbox.not_done", explained)
        send(press(group.pk))
        send(press(group.pk, trigger_id="2"))
        run_engine()
        assert seen == ["fr"]

    def test_a_removed_member_may_not_act(self, acme, group):
        with in_tenant(acme.id):
            acme.members["bob"].active = False
            acme.members["bob"].save()
        send(press(group.pk))
        run_engine()
        assert state(acme, group) == "firing"

    def test_the_second_press_is_told_that_it_came_late(self, acme, group):
        send(press(group.pk))
        send(press(group.pk, trigger_id="2"))
        run_engine()
        (answer,) = answers(acme)
        assert answer.message["title"] == "#1 is already acknowledged."

    def test_an_answer_goes_nowhere_but_to_slack(self, acme, group, settings):
        settings.ENVIRONMENT = "production"
        for url in ("http://169.254.169.254/", "https://evil.example/", ANSWERS, ""):
            send(press(group.pk, user="UNOBODY", response_url=url))
        run_engine()
        assert answers(acme) == []
        ours = "https://hooks.slack.com/actions/T1/2/3"
        send(press(group.pk, user="UNOBODY", response_url=ours))
        run_engine()
        assert [answer.address for answer in answers(acme)] == [ours]

    def test_a_poison_row_blocks_nobody(self, acme, group, monkeypatch):
        inbox_act = inbox_module._act

        def strict(tenant_id, member, one):
            if one.act == "snooze":
                raise RuntimeError("poison")
            return inbox_act(tenant_id, member, one)

        monkeypatch.setattr(inbox_module, "_act", strict)
        send(press(group.pk, "snooze"))
        send(press(group.pk, user={"id": ["strange"]}))
        send(press(group.pk))
        assert run_engine() == 3
        assert state(acme, group) == "acknowledged"
        first, *_rest = inbox(acme)
        assert (first.attempts, first.done_at) == (1, None)
        assert first.error


class TestTenantsApart:
    def test_another_tenants_secret_cannot_act_here(self, acme, globex, group):
        make_channel(globex, secret="globex-secret")
        make_contact(globex, "charlie", "UBOB")
        assert send(press(group.pk), secret="globex-secret").status == 200
        assert inbox(acme) == []
        assert len(inbox(globex)) == 1
        run_engine()
        assert state(acme, group) == "firing"
        assert "no longer exists" in answers(globex)[0].message["title"]

    def test_a_shared_app_reaches_the_tenant_who_has_the_group(
        self, acme, globex, group
    ):
        make_channel(globex)
        theirs = make_group(globex)
        make_contact(globex, "charlie", "UCHARLIE")
        send(press(theirs.pk, user="UCHARLIE"))
        send(press(group.pk))
        run_engine()
        assert state(globex, theirs) == "acknowledged"
        assert state(acme, group) == "acknowledged"
        assert (len(inbox(acme)), len(inbox(globex))) == (1, 1)


class TestEvents:
    def test_the_check_of_the_url_is_answered(self, db):
        body = json.dumps({"type": "url_verification", "challenge": "3eZb"}).encode()
        headers = {"Content-Type": "application/json"}
        answer = call("POST", "/slack/events", body, headers)
        assert (answer.status, answer.json) == (200, {"challenge": "3eZb"})

    def test_other_events_need_a_signature(self, acme, group):
        body = json.dumps(
            {"type": "event_callback", "team_id": "T1", "api_app_id": "A1"}
        ).encode()
        kind = {"Content-Type": "application/json"}
        assert call("POST", "/slack/events", body, kind).status == 401
        good = signed(body) | kind
        assert call("POST", "/slack/events", body, good).status == 200


def test_who_signs_wrongly_again_and_again_waits_and_no_other_team(acme, globex):
    make_channel(acme)
    make_channel(globex, secret="other", team="T2")
    group = make_group(acme)
    answers = [send(press(group.pk), secret="guess") for _ in range(31)]
    assert [one.status for one in answers] == [401] * 30 + [429]
    assert int(answers[-1].headers["retry-after"]) > 0
    assert send(press(group.pk)).status == 429
    assert send(press(group.pk, team="T2"), secret="other").status == 200
