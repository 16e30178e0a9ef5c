"""How are open groups paged by urgency? By place, so that no page is slow or repeated.

DRF's cursor knows a place by one column and an offset; thousands of groups share one
priority.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import NotFound
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param
from rest_framework.views import APIView

from alertcenter.alerts import worst_first
from alertcenter.alerts.models import Group
from alertcenter.api import filters
from alertcenter.api.base import Pages


def answer(
    groups: QuerySet[Group], states: Sequence[str], view: APIView, serializer: Any
) -> Response:
    """Return the page that the request asks for; pages lead forward only."""
    request = view.request
    wanted = states or worst_first.OPEN_STATES
    if "resolved" in wanted:
        raise filters.bad("order", _("only open groups are read by priority"))
    size = Pages("pk").get_page_size(request) or Pages.page_size
    places = worst_first.read(
        groups,
        lambda mine: mine.values(*worst_first.COLUMNS),
        limit=size + 1,
        after=_after(request.GET.get("cursor", "")),
        states=dict.fromkeys(wanted),
    )
    found = groups.in_bulk([row["id"] for row in places[:size]])
    rows = [found[row["id"]] for row in places[:size] if row["id"] in found]
    following = None
    if len(places) > size:
        cursor = worst_first.cursor(places[size - 1])
        address = request.build_absolute_uri()
        following = replace_query_param(address, "cursor", cursor)
    results = serializer(rows, many=True).data
    return Response({"next": following, "previous": None, "results": results})


def _after(cursor: str) -> worst_first.Place | None:
    if not cursor:
        return None
    try:
        return worst_first.parsed(cursor.replace(" ", "+"))
    except ValueError as error:
        raise NotFound(Pages.invalid_cursor_message) from error
