"""How does a delivery reach Slack?

A page is posted, or said again below the first one where people see it; later changes
redraw the first one in place and add lines to its thread. What the message looks like
is `block_kit`'s matter.
"""

from __future__ import annotations

import http.client
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.error import URLError
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.webhook import WebhookClient

from notifications.channels import block_kit
from notifications.channels.base import (
    NETWORK_SECONDS,
    ContactSpec,
    DeliveryError,
    Parcel,
    Receipt,
    Setting,
    Spec,
    ThreadPlace,
)

OFFICIAL = "https://slack.com/api/"
SLACK_HOSTS = ("slack.com", "slack-gov.com")
HOOK_HOSTS = ("hooks.slack.com", "hooks.slack-gov.com")
LOOPBACK = ("127.0.0.1", "localhost", "::1")
EVENT_TYPE = "alertcenter_delivery"

SLACK_USER = re.compile(r"^[UW][A-Z0-9]{2,30}$")  # https://api.slack.com/types/user


def a_user(address: str) -> str:
    """Return a Slack user's id. Raises ValidationError."""
    if not SLACK_USER.match(address):
        raise ValidationError(_("A Slack user id looks like U0123ABCD."))
    return address


def needed(given: Mapping[str, Any], held: Mapping[str, str]) -> dict[str, Any]:
    """Ask for what Slack needs; the simulation needs no real secrets."""
    if settings.SIMULATION or held:
        return {}
    names = ("bot_token", "signing_secret")
    text = _("This is needed to talk to Slack.")
    return {name: text for name in names if not given.get(name)}


def made_up(channel_id: UUID) -> tuple[dict[str, Any], dict[str, str]]:
    """Return what the simulation's Slack accepts."""
    mark = channel_id.hex[-10:].upper()
    return (
        {"team_id": f"T{mark}", "app_id": f"A{mark}"},
        {
            "bot_token": f"xoxb-sim-{channel_id}",
            "signing_secret": secrets.token_hex(16),
        },
    )


SPEC = Spec(
    kind="slack",
    label=gettext_lazy("Slack"),
    about=gettext_lazy("A channel: one message a group, with buttons and a thread."),
    settings=(
        Setting(
            "channel",
            gettext_lazy("Slack channel"),
            gettext_lazy("Such as #ops, or its id."),
            required=True,
        ),
        Setting(
            "team_id",
            gettext_lazy("Team id"),
            gettext_lazy("Begins with T; tells whose buttons were pressed."),
        ),
        Setting("app_id", gettext_lazy("App id"), gettext_lazy("Begins with A.")),
        Setting(
            "bot_token",
            gettext_lazy("Bot token"),
            gettext_lazy("Begins with xoxb-."),
            secret=True,
        ),
        Setting("signing_secret", gettext_lazy("Signing secret"), secret=True),
    ),
    place=lambda settings: str(settings.get("channel") or ""),
    check=needed,
    made_up=made_up,
    contact=ContactSpec(gettext_lazy("A Slack user id such as U0123ABCD."), a_user),
    updates=True,
    replies=None,
    # One message a second a channel, short bursts tolerated:
    # https://docs.slack.dev/apis/web-api/rate-limits
    pace=1.0,
    burst=5,
)

# https://docs.slack.dev/reference/methods/chat.postMessage#errors and chat.update:
# a person has to repair these. What is not named here is tried again.
PERMANENT = frozenset({
    "access_denied", "account_inactive", "app_missing_action_url",
    "as_user_not_supported", "cannot_reply_to_message", "cant_broadcast_message",
    "cant_update_message", "channel_is_archived", "channel_not_found",
    "edit_window_closed", "ekm_access_denied", "enterprise_is_restricted",
    "expired_url", "invalid_arg_name", "invalid_arguments", "invalid_array_arg",
    "invalid_auth", "invalid_blocks", "invalid_blocks_format", "invalid_channel",
    "invalid_json", "invalid_metadata_format", "invalid_post_type", "invalid_ts",
    "is_archived", "is_inactive", "message_not_found", "messages_tab_disabled",
    "metadata_too_large", "method_deprecated", "missing_post_type", "missing_scope",
    "msg_blocks_too_long", "msg_too_long", "no_permission", "no_text",
    "not_allowed_token_type", "not_authed", "not_in_channel", "org_login_required",
    "restricted_action", "restricted_action_non_threadable_channel",
    "restricted_action_read_only_channel", "restricted_action_thread_locked",
    "restricted_action_thread_only_channel", "slack_connect_canvas_sharing_blocked",
    "team_access_not_granted", "team_not_found", "thread_not_found", "token_expired",
    "token_revoked", "too_many_attachments", "too_many_contact_cards",
    "two_factor_setup_required", "unknown_method", "used_url", "user_not_found",
    "user_not_visible",
})  # fmt: skip
# What a page below another one meets when that one is gone, or takes none.
NO_THREAD = (
    "thread_not_found",
    "message_not_found",
    "cannot_reply_to_message",
    "cant_broadcast_message",
)
TOO_MANY = 429
SERVER_ERRORS = 500
REQUEST_TIMEOUT = 408
# What Slack asks for when it names no time: its limit is a message a second.
DEFAULT_WAIT = 1.0


def send(parcel: Parcel) -> Receipt:
    """Send one delivery. Raises DeliveryError."""
    with told_apart():
        return SENDERS[parcel.kind](parcel)


# --- the five kinds ---


def page(parcel: Parcel) -> Receipt:
    """Post the message; in a conversation that exists, below it and for all to see.

    A page must arrive: where somebody has deleted the conversation, it begins anew.
    """
    place, said = place_of(parcel), block_kit.page(parcel)
    if parcel.thread is None:
        return _post(parcel, place, **said)
    below = {"thread_ts": parcel.thread.ts, "reply_broadcast": True}
    try:
        return _post(parcel, place, **said, **below)
    except SlackApiError as error:
        if code_of(error) not in NO_THREAD:
            raise
    return _post(parcel, place, **said)


def update(parcel: Parcel) -> Receipt:
    """Redraw the first message of the conversation as things stand now."""
    if parcel.thread is None:
        return Receipt(answer="nothing to redraw")
    answer = client_of(parcel).chat_update(
        channel=parcel.thread.channel,
        ts=parcel.thread.ts,
        link_names=False,
        metadata=metadata(parcel),
        **block_kit.page(parcel),
    )
    return Receipt(provider_id=str(answer["ts"]), answer="ok", thread=parcel.thread)


def reply(parcel: Parcel) -> Receipt:
    """Add a line to the thread: who did what."""
    if parcel.thread is None:
        return Receipt(answer="no thread to add to")
    said = block_kit.line(parcel)
    return _post(parcel, parcel.thread.channel, **said, thread_ts=parcel.thread.ts)


def test(parcel: Parcel) -> Receipt:
    """Post a line that says that all is well."""
    return _post(parcel, place_of(parcel), **block_kit.test(parcel))


def answer(parcel: Parcel) -> Receipt:
    """Tell the person who pressed a button what came of it; nobody else sees it.

    https://docs.slack.dev/interactivity/handling-user-interaction#message_responses
    """
    require(parcel.address, hosts=HOOK_HOSTS)
    hook = WebhookClient(parcel.address, timeout=NETWORK_SECONDS, retry_handlers=[])
    hook.proxy = proxy_for(parcel.address, hook.proxy)
    got = hook.send_dict(
        {
            "response_type": "ephemeral",
            "replace_original": False,
            "text": block_kit.answer_text(parcel),
        }
    )
    if got.status_code != http.client.OK:
        raise refusal(got.status_code, got.body, got.headers)
    return Receipt(answer=got.body)


SENDERS: dict[str, Callable[[Parcel], Receipt]] = {
    "page": page,
    "update": update,
    "reply": reply,
    "test": test,
    "answer": answer,
}


def _post(parcel: Parcel, place: str, **said: Any) -> Receipt:
    got = client_of(parcel).chat_postMessage(
        channel=place,
        unfurl_links=False,
        unfurl_media=False,
        link_names=False,
        metadata=metadata(parcel),
        **said,
    )
    ts, thread_ts = str(got["ts"]), said.get("thread_ts")
    root = ThreadPlace(str(got["channel"]), thread_ts or ts)
    return Receipt(provider_id=ts, answer="ok", thread=root)


def metadata(parcel: Parcel) -> dict[str, Any]:
    """Return what tells twins apart after a doubtful attempt."""
    payload = {"delivery_id": str(parcel.delivery_id)}
    return {"event_type": EVENT_TYPE, "event_payload": payload}


# --- where to, and with whose token ---


def place_of(parcel: Parcel) -> str:
    """Return the channel; a Slack user's id opens a direct message with them."""
    place = parcel.address or str(parcel.settings.get("channel") or "")
    if not place:
        raise DeliveryError("the channel names no place in Slack", permanent=True)
    return place


def client_of(parcel: Parcel) -> WebClient:
    token = parcel.secret.get("bot_token") or settings.SLACK_BOT_TOKEN
    if not token:
        raise DeliveryError("the channel has no bot token", permanent=True)
    url = base_url(parcel)
    # We retry ourselves, from rows: the library's own retries would be unseen.
    client = WebClient(token, url, timeout=NETWORK_SECONDS, retry_handlers=[])
    client.proxy = proxy_for(url, client.proxy)
    return client


def base_url(parcel: Parcel) -> str:
    """Return the Web API's address: Slack's, or our own receiver in simulation."""
    url = str(parcel.settings.get("api_url") or "")
    if url:
        require(url, hosts=SLACK_HOSTS)
        return url
    if settings.SIMULATION:
        port = settings.PORT
        return f"http://127.0.0.1:{port}/outbox/slack/{parcel.tenant_id}/api/"
    return OFFICIAL


def require(url: str, *, hosts: tuple[str, ...]) -> None:
    """Refuse to call anybody but Slack: the address comes from outside.

    A loopback address is for the simulation and for tests.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host in LOOPBACK and (settings.SIMULATION or settings.ENVIRONMENT == "test"):
        return
    known = any(host == name or host.endswith(f".{name}") for name in hosts)
    if parts.scheme != "https" or not known:
        raise DeliveryError(f"{host or url} is not an address of Slack", permanent=True)


def proxy_for(url: str, proxy: str | None) -> str | None:
    """Return the proxy; none for a loopback address, which no proxy can reach."""
    return None if urlsplit(url).hostname in LOOPBACK else proxy


# --- what went wrong ---


@contextmanager
def told_apart() -> Iterator[None]:
    """Turn what slack_sdk and urllib raise into DeliveryError.

    urllib wraps in URLError what happens until the request is written, and nothing
    after: what comes bare came while waiting for the answer, so Slack may have acted.
    """
    try:
        yield
    except SlackApiError as error:
        raise complaint(error) from error
    except SlackClientError as error:
        raise DeliveryError(str(error), permanent=True) from error
    except URLError as error:
        raise DeliveryError(f"Slack cannot be reached: {error.reason}") from error
    except (OSError, http.client.HTTPException) as error:
        reason = f"no answer: {type(error).__name__} {error}".strip()
        raise DeliveryError(reason, ambiguous=True) from error


def complaint(error: SlackApiError) -> DeliveryError:
    """Return what Slack's answer means: an HTTP status, or `ok: false` with a code."""
    got, code = error.response, code_of(error)
    if got.status_code != http.client.OK:
        return refusal(got.status_code, code, got.headers)
    if code in ("ratelimited", "rate_limited"):
        return DeliveryError(code, retry_after=seconds_of(got.headers))
    return DeliveryError(code, permanent=code in PERMANENT)


def code_of(error: SlackApiError) -> str:
    data = error.response.data
    found = data.get("error") if isinstance(data, dict) else None
    return str(found or "no reason")


def refusal(status: int, text: str, headers: Any) -> DeliveryError:
    """Return what an HTTP status other than 200 means."""
    reason = f"HTTP {status}: {text}"
    if status == TOO_MANY:
        return DeliveryError(reason, retry_after=seconds_of(headers))
    passing = status >= SERVER_ERRORS or status == REQUEST_TIMEOUT
    return DeliveryError(reason, permanent=not passing)


def seconds_of(headers: Any) -> float:
    """Return Retry-After's seconds. https://docs.slack.dev/apis/web-api/rate-limits"""
    for name, value in dict(headers or {}).items():
        if str(name).lower() == "retry-after":
            text = str(value[0] if isinstance(value, list) else value).strip()
            return float(text) if text.isdecimal() else DEFAULT_WAIT
    return DEFAULT_WAIT
