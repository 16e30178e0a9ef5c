"""How does a press in the outbox travel? As Slack's own signed callback, over HTTP.

https://docs.slack.dev/reference/interaction-payloads/block_actions-payload
https://docs.slack.dev/authentication/verifying-requests-from-slack
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings

from alertcenter.dashboard.simulation import forms
from alertcenter.dashboard.simulation.slack_server import slack_id, ticket_for
from notifications.models import Channel, SimulatedMessage
from notifications.signing import signing_secret as secret_of
from tenants.rls import in_tenant

MOST_ANSWER = 256 * 1024  # a form
SECONDS = 5.0  # Slack itself waits three


@dataclass(frozen=True)
class Press:
    """Which button of which message, pressed by which Slack user."""

    message_id: int
    action_id: str
    block_id: str
    value: str
    user_id: str
    user_name: str
    type: str = "button"  # or a menu's: overflow, users_select

    @property
    def action(self) -> dict[str, Any]:
        """Return what Slack tells of the element.

        https://docs.slack.dev/reference/interaction-payloads/block_actions-payload
        """
        chosen: dict[str, Any] = {"value": self.value}
        if self.type == "overflow":
            chosen = {"selected_option": {"value": self.value}}
        elif self.type == "users_select":
            chosen = {"selected_user": self.value}
        return chosen | {
            "type": self.type,
            "action_id": self.action_id,
            "block_id": self.block_id,
            "action_ts": f"{time.time():.6f}",
        }


@dataclass(frozen=True)
class Callback:
    """A callback ready to be sent."""

    body: bytes
    headers: dict[str, str]


@dataclass(frozen=True)
class Pressed:
    """What came of a press: the endpoint's status and answer, and the form that it
    opened, if it did."""

    status: int
    answer: str
    form: int | None = None


def press(tenant_id: UUID, pressed: Press) -> Pressed:
    """Send the callback to our endpoint.

    Raises SimulatedMessage.DoesNotExist and Channel.DoesNotExist. The request
    goes out after the transaction, as the endpoint opens one of its own.
    """
    with in_tenant(tenant_id):
        message = SimulatedMessage.objects.get(
            tenant_id=tenant_id, pk=pressed.message_id
        )
        channel = Channel.objects.get(tenant_id=tenant_id, pk=str(message.channel_id))
        secret = secret_of(channel)
        by = by_whom(channel, pressed.user_id, pressed.user_name)
        user = {"id": pressed.user_id, "name": pressed.user_name}
        trigger = forms.await_form(tenant_id, channel.pk, user)
        sent = payload(channel, message, pressed) | by | {"trigger_id": trigger}
    status, answer = send(sent, secret)
    with in_tenant(tenant_id):
        form = forms.opened(tenant_id, trigger)
    return Pressed(status, answer, form.pk if form else None)


def fill(
    tenant_id: UUID, row: SimulatedMessage, given: Mapping[str, str], *, redraw: bool
) -> tuple[int, str]:
    """Send a form that was filled in, or what is written into it so far; return the
    endpoint's status and answer. Raises Channel.DoesNotExist."""
    with in_tenant(tenant_id):
        channel = Channel.objects.get(tenant_id=tenant_id, pk=str(row.channel_id))
        secret = secret_of(channel)
    user = row.payload["user"]
    by = by_whom(channel, str(user["id"]), str(user["name"]))
    build = forms.writing if redraw else forms.submission
    return send(build(row, by, given), secret)


def send(payload: dict[str, Any], secret: str) -> tuple[int, str]:
    body = urlencode({"payload": json.dumps(payload)})
    return post(signed(body.encode(), secret))


def by_whom(channel: Channel, user_id: str, name: str) -> dict[str, Any]:
    """Return what every interaction tells of its author."""
    team = str(channel.settings.get("team_id", ""))
    return {
        "user": {"id": user_id, "username": name, "name": name, "team_id": team},
        "team": {"id": team, "domain": "simulation"},
        "api_app_id": str(channel.settings.get("app_id", "")),
        "token": "simulation",
    }


def signed(body: bytes, signing_secret: str, at: int | None = None) -> Callback:
    """Return the callback with Slack's v0 signature over its body."""
    stamp = str(int(time.time()) if at is None else at)
    text = b"v0:" + stamp.encode() + b":" + body
    digest = hmac.new(signing_secret.encode(), text, hashlib.sha256).hexdigest()
    return Callback(
        body,
        {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": f"v0={digest}",
        },
    )


def post(callback: Callback) -> tuple[int, str]:
    """Send the callback to /slack/interactions of this installation."""
    request = urllib.request.Request(  # noqa: S310 - our own loopback address
        f"{own_address()}/slack/interactions", callback.body, callback.headers
    )
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310
            return answer.status, answer.read(MOST_ANSWER).decode(errors="replace")
    except urllib.error.HTTPError as error:
        return error.code, error.read(4000).decode(errors="replace")
    except OSError as error:
        return 0, str(error)


def own_address() -> str:
    """Return where this installation listens."""
    return f"http://127.0.0.1:{settings.PORT}"


def payload(
    channel: Channel, message: SimulatedMessage, pressed: Press
) -> dict[str, Any]:
    """Return the block_actions payload of this press."""
    place = {"id": slack_id(message.address, "C"), "name": channel.slug}
    url = (
        f"{own_address()}/outbox/slack/{channel.tenant_id}/response/"
        f"{ticket_for(message.channel_id, message.ts)}"
    )
    return {
        "type": "block_actions",
        "container": {
            "type": "message",
            "message_ts": message.ts,
            "channel_id": place["id"],
            "is_ephemeral": False,
        },
        "channel": place,
        "message": {"type": "message", "ts": message.ts} | message.payload,
        "response_url": url,
        "actions": [pressed.action],
    }
