"""Which alerts does an Opsgenie search find, and which page of them is shown?

https://support.atlassian.com/opsgenie/docs/search-queries-for-alerts/
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import HttpRequest, QueryDict

from alertcenter.alerts.models import Alert
from alertcenter.alerts.sources.adapter import storable
from alertcenter.api.opsgenie_shapes import PRIORITIES, unprocessable

MOST_LISTED = 100
MOST_OFFSET = 20_000

SORTS = {
    "createdAt": "starts_at",
    "updatedAt": "last_at",
    "lastOccurredAt": "last_at",
    "tinyId": "starts_at",
    "alias": "dedup_key",
    "message": "title",
    "status": "state",
    "count": "count",
    "priority": "-severity",
    "source": "source",
}


@dataclass(frozen=True)
class Page:
    """Which part of a list is wanted, and in which order."""

    offset: int
    limit: int
    sort: str
    descending: bool

    @property
    def order(self) -> tuple[str, str]:
        field = SORTS.get(self.sort, "starts_at")
        turned = field.startswith("-") != self.descending
        return ("-" if turned else "") + field.lstrip("-"), "id"

    def links(self, request: HttpRequest, total: int) -> dict[str, str]:
        """Return the addresses of the neighbouring pages."""

        def at(offset: int) -> str:
            query = request.GET.copy()
            query["offset"], query["limit"] = str(offset), str(self.limit)
            path = request.build_absolute_uri(request.path)
            return f"{path}?{urlencode(query)}"

        links = {"first": at(0)}
        if total > self.offset + self.limit:
            links["next"] = at(self.offset + self.limit)
        if self.offset:
            links["prev"] = at(max(0, self.offset - self.limit))
        links["last"] = at(max(0, (total - 1) // self.limit * self.limit))
        return links


def page_of(query: QueryDict) -> Page:
    """Return the page. Raises Refused."""
    return Page(
        number_in(query, "offset", 0, 0, MOST_OFFSET),
        number_in(query, "limit", 20, 1, MOST_LISTED),
        query.get("sort", "createdAt"),
        query.get("order", "desc").lower() != "asc",
    )


def number_in(query: QueryDict, name: str, usual: int, least: int, most: int) -> int:
    given = query.get(name, str(usual))
    if not given.isdecimal() or len(given) > 9 or not least <= int(given) <= most:
        raise unprocessable(f"{name}: should be between {least} and {most}")
    return int(given)


# Spaces are never given back: a run of them would take the cube of its length.
TERM = re.compile(
    r"""\s*+(?P<join>\b(?:AND|OR)\b)?\s*+(?P<not>\bNOT\b\s*+)?
    (?:(?P<field>[A-Za-z.]+)\s*+(?P<op>[:=<>]{1,2})\s*+)?
    (?P<value>"[^"]*"|\([^)]*\)|[^\s]+)""",
    re.VERBOSE,
)
MOST_TERMS = 20


def found(tenant_id: UUID, query: str) -> QuerySet[Alert]:
    """Return the alerts that a search finds. Raises Refused.

    `status: open AND priority: P1`, `tag: db`, `alias: x*`, `message: "disk"`, words;
    AND binds before OR, as in Opsgenie. Parentheses hold one field's values by OR.
    """
    mine = Alert.objects.filter(tenant_id=tenant_id, episode_id__isnull=False)
    whole, last = Q(), Q()
    terms = list(TERM.finditer(storable(query[:1_000])))
    if len(terms) > MOST_TERMS:
        raise unprocessable(f"query: more than {MOST_TERMS} terms")
    for term in terms:
        one = judged(term)
        one = ~one if term["not"] else one
        if term["join"] == "OR":
            whole, last = whole | last if whole else last, one
        else:
            last = last & one
    return mine.filter(whole | last if whole else last)


def judged(term: re.Match[str]) -> Q:
    """Return one term's condition."""
    field, value = (term["field"] or "").lower(), term["value"]
    if value.startswith("(") and field:
        values = re.split(r"\s+OR\s+|\s+", value.strip("()").strip())
        both = Q()
        for one in values:
            both |= condition(field, one.strip('"'), "=")
        return both
    return condition(field, value.strip('"'), term["op"] or ":")


def condition(field: str, value: str, operator: str) -> Q:
    if field == "status":
        return Q(state="firing" if value.lower() == "open" else "resolved")
    if field == "priority":
        level = PRIORITIES.get(value.upper())
        if level is None:
            raise unprocessable("query: priority should be one of P1 to P5")
        # P1 is the highest: "<" asks for what is more urgent.
        compared = {
            "<": "severity__gt",
            ">": "severity__lt",
            "<=": "severity__gte",
            ">=": "severity__lte",
        }
        return Q(**{compared.get(operator, "severity"): level})
    if field in ("tag", "tags"):
        return Q(labels__tags__icontains=value)
    if field == "alias":
        ending = "/" + value.rstrip("*")
        return (
            Q(dedup_key__contains=ending)
            if value.endswith("*")
            else Q(dedup_key__endswith=ending)
        )
    if field in ("entity", "source", "teams", "team"):
        name = "team" if field == "teams" else field
        return Q(**{f"labels__{name}__icontains": value})
    if field in ("createdat", "updatedat", "lastoccurredat"):
        return since(field, value, operator)
    if field == "acknowledged":
        held = Q(memberships__left_at=None) & (
            Q(memberships__group__state="acknowledged")
            | Q(memberships__acked_at__isnull=False)
        )
        mine = Alert.objects.filter(held).values("pk")
        return Q(pk__in=mine) if value.lower() == "true" else ~Q(pk__in=mine)
    if field.startswith("details."):
        return Q(labels__contains={field.removeprefix("details."): value})
    if field in ("", "message"):
        return Q(title__icontains=value.rstrip("*"))
    if field == "description":
        return Q(annotations__description__icontains=value)
    raise unprocessable(f"query: there is no field {field[:50]}")


def since(field: str, value: str, operator: str) -> Q:
    """Return a condition on a time, which comes as milliseconds since 1970."""
    if not value.isdecimal() or len(value) > 14:
        raise unprocessable(f"query: {field} should be milliseconds since 1970")
    moment = datetime.fromtimestamp(int(value) / 1000, UTC)
    column = "starts_at" if field == "createdat" else "last_at"
    compared = {">": "gt", ">=": "gte", "<": "lt", "<=": "lte"}.get(operator, "gte")
    return Q(**{f"{column}__{compared}": moment})
