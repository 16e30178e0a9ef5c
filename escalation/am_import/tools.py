"""Which channels do receivers of other tools and chats become?

Fields as of Alertmanager 0.28 (config/notifiers.go). What a kind of channel takes is
said by its SPEC; a kind that is not installed here is lost like one we never had.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from alertcenter.common.outbound import OutboundError, check_url
from escalation.am_import.reading import (
    Lost,
    Made,
    place_of_secret,
    secret_of,
    templated,
    text_of,
)
from notifications.channels.registry import spec_of

# What a section's kind is called here, where it has another name.
KINDS = {"msteams": "teams", "msteamsv2": "teams"}
# The secret by which a channel of the kind is recognised.
LEADS_BY = {
    "pagerduty": "routing_key",
    "opsgenie": "api_key",
    "discord": "webhook_url",
    "teams": "webhook_url",
}
COMMON = {"send_resolved", "http_config"}
CARRIED = {
    "pagerduty": COMMON | {"routing_key", "routing_key_file", "url"},
    "opsgenie": COMMON | {"api_key", "api_key_file", "api_url", "tags", "responders"},
    "telegram": COMMON
    | {"bot_token", "bot_token_file", "chat_id", "message_thread_id"},
    "discord": COMMON | {"webhook_url", "webhook_url_file"},
    "msteams": COMMON | {"webhook_url", "webhook_url_file"},
    "msteamsv2": COMMON | {"webhook_url", "webhook_url_file"},
}
# Alertmanager's own default of send_resolved.
RESOLVES = frozenset(CARRIED)
ENQUEUE = "/v2/enqueue"
REGIONS = {
    "https://events.pagerduty.com": "us",
    "https://events.eu.pagerduty.com": "eu",
    "https://api.opsgenie.com": "us",
    "https://api.eu.opsgenie.com": "eu",
    "https://api.atlassian.com/jsm/ops/integration": "jsm",
}


def pagerduty(
    item: Mapping[str, Any], settings: Mapping[str, Any], notes: list[str]
) -> Made:
    """The key of an Events v2 integration, and its region."""
    if not item.get("routing_key") and not item.get("routing_key_file"):
        raise Lost(_("only integrations of the kind Events API v2 are told."))
    key = secret_of(item, "routing_key", {})
    url = text_of(item, "url") or text_of(settings, "pagerduty_url")
    given = region_of(url.removesuffix(ENQUEUE))
    return place_of_secret(key), given, {"routing_key": key}


def opsgenie(
    item: Mapping[str, Any], settings: Mapping[str, Any], notes: list[str]
) -> Made:
    """The key of an API integration, its region, tags and teams."""
    key = secret_of(item, "api_key", settings, "opsgenie_api_key")
    url = text_of(item, "api_url") or text_of(settings, "opsgenie_api_url")
    given = region_of(url)
    tags = [tag.strip() for tag in text_of(item, "tags").split(",") if tag.strip()]
    teams, others = [], False
    for one in item.get("responders") or []:
        name = text_of(one, "name") if isinstance(one, dict) else ""
        plain = name and not templated(name) and one.get("type") == "team"
        teams += [name] if plain else []
        others = others or not plain
    if others or any(map(templated, tags)):
        notes.append(
            _("Tags that are templates and responders other than teams are not.")
        )
    given["tags"] = [tag for tag in tags if not templated(tag)]
    given["teams"] = teams
    return place_of_secret(key), given, {"api_key": key}


def region_of(url: str) -> dict[str, Any]:
    """Return the settings for an address. Raises Lost for one that cannot be called."""
    address = url.rstrip("/")
    if not address:
        return {"region": "us"}
    if address in REGIONS:
        return {"region": REGIONS[address]}
    try:
        return {"region": "us", "api_url": check_url(address)}
    except OutboundError as error:
        raise Lost(_("its address cannot be called.")) from error


def telegram(
    item: Mapping[str, Any], settings: Mapping[str, Any], notes: list[str]
) -> Made:
    """The bot's token and the chat's id."""
    token = secret_of(item, "bot_token", settings, "telegram_bot_token")
    chat = str(item.get("chat_id") or "")
    topic = str(item.get("message_thread_id") or "")
    return chat, {"chat_id": chat, "message_thread_id": topic}, {"bot_token": token}


def by_webhook(
    item: Mapping[str, Any], settings: Mapping[str, Any], notes: list[str]
) -> Made:
    """The address, which is the key as well."""
    url = secret_of(item, "webhook_url", {})
    return place_of_secret(url), {}, {"webhook_url": url}


MAKERS: dict[str, Callable[..., Made]] = {
    "pagerduty": pagerduty,
    "opsgenie": opsgenie,
    "telegram": telegram,
    "discord": by_webhook,
    "msteams": by_webhook,
    "msteamsv2": by_webhook,
}


def need_kind(section: str) -> str:
    """Return what a section's kind is called here. Raises Lost for one we lack."""
    kind = KINDS.get(section, section)
    try:
        spec_of(kind)
    except KeyError as error:
        words = _("there are no channels of the kind %(kind)s here.")
        raise Lost(words % {"kind": section}) from error
    return kind


def need_acceptable(
    kind: str, given: Mapping[str, Any], secrets: Mapping[str, str]
) -> None:
    """Raise Lost for what the kind's own page would refuse."""
    for setting in spec_of(kind).settings:
        value = (secrets if setting.secret else given).get(setting.name)
        if setting.check is None or value in (None, "", []):
            continue
        try:
            setting.check(value)
        except ValidationError as error:
            raise Lost(" ".join(error.messages)) from error
