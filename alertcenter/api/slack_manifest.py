"""What must Slack know of us? The manifest of our app, for this installation.

https://docs.slack.dev/reference/app-manifest
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import quote, urlsplit

import yaml
from django.urls import reverse

from alertcenter.api.slack_story import SHORTCUT

NAME = "AlertCenter"
COLOUR = "#1f2a44"
CREATE = "https://api.slack.com/apps?new_app=1&manifest_yaml="

# Each scope, and what it is for. https://docs.slack.dev/reference/scopes
SCOPES: Mapping[str, str] = {
    "chat:write": "post and redraw messages",
    "chat:write.public": "post in public channels without being invited",
    "commands": "/alert and the shortcut",
    "channels:history": "hear replies in threads of public channels",
    "groups:history": "hear replies in threads of private channels",
    "links:read": "see links to our pages",
    "links:write": "say what they are",
    "files:write": "add charts to threads",
    "users:read": "with the next: find members",
    "users:read.email": "find members by their address",
    "usergroups:read": "with the next: keep a user group in step",
    "usergroups:write": "set who is in @oncall",
}
EVENTS = ("app_home_opened", "link_shared", "message.channels", "message.groups")


def manifest(base_url: str) -> dict[str, Any]:
    """Return the manifest with this installation's addresses filled in."""
    features: dict[str, Any] = {
        "app_home": {
            "home_tab_enabled": True,
            "messages_tab_enabled": True,
            "messages_tab_read_only_enabled": True,
        },
        "bot_user": {"display_name": NAME, "always_online": True},
        "shortcuts": [
            {
                "name": "Add to timeline",
                "type": "message",
                "callback_id": SHORTCUT,
                "description": "Keep this message in an alert's story",
            }
        ],
        "slash_commands": [
            {
                "command": "/alert",
                "url": base_url + reverse("slack-commands"),
                "description": "See and handle alerts",
                "usage_hint": "list | ack 12 | page @anna 12 | oncall | help",
                "should_escape": True,
            }
        ],
    }
    if domain := unfurl_domain(base_url):
        features["unfurl_domains"] = [domain]
    return {
        "display_information": {
            "name": NAME,
            "description": "Alerts and on-call",
            "background_color": COLOUR,
        },
        "features": features,
        "oauth_config": {
            "redirect_urls": [base_url + reverse("slack-oauth-callback")],
            "scopes": {"bot": list(SCOPES)},
        },
        "settings": {
            "event_subscriptions": {
                "request_url": base_url + reverse("slack-events"),
                "bot_events": list(EVENTS),
            },
            "interactivity": {
                "is_enabled": True,
                "request_url": base_url + reverse("slack-interactions"),
            },
            "org_deploy_enabled": False,
            "socket_mode_enabled": False,
            "token_rotation_enabled": False,
        },
    }


def unfurl_domain(base_url: str) -> str:
    """Return the domain whose links Slack tells us of; "" where it is none.

    https://docs.slack.dev/messaging/unfurling-links-in-messages: no address, no port.
    """
    host = urlsplit(base_url).hostname or ""
    try:
        ip_address(host)
    except ValueError:
        return host if "." in host else ""
    return ""


def as_yaml(base_url: str) -> str:
    return yaml.safe_dump(manifest(base_url), sort_keys=False, allow_unicode=True)


def create_url(base_url: str) -> str:
    """Return the link that begins a new app in Slack with this manifest."""
    return CREATE + quote(as_yaml(base_url), safe="")
