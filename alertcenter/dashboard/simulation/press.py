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
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings

from alertcenter.dashboard.simulation.slack_server import slack_id, ticket_for
from notifications.models import Channel, SimulatedMessage
from notifications.signing import signing_secret as secret_of
from tenants.rls import in_tenant

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


@dataclass(frozen=True)
class Callback:
    """A callback ready to be sent."""

    body: bytes
    headers: dict[str, str]


def press(tenant_id: UUID, pressed: Press) -> tuple[int, str]:
    """Send the callback to our endpoint; return its status and answer.

    Raises SimulatedMessage.DoesNotExist and Channel.DoesNotExist. The request
    goes out after the transaction, as the endpoint opens one of its own.
    """
    with in_tenant(tenant_id):
        message = SimulatedMessage.objects.get(
            tenant_id=tenant_id, pk=pressed.message_id
        )
        channel = Channel.objects.get(tenant_id=tenant_id, pk=str(message.channel_id))
        secret = secret_of(channel)
        body = urlencode({"payload": json.dumps(payload(channel, message, pressed))})
    return post(signed(body.encode(), secret))


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
            return answer.status, answer.read(4000).decode(errors="replace")
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
    team = {"id": str(channel.settings.get("team_id", "")), "domain": "simulation"}
    place = {"id": slack_id(message.address, "C"), "name": channel.slug}
    url = (
        f"{own_address()}/outbox/slack/{channel.tenant_id}/response/"
        f"{ticket_for(message.channel_id, message.ts)}"
    )
    return {
        "type": "block_actions",
        "user": {
            "id": pressed.user_id,
            "username": pressed.user_name,
            "name": pressed.user_name,
            "team_id": team["id"],
        },
        "api_app_id": str(channel.settings.get("app_id", "")),
        "token": "simulation",
        "container": {
            "type": "message",
            "message_ts": message.ts,
            "channel_id": place["id"],
            "is_ephemeral": False,
        },
        "trigger_id": f"{time.time_ns()}.simulation",
        "team": team,
        "channel": place,
        "message": {"type": "message", "ts": message.ts} | message.payload,
        "response_url": url,
        "actions": [
            {
                "type": "button",
                "action_id": pressed.action_id,
                "block_id": pressed.block_id,
                "value": pressed.value,
                "action_ts": f"{time.time():.6f}",
            }
        ],
    }
