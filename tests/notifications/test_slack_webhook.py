"""What a plain incoming webhook gets, and what its refusals mean."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from slack_sdk.webhook import WebhookClient

from notifications import signing
from notifications.channels import block_kit, slack_webhook
from notifications.channels.base import DeliveryError, Parcel
from tests.fakes.slack import what_is_wrong
from tests.fakes.webhook import FakeWebhook
from tests.notifications.scene import a_message, a_parcel, acknowledged

PATH = "/services/T1/B1/canary-7391"


@pytest.fixture(name="hook")
def _hook(settings) -> Iterator[FakeWebhook]:
    settings.OUTBOUND_ALLOW = [ipaddress.ip_network("127.0.0.0/8")]
    with FakeWebhook() as fake:
        yield fake


def address(hook: FakeWebhook) -> str:
    root = hook.url.split("/", 3)
    return "/".join(root[:3]) + PATH


def to(hook: FakeWebhook, kind: str = "page", **more: Any) -> Parcel:
    given = {"channel_kind": "slack_webhook", "settings": {"channel": "#ops"}}
    secret = {"webhook_url": address(hook)}
    return a_parcel(kind, **given | {"secret": secret} | more)


def texts(body: dict[str, Any]) -> str:
    return "\n".join(slack_webhook.texts_of(body))


def test_a_page_says_all_that_matters_and_has_links_where_buttons_were(
    hook, monkeypatch
):
    links = [("acknowledge", "Acknowledge", "https://alerts.example/a/x")]
    monkeypatch.setattr(signing, "act_links", lambda _p: links, raising=False)
    slack_webhook.send(to(hook))
    (call,) = hook.calls
    assert call.path == PATH
    assert what_is_wrong({"channel": "C"} | call.body) == ""
    said = texts(call.body)
    for part in ("Disks are full", "Critical", "Two disks", "#12"):
        assert part in said
    assert "<https://alerts.example/a/x|Acknowledge>" in said
    assert "|Open>" in said
    assert "actions" not in [block["type"] for block in call.body["blocks"]]


def test_a_later_line_names_its_group_as_it_stands_alone(hook):
    message = acknowledged(a_message(title="x <!channel>"))
    slack_webhook.send(to(hook, "reply", message=message, title="x <!channel>"))
    assert hook.calls[0].body == {
        "text": "👀 [#12] x &lt;!channel&gt;: Alice acknowledged."
    }


def test_slacks_own_client_sends_the_same_body(hook):
    parcel = to(hook)
    body = slack_webhook.body_of(parcel)
    client = WebhookClient(address(hook))
    assert client.send_dict(body).status_code == 200
    slack_webhook.send(parcel)
    texts_only = [texts(call.body) for call in hook.calls]
    assert texts_only[0] == texts_only[1]


@pytest.mark.parametrize("status", [400, 403, 404, 410])
def test_what_a_person_must_repair_is_permanent_and_hides_the_address(hook, status):
    hook.answers = [status]
    with pytest.raises(DeliveryError) as caught:
        slack_webhook.send(to(hook))
    assert caught.value.permanent
    assert "canary" not in caught.value.reason


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_may_pass_is_tried_again(hook, status):
    hook.answers = [status]
    with pytest.raises(DeliveryError) as caught:
        slack_webhook.send(to(hook))
    assert not caught.value.permanent


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/services/T/B/x",
        "http://hooks.slack.com/services/T/B/x",
        "https://hooks.slack.com.evil.example/services/T/B/x",
        "https://169.254.169.254/services/x",
        "file:///etc/passwd",
    ],
)
def test_nobody_but_slack_is_called(url):
    parcel = a_parcel(channel_kind="slack_webhook", secret={"webhook_url": url})
    with pytest.raises(DeliveryError) as caught:
        slack_webhook.send(parcel)
    assert caught.value.permanent
    with pytest.raises(ValidationError):
        slack_webhook.a_hook(url)


def test_slacks_own_addresses_are_taken():
    url = "https://hooks.slack.com/services/T0/B0/abc"
    assert slack_webhook.a_hook(f" {url} ") == url


def test_without_an_address_nothing_is_sent(hook, settings):
    settings.SLACK_WEBHOOK_URL = ""
    with pytest.raises(DeliveryError) as caught:
        slack_webhook.send(to(hook, secret={}))
    assert caught.value.permanent
    settings.SLACK_WEBHOOK_URL = address(hook)
    slack_webhook.send(to(hook, secret={}))
    assert len(hook.calls) == 1


def test_links_cannot_be_broken_out_of():
    parcel = a_parcel()
    links = [("a|b>c<!here>", "https://x.example/a"), ("x", "https://x/|<!here>")]
    said = block_kit.page_with_links(parcel, links)
    last = said["blocks"][-1]["text"]["text"]
    assert last == "<https://x.example/a|a/b&gt;c&lt;!here&gt;>"


def test_what_it_cannot_do_is_said_on_its_page():
    about = str(slack_webhook.SPEC.about)
    assert "no thread" in about
    assert slack_webhook.SPEC.updates is False
    (address_,) = [s for s in slack_webhook.SPEC.settings if s.name == "webhook_url"]
    assert address_.secret
