"""Which kinds of steps are there? Every class in the KINDS of a module beside this."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

import escalation.steps
from escalation.steps.base import Kind

WAIT = "wait"


@cache
def kinds() -> Mapping[str, Kind]:
    """Return the kinds by name, in the order in which lists show them."""
    found: list[Kind] = []
    for info in pkgutil.iter_modules(escalation.steps.__path__):
        module = importlib.import_module(f"{escalation.steps.__name__}.{info.name}")
        found += [kind() for kind in getattr(module, "KINDS", ())]
    ordered = sorted(found, key=lambda kind: kind.position)
    return MappingProxyType({kind.name: kind for kind in ordered})


def kind_of(name: str) -> Kind:
    """Return a kind. Raises KeyError for an unknown one."""
    return kinds()[name]


def choices() -> list[tuple[str, Any]]:
    """Return (name, label) of all kinds, for forms and lists."""
    return [(name, kind.label) for name, kind in kinds().items()]


def who(plan: Mapping[str, Any]) -> str:
    """Return whom a step of a snapshot tells; of an unknown kind, what it says."""
    kind = kinds().get(plan["kind"])
    return (kind.who(plan) if kind else "") or str(plan.get("who") or "")


def words(plan: Mapping[str, Any]) -> str:
    """Return a step of a snapshot as a sentence."""
    kind = kinds().get(plan["kind"])
    return kind.words(plan) if kind else str(plan["kind"])
