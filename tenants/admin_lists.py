"""How do the admin's lists stay quick and closed on big tables?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from tenants import actors

MOST_COUNTED = 10_000
# What a list's filters put behind a column's name in the address.
FILTER_LOOKUPS = frozenset(
    ["exact", "isnull", "in", "gte", "gt", "lt", "lte", "year", "month", "day", "id"]
)


ACTORS = {
    actors.MEMBER: _("a member"),
    actors.OPERATOR: _("an operator"),
    actors.KEY: _("a key"),
    actors.SOURCE: _("a source"),
    actors.ENGINE: _("AlertCenter itself"),
    actors.LINK: _("a signed link"),
}


class ActorFilter(admin.SimpleListFilter):
    """By kind of author. Django's own filter would look at every row for the
    kinds there are."""

    title = _("actor")
    parameter_name = "actor_kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(ACTORS.items())

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        wanted = self.value()
        return queryset.filter(actor_kind=wanted) if wanted in ACTORS else queryset


class CappedPaginator(Paginator):
    """Counts at most MOST_COUNTED rows, and shows no page beyond them."""

    @cached_property
    def count(self) -> int:
        """Return the number of rows, MOST_COUNTED when there are more."""
        rows: Any = self.object_list
        if not hasattr(rows, "order_by"):
            return len(rows)
        found: int = rows.order_by().values("pk")[:MOST_COUNTED].count()
        return found


def lookup_is_listed(
    lookup: str,
    filters: Sequence[Any] | Callable[..., Any],
    date_hierarchy: str | None,
) -> bool:
    """Whether `lookup` of an address belongs to one of the list's own filters.

    Anything else (`secret__startswith`, `member__user__password__gt`) would let
    a reader guess columns he cannot see.
    """
    if callable(filters):
        return False
    names = {item[0] if isinstance(item, list | tuple) else item for item in filters}
    listed = {
        name if isinstance(name, str) else getattr(name, "parameter_name", "")
        for name in names
    }
    if date_hierarchy:
        listed.add(date_hierarchy)
    parts = lookup.split("__")
    while len(parts) > 1 and parts[-1] in FILTER_LOOKUPS:
        parts.pop()
    return "__".join(parts) in listed


class SearchedSelect(AutocompleteSelect):
    """A choice that is searched for; one that is no id is none.

    Django looks for what was sent when it shows the refused form again, and fails on
    a text that no id can be.
    """

    def optgroups(self, name: str, value: Any, attr: Any = None) -> Any:
        try:
            return super().optgroups(name, value, attr)
        except ValidationError:
            return super().optgroups(name, [""], attr)
