"""What do all integrations of alertmanager.yml have in common?"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from escalation.am_export import HIDDEN

# Where it leads, its settings, its secrets.
Made = tuple[str, dict[str, Any], dict[str, str]]


class Lost(Exception):
    """An integration that cannot be carried over; the message says why."""


def text_of(item: Mapping[str, Any], name: str) -> str:
    value = item.get(name)
    return value if isinstance(value, str) else ""


def templated(text: str) -> bool:
    """Whether Go would fill in something."""
    return "{{" in text


def note(notes: list[str], words: str) -> dict[str, str]:
    """Add a sentence; no secrets come of it."""
    notes.append(words)
    return {}


def secret_of(
    item: Mapping[str, Any], name: str, also: Mapping[str, Any], globally: str = ""
) -> str:
    """Return an integration's key, its own or the file's. Raises Lost for none."""
    own = text_of(item, name)
    if not own and item.get(f"{name}_file"):
        raise Lost(_("its key is in a file of the server that Alertmanager runs on."))
    value = own or text_of(also, globally)
    if not value and globally and also.get(f"{globally}_file"):
        raise Lost(_("its key is in a file of the server that Alertmanager runs on."))
    if HIDDEN in value:
        raise Lost(_("its key is hidden in this file."))
    if not value:
        raise Lost(_("it names no key."))
    if not value.isascii() or not value.isprintable() or templated(value):
        raise Lost(_("its key cannot be sent."))
    return value


def place_of_secret(value: str) -> str:
    """Return what tells one secret from another, and is none itself: it is where a
    channel leads whose key alone says so."""
    return hashlib.blake2b(value.encode(), digest_size=16).hexdigest()
