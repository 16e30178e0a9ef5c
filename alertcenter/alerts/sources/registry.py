"""Which adapters are there? Every file of this room that has an `ADAPTER`."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

import alertcenter.alerts.sources as room
from alertcenter.alerts.sources.adapter import Adapter


@cache
def adapters() -> dict[str, Adapter]:
    """Return all adapters by their name in URLs, sorted."""
    found = {}
    for module in iter_modules(room.__path__):
        file = import_module(f"{room.__name__}.{module.name}")
        adapter = getattr(file, "ADAPTER", None)
        if isinstance(adapter, Adapter):
            found[adapter.name] = adapter
    return dict(sorted(found.items()))


def find(name: str) -> Adapter | None:
    """Return the adapter with this name; `-`, `_` and capitals do not matter."""
    return adapters().get(name.lower().replace("-", "_"))


@cache
def headers() -> frozenset[str]:
    """Return the lower-case names of all headers that some adapter reads."""
    return frozenset(
        name for adapter in adapters().values() for name in adapter.headers
    )
