"""What people see in Slack, and what every failure of Slack means."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.channels import base, block_kit, slack, slack_api
from notifications.channels.base import DeliveryError, Parcel, ThreadPlace
from notifications.message import AlertLine
from tests.fakes.slack import FakeSlack, what_is_wrong
from tests.notifications.scene import a_message, a_parcel, acknowledged


@pytest.fixture(name="fake")
def _fake(slack: FakeSlack) -> FakeSlack:
    """The fake under a name that leaves `slack` to the module under test."""
    return slack


def to(fake: FakeSlack, kind: str = "page", **changes: Any) -> Parcel:
    return a_parcel(kind, settings={"channel": "C1", "api_url": fake.url}, **changes)


def failure(parcel: Parcel) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        slack.send(parcel)
    return caught.value


# --- what people see ---


def test_a_page_says_all_that_matters_and_has_buttons(fake):
    parcel = to(fake)
    receipt = slack.send(parcel)
    (message,) = fake.messages
    said = str(message)
    for part in ("Disks are full", "Critical", "Two disks", "db-1 is full", "#12"):
        assert part in said
    assert "Next: Bob" in said
    assert list(message.buttons) == ["acknowledge", "resolve", "snooze", "open"]
    button = message.buttons["acknowledge"]
    assert button["value"] == parcel.message.group_id
    assert button["block_id"] == f"group:{parcel.message.group_id}"
    assert message.buttons["open"]["url"] == parcel.message.url
    payload = message.json["metadata"]["event_payload"]
    assert payload == {"delivery_id": str(parcel.delivery_id)}
    assert receipt.provider_id == message.ts
    assert receipt.thread == ThreadPlace("C1", message.ts)
    assert fake.requests[0].token == "xoxb-1"


def test_an_update_redraws_the_first_message_in_place(fake):
    page = to(fake)
    thread = slack.send(page).thread
    after = acknowledged(page.message)
    slack.send(to(fake, "update", message=after, thread=thread))
    (message,) = fake.messages
    assert len(message.edits) == 1
    assert "Acknowledged by Alice" in str(message)
    assert list(message.buttons) == ["resolve", "unacknowledge", "open"]


def test_a_reply_is_a_line_of_the_thread(fake):
    page = to(fake)
    thread = slack.send(page).thread
    slack.send(to(fake, "reply", message=acknowledged(page.message), thread=thread))
    (message,) = fake.messages
    assert [line["text"] for line in message.replies] == ["Alice acknowledged."]
    assert "reply_broadcast" not in message.replies[0]


def test_a_second_page_goes_below_the_first_and_is_shown_to_all(fake):
    thread = slack.send(to(fake)).thread
    receipt = slack.send(to(fake, thread=thread))
    (message,) = fake.messages
    assert message.replies[0]["reply_broadcast"] is True
    assert receipt.thread == thread
    assert receipt.provider_id != message.ts


def test_a_page_arrives_even_where_somebody_deleted_the_conversation(fake):
    thread = slack.send(to(fake)).thread
    fake.messages.clear()
    receipt = slack.send(to(fake, thread=thread))
    assert len(fake.messages) == 1
    assert receipt.thread == ThreadPlace("C1", fake.messages[0].ts)


@pytest.mark.parametrize("kind", ["update", "reply"])
def test_without_a_first_message_there_is_nothing_to_redraw(fake, kind):
    assert slack.send(to(fake, kind)).answer
    assert fake.requests == []


def test_a_persons_page_goes_to_their_direct_messages(fake):
    receipt = slack.send(to(fake, address="U0BOB"))
    assert fake.messages[0].channel == "U0BOB"
    assert receipt.thread == ThreadPlace("D0BOB", fake.messages[0].ts)


def test_a_test_is_a_short_line(fake):
    slack.send(to(fake, "test"))
    assert "Acme" in fake.messages[0].text
    assert "blocks" not in fake.messages[0].json


def test_an_answer_is_seen_by_the_one_who_pressed(fake):
    message = a_message(title="#12 is already <resolved>.")
    slack.send(to(fake, "answer", message=message, address=fake.response_url))
    assert fake.answers == [
        {
            "response_type": "ephemeral",
            "replace_original": False,
            "text": "#12 is already &lt;resolved&gt;.",
        }
    ]


def test_a_button_comes_back_signed(fake):
    slack.send(to(fake))
    message = fake.messages[0]
    body, headers = fake.press(message, "resolve", "U0BOB", "secret")
    from slack_sdk.signature import SignatureVerifier

    assert SignatureVerifier("secret").is_valid_request(body, headers)


def test_times_are_told_in_each_readers_zone(fake):
    slack.send(to(fake))
    assert "<!date^1795226400^{date_short_pretty} {time}|" in str(fake.messages[0])


# --- what every failure means ---


def test_too_many_requests_says_how_long_to_wait(fake):
    fake.rate_limited(17)
    error = failure(to(fake))
    assert (error.retry_after, error.permanent, error.ambiguous) == (17, False, False)


@pytest.mark.parametrize("code", [500, 502, 503])
def test_a_broken_slack_is_tried_again(fake, code):
    fake.status(code)
    error = failure(to(fake))
    assert not error.permanent
    assert not error.ambiguous


def test_other_refusals_by_status_are_permanent(fake):
    fake.status(403)
    assert failure(to(fake)).permanent


@pytest.mark.parametrize(
    "code",
    ["channel_not_found", "not_in_channel", "is_archived", "invalid_auth",
     "token_revoked", "account_inactive", "no_permission", "missing_scope"],
)  # fmt: skip
def test_what_a_person_must_repair_is_not_tried_again(fake, code):
    fake.ok_false(code)
    error = failure(to(fake))
    assert error.permanent
    assert error.reason == code


@pytest.mark.parametrize("code", ["internal_error", "something_new"])
def test_what_may_pass_is_tried_again(fake, code):
    fake.ok_false(code)
    assert not failure(to(fake)).permanent


def test_nobody_listening_is_tried_again():
    parcel = a_parcel(settings={"channel": "C1", "api_url": "http://127.0.0.1:1/api/"})
    error = failure(parcel)
    assert not error.permanent
    assert not error.ambiguous


def test_a_connection_cut_after_the_request_leaves_doubt(fake):
    fake.reset_after_read()
    assert failure(to(fake)).ambiguous
    assert len(fake.messages) == 1


def test_no_answer_in_time_leaves_doubt(fake, monkeypatch):
    monkeypatch.setattr(slack, "NETWORK_SECONDS", 0.2)
    fake.slow(0.6)
    assert failure(to(fake)).ambiguous


def test_the_library_does_not_retry_by_itself(fake):
    fake.reset_after_read(3)
    failure(to(fake))
    assert len(fake.requests) == 1


# --- nobody but Slack is called ---


@pytest.mark.parametrize(
    "url",
    ["https://evil.example/api/", "http://slack.com/api/", "https://slack.com.evil/",
     "https://169.254.169.254/", "file:///etc/passwd"],
)  # fmt: skip
def test_an_address_that_is_not_slacks_is_never_called(url):
    parcel = a_parcel(settings={"channel": "C1", "api_url": url})
    assert failure(parcel).permanent
    assert failure(a_parcel("answer", address=url)).permanent


def test_loopback_is_for_tests_and_the_simulation_only(fake, settings):
    settings.ENVIRONMENT = "production"
    assert failure(to(fake)).permanent
    assert fake.requests == []


def test_in_simulation_the_built_in_slack_is_called(settings):
    settings.SIMULATION = True
    parcel = a_parcel()
    wanted = f"http://127.0.0.1:{settings.PORT}/outbox/slack/{parcel.tenant_id}/api/"
    assert slack_api.base_url(parcel.tenant_id, parcel.settings) == wanted


def test_without_a_token_nothing_is_sent(fake, settings):
    settings.SLACK_BOT_TOKEN = ""
    assert failure(to(fake, secret={})).permanent
    settings.SLACK_BOT_TOKEN = "xoxb-of-all"
    slack.send(to(fake, secret={}))
    assert fake.requests[0].token == "xoxb-of-all"


# --- nothing from outside can harm ---

ANY = st.text(max_size=600)
NASTY = st.sampled_from(
    ["<!channel>", "<@U1>", "<!here|x>", "&lt;!channel&gt;", "https://a.b/<!channel>",
     "https://a.b|x>", "@channel", "```", "\x00\x01<", "<https://x|<!here>>"]
)  # fmt: skip
TEXTS = st.lists(ANY | NASTY, max_size=6).map("".join)


@given(title=TEXTS, body=TEXTS, who=TEXTS, summary=TEXTS)
def test_no_text_can_mention_anybody_or_break_the_message(title, body, who, summary):
    alert = AlertLine(title, 5, "firing", summary=summary)
    message = a_message(title=title, next_who=who, alerts=(alert,) * 10, alert_count=99)
    parcel = a_parcel(message=message, title=title, body=body)
    said = block_kit.page(parcel)
    assert what_is_wrong({"channel": "C1"} | said) == ""
    for text in texts(said):
        for piece in text.split("<")[1:]:
            inside = piece.partition(">")[0]
            assert inside.startswith(("!date^", "http://", "https://")), text
            assert "|" not in inside or inside.startswith("!date^")


@given(message=TEXTS)
def test_an_answer_can_mention_nobody(message):
    parcel = a_parcel("answer", message=a_message(title=message))
    assert "<" not in block_kit.answer_text(parcel)


def test_a_giant_message_keeps_title_severity_and_link(fake):
    alerts = tuple(AlertLine("a" * 5000, 5, "firing") for _ in range(10))
    message = a_message(alerts=alerts, alert_count=5000, next_who="w" * 9000)
    slack.send(to(fake, message=message, title="&" * 9000, body="b" * 90_000))
    said = str(fake.messages[0])
    assert "&amp;&amp;" in said
    assert "Critical" in said
    assert message.url in said
    assert "and 4990 more" in said


def test_addresses_in_the_body_can_be_followed():
    said = block_kit.linked("see https://x.example/a?b=1&c=2. <b>", 3000)
    assert said == "see <https://x.example/a?b=1&amp;c=2>. &lt;b&gt;"


def texts(said: dict[str, Any]) -> list[str]:
    """Return every text that Slack would read as mrkdwn or show."""
    found = [str(said["text"])]

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            if isinstance(value.get("text"), str):
                found.append(value["text"])
            for item in value.values():
                walk(item)
        elif isinstance(value, list):
            for item in value:
                walk(item)

    walk(json.loads(json.dumps(said["blocks"])))
    return found


def test_the_readers_language_is_spoken(fake):
    slack.send(to(fake, language="de"))
    slack.send(to(fake, language="ar"))
    assert len(fake.messages) == 2


def test_messages_about_strange_times_are_still_sent(fake):
    message = replace(a_message(), opened_at="yesterday", next_at="9999-99-99")
    slack.send(to(fake, message=message, delivery_id=uuid4()))
    assert len(fake.messages) == 1


def test_the_timeout_is_shorter_than_a_lease():
    assert base.NETWORK_SECONDS == 10
