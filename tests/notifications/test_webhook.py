"""A webhook says what its templates say, to the server it names, and nothing else."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from alertcenter.common import world_time
from notifications.channels import tooling, webhook
from notifications.channels import webhook_templates as templates
from notifications.channels.base import DeliveryError, Parcel
from notifications.message import Note
from notifications.models import Channel, Delivery
from tenants.rls import in_tenant
from tests.fakes.tool import LOOPBACK, Call, FakeTool, Json
from tests.notifications.bombs import BOMBS
from tests.notifications.scene import a_message, a_parcel, acknowledged


class Hook(FakeTool):
    """A receiver that takes everything."""

    def act(self, call: Call) -> tuple[int, Json]:
        return 200, {"took": call.method}

    @property
    def last(self) -> Call:
        return self.calls[-1]


@pytest.fixture
def hook(settings) -> Iterator[Hook]:
    settings.OUTBOUND_ALLOW = LOOPBACK
    with Hook() as fake:
        yield fake


@pytest.fixture
def parcel(hook: Hook) -> Parcel:
    return a_parcel(
        channel_kind="webhook",
        settings={"url": f"{hook.url}/in"},
        secret={"bearer_token": "s3cret-token"},
    )


def having(parcel: Parcel, **given: Any) -> Parcel:
    return replace(parcel, settings=parcel.settings | given)


def refusal(parcel: Parcel) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        webhook.send(parcel)
    assert caught.value.permanent
    return caught.value


# --- as it was ---


def test_without_templates_alertmanagers_body_leaves_byte_for_byte(hook, parcel):
    body = {"version": "4", "receiver": "ops", "alerts": [{"labels": {"a": "é"}}]}
    webhook.send(replace(parcel, message=a_message(payload=body)))
    assert hook.last.raw == (
        '{"version":"4","receiver":"ops","alerts":[{"labels":{"a":"é"}}]}'.encode()
    )
    assert hook.last.headers["content-type"] == "application/json"
    assert hook.last.headers["authorization"] == "Bearer s3cret-token"
    assert hook.last.method == "POST"


def test_a_policys_page_is_the_message_itself(hook, parcel):
    webhook.send(parcel)
    assert hook.last.json["version"] == "1"
    assert hook.last.json["text"] == "Two disks are full."
    assert "payload" not in hook.last.json


# --- bodies ---


def test_a_template_makes_the_body(hook, parcel):
    source = '{"what": {{ title|tojson }}, "labels": {{ labels|tojson }}}'
    told = having(parcel, body=source, method="PUT")
    message = a_message(title='a "b"\nc', labels={"team": "ä"})
    webhook.send(replace(told, message=message))
    assert hook.last.json == {"what": 'a "b"\nc', "labels": {"team": "ä"}}
    assert hook.last.method == "PUT"


def test_a_body_may_be_of_another_kind(hook, parcel):
    told = having(
        parcel, body="{{ state.name }}: {{ title }}", content_type="text/plain"
    )
    webhook.send(told)
    assert hook.last.raw == b"firing: Disks are full"
    assert hook.last.headers["content-type"] == "text/plain"


def test_alertmanagers_own_shape_can_be_written_otherwise(hook, parcel):
    told = having(parcel, body='{"n": {{ alertmanager.alerts|length }}}')
    message = a_message(payload={"alerts": [1, 2]})
    webhook.send(replace(told, message=message))
    assert hook.last.json == {"n": 2}


def test_the_signature_is_over_the_body_that_leaves(hook, parcel):
    told = having(parcel, body='{"a": {{ title|tojson }}}')
    webhook.send(replace(told, secret={"signing_secret": "whsec_c2VjcmV0"}))
    call = hook.last
    parts = (call.headers["webhook-id"], call.headers["webhook-timestamp"])
    signed = ".".join(parts).encode() + b"." + call.raw
    digest = hmac.new(b"secret", signed, hashlib.sha256).digest()
    expected = f"v1,{base64.b64encode(digest).decode()}"
    assert call.headers["webhook-signature"] == expected


def test_it_is_signed_at_the_databases_time(hook, parcel, monkeypatch):
    """Whose host's clock is an hour off is believed all the same."""
    monkeypatch.setattr(world_time, "_ahead", None)
    right = time.time()
    monkeypatch.setattr(time, "time", lambda: right + 3600)
    signed = replace(parcel, secret={"signing_secret": "whsec_c2VjcmV0"})
    webhook.send(signed)
    assert int(hook.last.headers["webhook-timestamp"]) - right > 3500
    world_time.hear(right)
    webhook.send(signed)
    assert 0 <= int(hook.last.headers["webhook-timestamp"]) - int(right) < 60


def test_a_body_that_turns_out_to_be_no_json_is_not_sent(hook, parcel):
    told = having(parcel, body='{"a": "{{ title }}"}')
    error = refusal(replace(told, message=a_message(title='a"b')))
    assert "no JSON" in error.reason
    assert hook.calls == []


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_a_bomb_is_refused_when_saved_and_when_sent(hook, parcel, bomb):
    assert templates.body_problem(bomb, "text/plain")
    refusal(having(parcel, body=bomb, content_type="text/plain"))
    assert hook.calls == []


def test_a_body_that_breaks_on_quotes_is_refused_with_the_remedy():
    problem = templates.body_problem('{"a": "{{ title }}"}', "application/json")
    assert "tojson" in problem
    assert templates.body_problem('{"a": {{ title|tojson }}}', "application/json") == ""


# --- headers ---


def test_headers_are_templates(hook, parcel):
    lines = "X-Severity: {{ severity.level }}\nX-Team: {{ labels.team }}\nX-No: {{ x }}"
    webhook.send(having(parcel, headers=templates.header_lines(lines)))
    assert hook.last.headers["x-severity"] == "5"
    assert hook.last.headers["x-team"] == "database"
    assert "x-no" not in hook.last.headers


@pytest.mark.parametrize(
    "evil", ["a\r\nX-Evil: 1", "a\nb", "a\rb", "a\x00b", "a\u2028b"]
)
def test_a_label_cannot_add_a_header(hook, parcel, evil):
    told = having(parcel, headers="X-Team: {{ labels.team }}")
    error = refusal(replace(told, message=a_message(labels={"team": evil})))
    assert "X-Team" in error.reason
    assert hook.calls == []


def test_a_letter_that_no_header_holds_is_written_otherwise(hook, parcel):
    told = having(parcel, headers="X-Team: {{ labels.team }}")
    webhook.send(replace(told, message=a_message(labels={"team": "é 1%"})))
    assert hook.last.headers["x-team"] == "%C3%A9 1%"


@pytest.mark.parametrize(
    "wrong",
    [
        "Host: evil",
        "Content-Length: 1",
        "Transfer-Encoding: chunked",
        "Authorization: x",
        "webhook-signature: v1,x",
        "Proxy-Authorization: x",
        "Bad Name: x",
        "nothing",
        "X-A:",
        "X-A: 1\nx-a: 2",
        "X-A: {{ title.__class__ }}",
        "X{{ title }}: 1",
    ],
)
def test_headers_that_are_not_free_are_refused(wrong):
    with pytest.raises(ValidationError):
        templates.header_lines(wrong)


def test_a_key_has_a_header_of_its_own_and_is_never_repeated(hook, parcel):
    line = webhook.a_secret_header("X-Api-Key: key-of-acme")
    keyed = replace(parcel, secret={"secret_header": line})
    webhook.send(keyed)
    assert hook.last.headers["x-api-key"] == "key-of-acme"
    hook.status(403, "key-of-acme is not welcome")
    assert refusal(keyed).reason == "403 *** is not welcome"


def test_a_token_that_the_receiver_repeats_is_struck_out(hook, parcel):
    hook.status(500, "you said s3cret-token")
    with pytest.raises(DeliveryError) as error:
        webhook.send(parcel)
    assert error.value.reason == "500 you said ***"


# --- addresses ---


def test_a_label_can_stand_in_the_address(hook, parcel):
    url = f"{hook.url}/in/{{{{ labels.team }}}}?n={{{{ number }}}}"
    told = having(parcel, url=templates.an_address(url))
    webhook.send(replace(told, message=a_message(labels={"team": "a/b?c=d&e #f"})))
    assert hook.last.path == "/in/a%2Fb%3Fc%3Dd%26e%20%23f?n=12"


@pytest.mark.parametrize(
    "wrong",
    [
        "{{ url }}",
        "https://{{ labels.host }}/in",
        "https://hooks.example{{ labels.x }}/in",
        "https://hooks.example:{{ labels.x }}/in",
        "https://{{ labels.x }}@hooks.example/in",
        "https://user@hooks.example/{{ labels.x }}",
        "{{ labels.scheme }}://hooks.example/",
        "ftp://hooks.example/{{ labels.x }}",
        "https://hooks.example/{{ title.__class__ }}",
        "https://hooks.example/{% if %}",
        "https://hooks.example/a b/{{ number }}",
        "hooks.example/in",
    ],
)
def test_no_template_may_choose_scheme_or_server(wrong):
    with pytest.raises(ValidationError):
        templates.an_address(wrong)


@pytest.mark.parametrize("evil", ["..", "."])
def test_no_label_climbs_out_of_its_place(hook, parcel, evil):
    told = having(parcel, url=f"{hook.url}/in/{{{{ labels.x }}}}/end")
    refusal(replace(told, message=a_message(labels={"x": evil})))
    assert hook.calls == []


@pytest.mark.parametrize("evil", ["../../admin", "@evil.example", "//evil", "%2e%2e/"])
def test_no_label_leads_elsewhere(hook, parcel, evil):
    told = having(parcel, url=f"{hook.url}/in/{{{{ labels.x }}}}/end")
    webhook.send(replace(told, message=a_message(labels={"x": evil})))
    assert hook.last.path.startswith("/in/")
    assert hook.last.path.count("/") == 3


# --- later states ---


def test_who_asks_for_it_hears_of_what_follows_the_page(hook, parcel):
    change = acknowledged(parcel.message)
    webhook.send(replace(parcel, kind="reply", message=change))
    assert hook.last.json["state"] == "acknowledged"
    assert hook.last.json["note"]["actor"] == "Alice"


def test_a_template_can_tell_the_occasions_apart(hook, parcel):
    told = having(
        parcel, body='{"event": {{ event|tojson }}, "test": {{ test|tojson }}}'
    )
    note = Note("unacknowledged", "Alice", "2026-11-21T02:01:00+00:00")
    webhook.send(replace(told, kind="reply", message=a_message(note=note)))
    assert hook.last.json == {"event": "unacknowledged", "test": False}


def test_the_preview_is_what_an_example_becomes():
    assert webhook.preview({}) == ""
    made = webhook.preview({"body": '{"t": {{ title|tojson }}}'})
    assert json.loads(made) == {"t": "DiskWillFillIn4Hours"}


# --- when the receiver misbehaves ---


def test_told_to_wait_it_waits(hook, parcel):
    hook.status(429, "later", Retry_After="9")
    with pytest.raises(DeliveryError) as error:
        webhook.send(parcel)
    assert (error.value.permanent, error.value.retry_after) == (False, 9)


def test_no_answer_leaves_doubt(hook, parcel, monkeypatch):
    monkeypatch.setattr(tooling, "SECONDS", 0.3)
    hook.slow(1.0)
    hook.reset_after_read()
    for _ in range(2):
        with pytest.raises(DeliveryError) as error:
            webhook.send(parcel)
        assert error.value.ambiguous


# --- the outbox ---


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("tells", "kinds"), [(True, ["page", "reply"]), (False, ["page"])]
)
def test_who_does_not_ask_for_it_costs_no_row(ops, tells, kinds):
    message = a_message()
    with in_tenant(ops.tenant_id):
        told = Channel.objects.create(
            tenant_id=ops.tenant_id,
            kind="webhook",
            slug="hook",
            name="hook",
            settings={"url": "https://hooks.example/", "tells_states": tells},
        )
    ops.put("a", message, channel_id=told.pk, channel_kind="webhook")
    ops.refresh(acknowledged(message), version=2)
    with in_tenant(ops.tenant_id):
        rows = Delivery.objects.filter(channel=told).order_by("id")
        assert list(rows.values_list("kind", flat=True)) == kinds
