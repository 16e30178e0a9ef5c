"""Which alerts does a query of Alerta find, in which order, and how many?

https://docs.alerta.io/api/query-syntax.html
A condition that is not understood is refused and never left out: `alerta close` closes
whatever the query finds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import (
    Case,
    CharField,
    Count,
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce, Now
from django.http import QueryDict

from alertcenter.alerts.models import Alert, GroupAlert
from alertcenter.alerts.sources.shapes import moment
from alertcenter.api.alerta_shapes import SAME, WORD, bad

MOST_LISTED = 1_000
USUAL_LISTED = 50
MOST_PAGES = 10_000
LONGEST_PATTERN = 200
LONGEST_QUERY = "5s"
SHORTEST_ID = 8
# Alerta's housekeeping deletes what has been closed for so long; here it is only left
# out of lists that do not ask for it.
SHOWN_CLOSED = timedelta(hours=2)

FIELDS = {
    name: f"a_{name}"
    for name in (
        "resource", "event", "environment", "severity", "status", "service", "group",
        "tags",
    )
} | {
    "tag": "a_tags",
    "customer": "labels__customer",
    "origin": "labels__origin",
    "text": "annotations__description",
    "value": "annotations__value",
}  # fmt: skip
LISTS = ("a_service", "a_tags")
SORTS = FIELDS | {
    "lastReceiveTime": "last_at",
    "receiveTime": "starts_at",
    "createTime": "starts_at",
    "updateTime": "state_at",
    "duplicateCount": "count",
    "severity": "-severity",
}
# What stands in a query and is no condition.
RESERVED = (
    "q", "page", "page-size", "limit", "sort-by", "reverse", "from-date", "to-date",
    "id", "_", "show-raw-data", "show-history", "group-by", "offset",
)  # fmt: skip


def hurry() -> None:
    """Let the transaction's statements end soon: a regular expression that somebody
    sends may take the database years."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = %s", [LONGEST_QUERY])


def label(*names: str, usual: str = "") -> Coalesce:
    found = [KeyTextTransform(name, "labels") for name in names]
    return Coalesce(*found, Value(usual), output_field=CharField())


def everything(tenant_id: UUID) -> QuerySet[Alert]:
    """Return the tenant's alerts with Alerta's fields as `a_…`."""
    member = GroupAlert.objects.filter(
        tenant_id=tenant_id, alert_id=OuterRef("pk"), left_at=None
    )
    acked = Q(acked_at__isnull=False) | Q(group__state="acknowledged")
    words = [
        When(Q(severity=level, labels__severity=same), then=Value(same))
        for level, others in SAME.items()
        for same in others
    ]
    rows = Alert.objects.filter(tenant_id=tenant_id, episode_id__isnull=False)
    annotated: QuerySet[Alert] = rows.annotate(
        a_resource=Coalesce(
            *(
                KeyTextTransform(name, "labels")
                for name in ("resource", "instance", "host", "hostname")
            ),
            F("source"),
            output_field=CharField(),
        ),
        a_event=Coalesce(
            KeyTextTransform("alertname", "labels"),
            F("title"),
            output_field=CharField(),
        ),
        a_environment=label("environment", "env"),
        a_service=label("service"),
        a_group=label("group", usual="Misc"),
        a_tags=label("tags"),
        a_status=Case(
            When(~Q(state="firing") & Q(closed_by="timeout"), then=Value("expired")),
            When(~Q(state="firing"), then=Value("closed")),
            When(Exists(member.filter(group__state="snoozed")), then=Value("shelved")),
            When(Exists(member.filter(acked)), then=Value("ack")),
            default=Value("open"),
            output_field=CharField(),
        ),
        a_severity=Case(
            When(~Q(state="firing") & Q(closed_by="source"), then=Value("normal")),
            *words,
            *(When(severity=level, then=Value(word)) for level, word in WORD.items()),
            default=Value("unknown"),
            output_field=CharField(),
        ),
    )
    return annotated


def found(tenant_id: UUID, query: QueryDict) -> QuerySet[Alert]:
    """Return the alerts that a query finds. Raises Refused."""
    rows = everything(tenant_id)
    for given, values in query.lists():
        if "\0" in "".join([given, *values]):
            raise bad(f"a NUL character in {given.replace(chr(0), '')[:50]}")
        if given not in RESERVED:
            rows = narrowed(rows, given, values)
    if query.getlist("id"):
        wanted = Q()
        for one in query.getlist("id"):
            wanted |= by_id(one)
        rows = rows.filter(wanted)
    rows = rows.filter(*terms(query.get("q", "")))
    for name, operator in (("from-date", "gt"), ("to-date", "lte")):
        if query.get(name):
            at = moment(query[name])
            if at is None:
                raise bad(f"could not parse {name}")
            rows = rows.filter(**{f"last_at__{operator}": at})
    asked = {name.rstrip("!") for name in query} | set(
        re.findall(r"\bstatus(?=:)", query.get("q", ""))
    )
    if not asked & {"status", "id"}:
        recent = Q(last_at__gte=Now() - SHOWN_CLOSED)
        recent |= Q(ends_at__gte=Now() - SHOWN_CLOSED)
        rows = rows.filter(Q(state="firing") | recent)
    return rows


def by_id(given: str) -> Q:
    """Return the condition for an id, whole or its beginning. Raises Refused."""
    digits = given.replace("-", "").lower()
    if not re.fullmatch(rf"[0-9a-f]{{{SHORTEST_ID},32}}", digits):
        return Q(pk__in=[])
    least, most = UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))
    return Q(episode_id__gte=least, episode_id__lte=most)


def narrowed(
    rows: QuerySet[Alert], given: str, values: Iterable[str]
) -> QuerySet[Alert]:
    """Return what one parameter leaves: `name=a`, `name!=a`, `name=~a`, `name!=~a`."""
    name, no = given.rstrip("!"), given.endswith("!")
    field = FIELDS.get(name, "")
    if not field:
        if not re.fullmatch(r"[A-Za-z_][\w.-]{0,99}", name) or "__" in name:
            raise bad(f"unknown query parameter: {name[:50]}")
        # Not `labels__<name>`: Django takes "isnull" or "range" for words of its own.
        field = f"p_{len(rows.query.annotations)}"
        rows = rows.alias(**{field: label(name.removeprefix("attributes."))})
    either = Q()
    for value in values:
        either |= one_condition(field, value)
    return rows.filter(~either if no else either)


def one_condition(field: str, value: str) -> Q:
    if value.startswith("~"):
        return Q(**{f"{field}__iregex": pattern(value[1:])})
    if field in LISTS:
        return Q(**{f"{field}__regex": rf"(^|, ){re.escape(value)}(, |$)"})
    return Q(**{field: value})


def pattern(words: str) -> str:
    """Return a regular expression that the database takes as well. Raises Refused."""
    try:
        re.compile(words)
    except re.error as error:
        raise bad("not a regular expression") from error
    if len(words) > LONGEST_PATTERN or "(?" in words or "\0" in words:
        raise bad("not a regular expression")
    return words


TERM = re.compile(r'\s*(?:(\w+):)?("[^"]*"|[^\s":()]+)(?:\s+AND\b)?(?=\s|$)')


def terms(words: str) -> list[Q]:
    """Return the conditions of `q`: terms that all hold. Raises Refused."""
    both, at = [], 0
    words = words[:1_000].strip()
    while at < len(words):
        term = TERM.match(words, at)
        if term is None or term[2] in ("OR", "NOT", "AND") or term[2][0] in "-!+[{":
            raise bad('q takes terms of the form severity:"warning" AND resource:web')
        at = term.end()
        value = term[2].strip('"')
        if not term[1]:
            both.append(Q(title__icontains=value))
        elif term[1] not in FIELDS:
            raise bad(f"q: unknown field {term[1][:50]}")
        elif term[1] in ("status", "severity"):
            both.append(Q(**{FIELDS[term[1]]: value}))
        else:
            both.append(Q(**{f"{FIELDS[term[1]]}__icontains": value.strip("*")}))
    return both


@dataclass(frozen=True)
class Page:
    number: int
    size: int
    order: tuple[str, ...]

    def of(self, rows: QuerySet[Any]) -> list[Any]:
        begin = (self.number - 1) * self.size
        return list(rows.order_by(*self.order)[begin : begin + self.size])

    def told(self, total: int) -> dict[str, Any]:
        pages = -(-total // self.size)
        return {
            "page": self.number,
            "pageSize": self.size,
            "pages": pages,
            "more": pages > self.number,
            "total": total,
        }


def page_of(query: QueryDict) -> Page:
    """Return the page that is asked for, the latest first. Raises Refused."""
    order = []
    for name in query.getlist("sort-by") or ["lastReceiveTime"]:
        field = SORTS.get(name.lstrip("-"))
        if field is None:
            raise bad(f"cannot sort by {name[:50]}")
        turned = name.startswith("-") != field.startswith("-")
        # Times come with the latest first.
        turned = turned != (field.endswith("_at") or field == "count")
        turned = turned != bool(query.get("reverse"))
        order.append(("-" if turned else "") + field.lstrip("-"))
    size = query.get("page-size") or query.get("limit")
    return Page(
        number_in(query.get("page"), 1, MOST_PAGES),
        number_in(size, USUAL_LISTED, MOST_LISTED),
        (*order, "id"),
    )


def number_in(given: str | None, usual: int, most: int) -> int:
    if not given:
        return usual
    if not given.isdecimal() or len(given) > 9 or not 1 <= int(given) <= most:
        raise bad(f"page and page-size are numbers from 1 to {most}")
    return int(given)


def counts(rows: QuerySet[Alert], field: str) -> dict[str, int]:
    """Return how many alerts have which value of one field."""
    plain = rows.order_by().values_list(field)
    return {str(value): many for value, many in plain.annotate(many=Count("pk"))}
