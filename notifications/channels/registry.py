"""Which channels are there? Every module beside this one that has a SPEC."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, cast

import notifications.channels
from notifications.channels.base import Channel, Spec


@cache
def channels() -> Mapping[str, Channel]:
    """Return the channels' modules by kind, in the order of their names."""
    found: dict[str, Channel] = {}
    for info in pkgutil.iter_modules(notifications.channels.__path__):
        module = importlib.import_module(
            f"{notifications.channels.__name__}.{info.name}"
        )
        spec = getattr(module, "SPEC", None)
        if isinstance(spec, Spec):
            found[spec.kind] = cast(Channel, module)
    return MappingProxyType(found)


def channel_of(kind: str) -> Channel:
    """Return the channel's module. Raises KeyError for an unknown kind."""
    return channels()[kind]


def spec_of(kind: str) -> Spec:
    """Return what there is to know of a kind. Raises KeyError for an unknown one."""
    return channels()[kind].SPEC


def choices() -> list[tuple[str, Any]]:
    """Return (kind, label) of all kinds, for forms and lists."""
    return [(kind, module.SPEC.label) for kind, module in channels().items()]


def contact_choices() -> list[tuple[str, Any]]:
    """Return those on which a member can be reached."""
    return [
        (kind, module.SPEC.label)
        for kind, module in channels().items()
        if module.SPEC.contact
    ]


def tools() -> list[str]:
    """Return the kinds that no person reads."""
    return [k for k, module in channels().items() if not module.SPEC.for_people]
