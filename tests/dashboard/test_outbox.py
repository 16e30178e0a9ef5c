"""The built-in Slack and mailbox take what is sent, and presses go back signed."""

from __future__ import annotations

import json
from urllib.parse import parse_qs

import pytest
from django.test import Client
from slack_sdk.signature import SignatureVerifier

from alertcenter.dashboard.simulation import cards, press, slack_server
from alertcenter.dashboard.simulation.mrkdwn import spans
from notifications.models import Channel, Contact, SimulatedMessage
from tenants.rls import in_tenant

pytestmark = pytest.mark.django_db

SECRET = "0123456789abcdef"


@pytest.fixture(autouse=True)
def _simulation(settings) -> None:
    settings.SIMULATION = True


@pytest.fixture
def ops(acme) -> Channel:
    with in_tenant(acme.id):
        row = Channel(tenant_id=acme.id, kind="slack", slug="ops", name="#ops")
        row.settings = {"channel": "#ops", "team_id": "T1", "app_id": "A1"}
        row.secret = json.dumps(
            {"bot_token": f"{slack_server.TOKEN}{row.pk}", "signing_secret": SECRET}
        )
        row.save()
        return row


def call(row: Channel, method: str, *, tenant=None, token=None, **given):
    token = token or f"{slack_server.TOKEN}{row.pk}"
    answer = Client().post(
        f"/outbox/slack/{tenant or row.tenant_id}/api/{method}",
        given,
        content_type="application/json",
        headers={"Authorization": f"Bearer {token}"},
    )
    return answer.json()


def browser(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_a_message_is_posted_updated_and_answered_in_its_thread(ops, acme):
    posted = call(ops, "chat.postMessage", channel="#ops", text="one")
    assert posted["ok"]
    assert call(ops, "chat.update", channel="C1", ts=posted["ts"], text="two")["ok"]
    reply = {"thread_ts": posted["ts"], "text": "*three*"}
    assert call(ops, "chat.postMessage", channel="#ops", **reply)["ok"]
    found = browser(acme.user("bob")).get("/outbox/messages/").json()["cards"]
    (card,) = found
    assert card["place"] == "#ops"
    assert card["edited"]
    assert card["blocks"] == [{"type": "section", "spans": [{"text": "two"}]}]
    assert card["replies"][0]["blocks"][0]["spans"] == [{"text": "three", "b": True}]


@pytest.mark.parametrize(
    ("method", "given", "error"),
    [
        ("chat.postMessage", {"text": "x"}, "channel_not_found"),
        ("chat.postMessage", {"channel": "#ops"}, "no_text"),
        ("chat.postMessage", {"channel": "#ops", "text": "x" * 40_001}, "msg_too_long"),
        ("chat.update", {"ts": "1.2", "text": "x"}, "message_not_found"),
        ("chat.delete", {}, "unknown_method"),
        (
            "chat.postMessage",
            {"channel": "#ops", "blocks": [{"type": "divider"}] * 51},
            "invalid_blocks",
        ),
    ],
)
def test_the_receiver_refuses_what_slack_refuses(ops, method, given, error):
    assert call(ops, method, **given) == {"ok": False, "error": error}


def test_a_token_opens_its_own_tenant_only(ops, globex):
    assert call(ops, "auth.test")["ok"]
    for tenant, token in ((globex.id, None), (ops.tenant_id, "xoxb-sim-other")):
        answer = call(ops, "auth.test", tenant=tenant, token=token)
        assert answer == {"ok": False, "error": "invalid_auth"}


def test_nothing_of_the_outbox_is_shown_to_other_tenants(ops, acme, globex):
    call(ops, "chat.postMessage", channel="#ops", text="secret")
    with in_tenant(acme.id):
        mail = SimulatedMessage.objects.create(
            tenant_id=acme.id, kind="email", payload={"html": "secret"}
        )
    client = browser(globex.user("charlie"))
    assert client.get("/outbox/messages/").json()["cards"] == []
    assert client.get("/outbox/?tenant=acme").status_code == 404
    assert client.get(f"/outbox/mail/{mail.pk}/").status_code == 404
    press_it = {"message": "1", "action_id": "resolve", "user": "U1"}
    assert client.post("/outbox/press/", press_it).status_code == 404


def test_the_outbox_tells_when_nothing_changed(ops, acme):
    call(ops, "chat.postMessage", channel="#ops", text="x")
    client = browser(acme.user("bob"))
    version = client.get("/outbox/messages/").json()["version"]
    again = client.get(f"/outbox/messages/?version={version}")
    assert again.status_code == 204


def test_a_press_is_slack_s_own_signed_callback(ops, acme, monkeypatch):
    sent = []

    def post(callback: press.Callback) -> tuple[int, str]:
        sent.append(callback)
        return 200, "ok"

    monkeypatch.setattr(press, "post", post)
    with in_tenant(acme.id):
        Contact.objects.create(
            tenant_id=acme.id, member=acme.members["bob"], kind="slack", address="U7"
        )
    ts = call(ops, "chat.postMessage", channel="#ops", text="x")["ts"]
    with in_tenant(acme.id):
        row = SimulatedMessage.objects.get(ts=ts)
    given = {"message": row.pk, "action_id": "acknowledge", "block_id": "group:1"}
    given |= {"value": "1", "user": "U7"}
    answer = browser(acme.user("bob")).post("/outbox/press/", given)
    assert answer.json() == {"status": 200, "answer": "ok", "form": ""}
    (callback,) = sent
    verifier = SignatureVerifier(SECRET)
    assert verifier.is_valid_request(callback.body, callback.headers)
    payload = json.loads(parse_qs(callback.body.decode())["payload"][0])
    assert payload["type"] == "block_actions"
    assert payload["user"]["id"] == "U7"
    assert payload["user"]["name"] == "Bob"
    assert (payload["team"]["id"], payload["api_app_id"]) == ("T1", "A1")
    assert payload["actions"][0]["action_id"] == "acknowledge"
    assert payload["message"]["ts"] == ts
    path = payload["response_url"].split("/outbox/")[1]
    said = {"text": "Done", "response_type": "ephemeral"}
    answer = Client().post(f"/outbox/{path}", said, content_type="application/json")
    assert answer.status_code == 200
    (card,) = browser(acme.user("bob")).get("/outbox/messages/").json()["cards"]
    assert card["replies"][0]["ephemeral"]


def test_a_viewer_presses_nothing(ops, acme):
    client = browser(acme.user("vera"))
    assert client.post("/outbox/press/", {"message": "1"}).status_code == 403
    assert client.post("/outbox/storm/start/").status_code == 403


def test_a_forged_response_url_is_refused(acme):
    answer = Client().post(
        f"/outbox/slack/{acme.id}/response/forged",
        {"text": "x"},
        content_type="application/json",
    )
    assert answer.status_code == 404


def test_a_mail_is_locked_into_its_frame(acme):
    with in_tenant(acme.id):
        mail = SimulatedMessage.objects.create(
            tenant_id=acme.id,
            kind="email",
            payload={"html": "<script>alert(1)</script>", "subject": "s"},
        )
    answer = browser(acme.user("bob")).get(f"/outbox/mail/{mail.pk}/")
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert "sandbox" in answer["Content-Security-Policy"]
    assert answer["X-Frame-Options"] == "SAMEORIGIN"


def test_mrkdwn_becomes_spans_of_plain_text():
    found = spans(
        "*a* _b_ ~c~ `d` <https://x.example|e> &lt;b&gt; :fire: 3*4*5 snake_case_x"
    )
    assert found[0] == {"text": "a", "b": True}
    assert {"text": "b", "i": True} in found
    assert {"text": "c", "s": True} in found
    assert {"text": "d", "code": True} in found
    assert {"text": "e", "href": "https://x.example"} in found
    text = "".join(span["text"] for span in found)
    assert "<b> 🔥 3*4*5 snake_case_x" in text


@pytest.mark.parametrize("target", ["javascript:alert(1)", "data:text/html,x", "//x"])
def test_only_plain_links_can_be_followed(target):
    (span,) = spans(f"<{target}|press>")
    assert "href" not in span


def test_blocks_of_every_kind_are_drawn():
    payload = {
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": "*H*"}},
            {"type": "divider"},
            {"type": "section", "fields": [{"type": "mrkdwn", "text": "*f*"}]},
            {"type": "context", "elements": [{"type": "mrkdwn", "text": "c"}]},
            {
                "type": "actions",
                "elements": [{"type": "button", "text": {"text": "B"}}],
            },
            {"type": "video"},
        ]
    }
    drawn = cards.blocks(payload)
    assert [block["type"] for block in drawn] == [
        "header",
        "divider",
        "section",
        "context",
        "actions",
    ]
    assert drawn[0]["spans"] == [{"text": "*H*"}]


def test_the_outbox_keeps_the_newest_only(ops, acme, monkeypatch):
    monkeypatch.setattr(slack_server, "MOST_KEPT", 3)
    for number in range(6):
        call(ops, "chat.postMessage", channel="#ops", text=f"n{number}")
    with in_tenant(acme.id):
        kept = [row.payload["text"] for row in SimulatedMessage.objects.order_by("id")]
    assert kept == ["n2", "n3", "n4", "n5"]


def a_kept(tenant_id, kind="telegram", **changes):
    """Keep one message as a channel's module does; return its row."""
    given = {
        "to": "-1001",
        "subject": "🔴 Disks are full",
        "text": "Critical · Firing",
        "sent": {"chat_id": "-1001"},
        "actions": [["Open", "https://alerts.example/1"], ["x", "javascript:alert(1)"]],
    }
    with in_tenant(tenant_id):
        return SimulatedMessage.objects.create(
            tenant_id=tenant_id,
            kind=kind,
            address="-1001",
            ts=changes.pop("ts", ""),
            thread_ts=changes.pop("thread_ts", ""),
            payload=given | changes,
        )


def test_any_other_kind_is_a_card_with_its_words_links_and_body(acme):
    a_kept(acme.id, ts="1")
    a_kept(acme.id, thread_ts="1", text="Alice acknowledged.")
    (card,) = browser(acme.user("bob")).get("/outbox/messages/").json()["cards"]
    assert (card["kind"], card["label"]) == ("telegram", "Telegram")
    assert (card["title"], card["text"]) == ("🔴 Disks are full", "Critical · Firing")
    assert card["links"] == [{"text": "Open", "url": "https://alerts.example/1"}]
    assert json.loads(card["sent"]) == {"chat_id": "-1001"}
    assert [reply["text"] for reply in card["replies"]] == ["Alice acknowledged."]


def test_a_body_without_words_is_shown_as_sent(acme):
    a_kept(acme.id, "webhook", text='{"version": "4"}', sent=None)
    (card,) = browser(acme.user("bob")).get("/outbox/messages/").json()["cards"]
    assert (card["text"], card["sent"]) == ("", '{"version": "4"}')


def test_a_member_s_own_chat_is_named_by_the_member(acme):
    with in_tenant(acme.id):
        Contact.objects.create(
            tenant_id=acme.id,
            member=acme.members["bob"],
            kind="telegram",
            address="-1001",
        )
    a_kept(acme.id)
    (card,) = browser(acme.user("bob")).get("/outbox/messages/").json()["cards"]
    assert card["place"] == "@ Bob"
