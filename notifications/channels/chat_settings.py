"""What do chats ask for in the admin? The settings that several of them share."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notifications.channels.base import Setting
from notifications.channels.chat import is_web

# What a list can show of a channel whose address is a secret.
PLACE = Setting(
    "place",
    gettext_lazy("Channel's name"),
    gettext_lazy("As people there call it; shown in lists, nothing depends on it."),
)


def named_place(settings: Mapping[str, Any]) -> str:
    return str(settings.get("place") or "")


def needs(
    *names: str,
) -> Callable[[Mapping[str, Any], Mapping[str, str]], dict[str, Any]]:
    """Return a check that asks for secrets; the simulation needs no real ones."""

    def check(given: Mapping[str, Any], held: Mapping[str, str]) -> dict[str, Any]:
        missing = [n for n in names if not given.get(n) and not held.get(n)]
        if settings.SIMULATION:
            return {}
        return {name: _("This field is required.") for name in missing}

    return check


def a_hook(pattern: str, example: str) -> Callable[[str], str]:
    """Return a check of a vendor's webhook address, whose path has this pattern."""
    wanted = re.compile(pattern)

    def check(url: str) -> str:
        url = url.strip()
        parts = urlsplit(url) if is_web(url) else None
        if parts is None or parts.scheme != "https" or not wanted.search(parts.path):
            text = _("The address looks like %(example)s.")
            raise ValidationError(text % {"example": example})
        return url

    return check


def a_token(pattern: str, example: str) -> Callable[[str], str]:
    """Return a check of a vendor's token."""
    wanted = re.compile(pattern)

    def check(token: str) -> str:
        token = token.strip()
        if not wanted.fullmatch(token):
            text = _("This looks like %(example)s.")
            raise ValidationError(text % {"example": example})
        return token

    return check
