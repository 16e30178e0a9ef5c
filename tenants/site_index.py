"""What does the admin's first page show: sections, key numbers, first steps?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import models
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

# The order of the first page and of the side bar; admins name their section.
SECTIONS = {
    "alerts": _("Alerts"),
    "rules": _("Rules and routes"),
    "quiet": _("Quiet"),
    "escalation": _("Who is told, and when"),
    "channels": _("Channels and messages"),
    "people": _("People and keys"),
    "history": _("History"),
    "platform": _("Platform"),
}
MOST_COUNTED = 10_000


@dataclass(frozen=True)
class KeyNumber:
    """A number on the first page, with the list behind it."""

    label: Any
    rows: Callable[[UUID], models.QuerySet[Any]]
    url: Callable[[], str]
    alarming: bool = False
    position: int = 50


@dataclass(frozen=True)
class FirstStep:
    """One line of the checklist; `position` orders the lines of all rooms."""

    position: int
    label: Any
    is_done: Callable[[UUID], bool]
    url: Callable[[], str]


def sections(site: Any, request: HttpRequest) -> list[dict[str, Any]]:
    """Return the app list of the templates, by our sections."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in SECTIONS}
    for app in site._build_app_dict(request).values():
        for entry in app["models"]:
            model_admin = site._registry[entry["model"]]
            section = getattr(model_admin, "section", "platform")
            found[section].append(entry | {"order": model_admin_order(model_admin)})
    return [section_entry(name, entries) for name, entries in found.items() if entries]


def model_admin_order(model_admin: Any) -> int:
    """Return the place of a model inside its section."""
    order: int = getattr(model_admin, "section_order", 50)
    return order


def section_entry(name: str, entries: list[dict[str, Any]]) -> dict[str, Any]:
    entries.sort(key=lambda entry: (entry["order"], str(entry["name"])))
    return {
        "name": SECTIONS[name],
        "app_label": name,
        "app_url": f"{reverse('admin:index')}#section-{name}",
        "has_module_perms": True,
        "models": entries,
    }


def index_context(site: Any, request: HttpRequest) -> dict[str, Any]:
    """Return the key numbers and the checklist of the current tenant."""
    membership = getattr(request, "membership", None)
    if membership is None:
        return {"numbers": [], "first_steps": [], "steps_left": 0}
    steps = [
        {
            "label": step.label,
            "done": step.is_done(membership.tenant_id),
            "url": step.url(),
        }
        for step in sorted(site.steps, key=lambda step: step.position)
    ]
    numbers = sorted(site.numbers, key=lambda number: number.position)
    return {
        "numbers": [shown(number, membership.tenant_id) for number in numbers],
        "first_steps": steps,
        "steps_left": sum(not step["done"] for step in steps),
    }


def shown(number: KeyNumber, tenant_id: UUID) -> dict[str, Any]:
    """Count, but never beyond MOST_COUNTED rows."""
    rows = number.rows(tenant_id).order_by()
    count = rows.values("pk")[: MOST_COUNTED + 1].count()
    return {
        "label": number.label,
        "count": min(count, MOST_COUNTED),
        "more": count > MOST_COUNTED,
        "url": number.url(),
        "alarming": number.alarming and count > 0,
    }
