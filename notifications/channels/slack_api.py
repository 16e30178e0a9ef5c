"""How is Slack's Web API called, and what do its refusals mean?

For the channel, and for everything else that speaks to Slack: forms, the home tab,
people, user groups. https://docs.slack.dev/reference/methods
"""

from __future__ import annotations

import http.client
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.error import URLError
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from notifications.channels.base import NETWORK_SECONDS, DeliveryError

# The library writes whole requests and answers down, tokens included, where logs are
# set to DEBUG.
QUIET = logging.getLogger("notifications.slack_sdk")
QUIET.setLevel(logging.WARNING)

OFFICIAL = "https://slack.com/api/"
SLACK_HOSTS = ("slack.com", "slack-gov.com")
HOOK_HOSTS = ("hooks.slack.com", "hooks.slack-gov.com")
LOOPBACK = ("127.0.0.1", "localhost", "::1")

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
TOO_MANY = 429
SERVER_ERRORS = 500
REQUEST_TIMEOUT = 408
# What Slack asks for when it names no time: its limit is a message a second.
DEFAULT_WAIT = 1.0


def web_client(
    tenant_id: UUID,
    given: Mapping[str, Any],
    secret: Mapping[str, str],
    *,
    seconds: float = NETWORK_SECONDS,
) -> WebClient:
    """Return a client for a channel's settings and secrets. Raises DeliveryError."""
    token = secret.get("bot_token") or settings.SLACK_BOT_TOKEN
    if not token:
        raise DeliveryError("the channel has no bot token", permanent=True)
    return client_at(base_url(tenant_id, given), token, seconds)


def client_at(url: str, token: str | None, seconds: float) -> WebClient:
    # We retry ourselves, from rows: the library's own retries would be unseen.
    client = WebClient(
        token,
        url,
        timeout=seconds,  # type: ignore[arg-type]
        retry_handlers=[],
        logger=QUIET,
    )
    client.proxy = proxy_for(url, client.proxy)
    return client


def base_url(tenant_id: UUID, given: Mapping[str, Any]) -> str:
    """Return the Web API's address: Slack's, or our own receiver in simulation."""
    url = str(given.get("api_url") or "")
    if url:
        require(url, hosts=SLACK_HOSTS)
        return url
    if settings.SIMULATION:
        port = settings.PORT
        return f"http://127.0.0.1:{port}/outbox/slack/{tenant_id}/api/"
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
