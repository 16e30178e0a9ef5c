"""How do the admin's lists stay quick and closed on big tables?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.core.paginator import Paginator
from django.utils.functional import cached_property

MOST_COUNTED = 10_000
# What a list's filters put behind a column's name in the address.
FILTER_LOOKUPS = frozenset(
    ["exact", "isnull", "in", "gte", "gt", "lt", "lte", "year", "month", "day", "id"]
)


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
    listed = {name for name in names if isinstance(name, str)}
    if date_hierarchy:
        listed.add(date_hierarchy)
    parts = lookup.split("__")
    while len(parts) > 1 and parts[-1] in FILTER_LOOKUPS:
        parts.pop()
    return "__".join(parts) in listed
