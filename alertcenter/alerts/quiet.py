"""Who is not to be told of an alert now, and because of what? Marks, never drops.

Silences (and maintenance) and inhibition are judged here, for alerts that changed,
for silences and rules that changed, and again before every step and every message.
What was found is marked on the alert's memberships; a group is quiet when each of
its firing members is. The next event sees an edit at once: a book of a tenant's
silences and rules is only kept while the tables say that nothing changed.

Whoever writes marks holds the tenant's lock, so that a new alert and a new silence
(or source) that do not see each other's rows cannot miss each other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from django.db import connection

from alertcenter.alerts import inhibition
from alertcenter.alerts.inhibition import Inhibitions, Pair, as_array
from alertcenter.alerts.lifecycle import GroupChange, change_groups
from alertcenter.alerts.matcher_index import MatcherIndex
from alertcenter.alerts.matchers import Matcher, MatcherError, parse
from alertcenter.alerts.severity import shown
from tenants.actors import THE_ENGINE, Actor

LOCK_CLASS = 4_243
decode = msgspec.json.Decoder(dict[str, str]).decode

# In force by the database's clock, that of the statement: a transaction that ends a
# silence sees it ended. One that recurs holds by the engine's last look.
IN_FORCE = """
tenant_id = %s AND ends_at > statement_timestamp() AND CASE WHEN recurrence = ''
  THEN starts_at <= statement_timestamp() ELSE in_force END
"""
SIGNATURE = f"""
SELECT (SELECT (count(*), max(updated_at), bit_xor(hashtext(id::text)))::text
    FROM silence WHERE {IN_FORCE}),
  (SELECT (count(*), max(updated_at))::text FROM inhibit_rule
   WHERE tenant_id = %s AND active)
"""
SILENCES = f"""
SELECT id, matchers, route_id, group_id FROM silence WHERE {IN_FORCE} ORDER BY id
"""


@dataclass(frozen=True, slots=True)
class Scope:
    """One silence in force, and where it holds: everywhere, a route, a group."""

    id: UUID
    route_id: UUID | None
    group_id: UUID | None

    def covers(self, route_id: UUID | None, group_id: UUID | None) -> bool:
        """Whether it holds for a membership."""
        return self.route_id in (None, route_id) and self.group_id in (None, group_id)


class QuietBook:
    """One tenant's silences in force and inhibit rules."""

    def __init__(
        self, silences: Sequence[tuple[Scope, Sequence[Matcher]]], rules: Inhibitions
    ) -> None:
        self._scopes = [scope for scope, _ in silences]
        self._index = MatcherIndex(matchers for _, matchers in silences)
        self.rules = rules

    def __bool__(self) -> bool:
        return bool(self._scopes or self.rules)

    def silences(self, labels: Mapping[str, str]) -> list[Scope]:
        """Return the silences in force that match."""
        return [self._scopes[number] for number in self._index.matching(labels)]


class QuietBooks:
    """The book of each tenant, kept while nothing changed."""

    def __init__(self) -> None:
        self._known: dict[UUID, tuple[tuple[Any, ...], QuietBook]] = {}

    def of(self, tenant_id: UUID) -> QuietBook:
        """Return the tenant's book as it stands (needs its context)."""
        with connection.cursor() as cursor:
            cursor.execute(SIGNATURE, [tenant_id, tenant_id])
            signature = cursor.fetchone()
        known = self._known.get(tenant_id)
        if known is None or known[0] != signature:
            known = self._known[tenant_id] = (signature, load(tenant_id))
        return known[1]


books = QuietBooks()


def load(tenant_id: UUID) -> QuietBook:
    """Read a tenant's silences in force and its rules (needs its context)."""
    found: list[tuple[Scope, Sequence[Matcher]]] = []
    with connection.cursor() as cursor:
        cursor.execute(SILENCES, [tenant_id])
        for pk, texts, route_id, group_id in cursor.fetchall():
            try:
                matchers = [parse(str(text)) for text in as_json(texts)]
            except MatcherError:
                continue  # refused where it is written
            if matchers:
                found.append((Scope(pk, route_id, group_id), matchers))
    return QuietBook(found, inhibition.load(tenant_id))


def as_json(value: Any) -> Any:
    """Return JSON read: raw cursors give it as text."""
    return msgspec.json.decode(value) if isinstance(value, str) else value


def as_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return rows as JSON, for a statement that takes them apart."""
    return msgspec.json.encode(rows).decode()


class Member(NamedTuple):
    """A firing alert in one group, with the marks it has there."""

    id: int
    group_id: UUID
    route_id: UUID | None
    alert_id: UUID
    severity: int
    labels: str
    silenced_by: list[UUID]
    inhibited_by: list[UUID]


MEMBERS = """
SELECT m.id, m.group_id, g.route_id, a.id, a.severity, a.labels::text,
  m.silenced_by, m.inhibited_by
FROM group_alert m
JOIN alert_group g ON g.tenant_id = m.tenant_id AND g.id = m.group_id
JOIN alert a ON a.tenant_id = m.tenant_id AND a.id = m.alert_id
WHERE m.tenant_id = %s AND m.left_at IS NULL AND {which}
"""
OF_ALERTS = MEMBERS.format(which="m.alert_id = ANY (%s::uuid[])")
OF_ENDED = """
SELECT DISTINCT ON (m.alert_id) m.id, m.group_id, g.route_id, a.id, a.severity,
  a.labels::text, m.silenced_by, m.inhibited_by
FROM group_alert m
JOIN alert_group g ON g.tenant_id = m.tenant_id AND g.id = m.group_id
JOIN alert a ON a.tenant_id = m.tenant_id AND a.id = m.alert_id
WHERE m.tenant_id = %s AND m.group_id = ANY (%s::uuid[]) AND m.left_at > %s
  AND a.state = 'resolved'
ORDER BY m.alert_id, m.left_at DESC LIMIT %s
"""
OF_GROUPS = """
SELECT w.* FROM unnest(%s::uuid[]) AS x(g) CROSS JOIN LATERAL (
""" + MEMBERS.format(which="m.group_id = x.g LIMIT %s) w")


@dataclass
class Judged:
    """What keeps one membership quiet now."""

    member: Member
    silenced_by: list[UUID] = field(default_factory=list)
    inhibited_by: list[UUID] = field(default_factory=list)

    @property
    def quiet(self) -> bool:
        return bool(self.silenced_by or self.inhibited_by)

    @property
    def changed(self) -> bool:
        """Whether the marks must be written anew."""
        member = self.member
        return (
            self.silenced_by != member.silenced_by
            or self.inhibited_by != member.inhibited_by
        )


def judge(tenant_id: UUID, book: QuietBook, members: Sequence[Member]) -> list[Judged]:
    """Return what keeps each of these quiet, by the book and the sources that fire."""
    if not book:
        return [Judged(member) for member in members]
    silences: dict[UUID, list[Scope]] = {}
    targets: dict[UUID, dict[Pair, bool]] = {}
    for member in members:
        if member.alert_id not in silences:
            labels = shown(decode(member.labels), member.severity)
            silences[member.alert_id] = book.silences(labels)
            targets[member.alert_id] = book.rules.as_target(labels)
    sources = inhibition.sources_of(
        tenant_id, {pair for pairs in targets.values() for pair in pairs}
    )
    return [
        Judged(
            member,
            sorted(
                scope.id
                for scope in silences[member.alert_id]
                if scope.covers(member.route_id, member.group_id)
            ),
            inhibition.inhibitors(member.alert_id, targets[member.alert_id], sources),
        )
        for member in members
    ]


def judge_groups(
    tenant_id: UUID, group_ids: Sequence[UUID], *, most: int
) -> dict[UUID, list[Judged]]:
    """Return what keeps the firing members of these groups quiet at this moment.

    At most `most` members of each are looked at.
    """
    book = books.of(tenant_id)
    members = fetch(OF_GROUPS, [as_array(group_ids), tenant_id, most])
    found: dict[UUID, list[Judged]] = defaultdict(list)
    for judged in judge(tenant_id, book, members):
        found[judged.member.group_id].append(judged)
    return found


def judge_ended(
    tenant_id: UUID, group_ids: Sequence[UUID], since: datetime, *, most: int
) -> list[Judged]:
    """Return what would keep quiet now who left these groups since then, resolved."""
    values = [tenant_id, as_array(group_ids), since, most]
    return judge(tenant_id, books.of(tenant_id), fetch(OF_ENDED, values))


def fetch(query: str, values: Sequence[Any]) -> list[Member]:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return [Member(*row) for row in cursor.fetchall()]


# --- marks ---


def lock(tenant_id: UUID) -> None:
    """Be the only one who writes this tenant's marks, until the end of the transaction.

    Before any group is locked: always this one first.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s, hashtext(%s))",
            [LOCK_CLASS, str(tenant_id)],
        )


CHANGED = """
SELECT id, severity, state = 'firing', labels::text FROM alert
WHERE tenant_id = %s AND id = ANY (%s::uuid[])
"""


def mark_changed(tenant_id: UUID, alert_ids: Sequence[UUID]) -> set[UUID]:
    """Mark alerts that fired, changed or resolved, and those they keep quiet or kept.

    Returns the groups that are heard or quiet now and were not before. Needs `lock`.
    """
    book = books.of(tenant_id)
    if not book:
        return set()
    concerned = set(alert_ids)
    if book.rules:
        concerned |= _follow_sources(tenant_id, book, alert_ids)
    members = fetch(OF_ALERTS, [tenant_id, as_array(concerned)])
    return write(tenant_id, judge(tenant_id, book, members), actor=THE_ENGINE)


def _follow_sources(
    tenant_id: UUID, book: QuietBook, alert_ids: Iterable[UUID]
) -> set[UUID]:
    """Keep the list of sources, and return the targets of what changed there."""
    with connection.cursor() as cursor:
        cursor.execute(CHANGED, [tenant_id, as_array(alert_ids)])
        rows = cursor.fetchall()
    labels = {pk: shown(decode(text), severity) for pk, severity, _, text in rows}
    firing = {pk: labels[pk] if fires else None for pk, _, fires, _ in rows}
    pairs = inhibition.keep_sources(tenant_id, book.rules, firing)
    if not pairs:
        return set()
    # One alert's labels for each pair tell where its targets are to be looked for.
    examples: dict[Pair, Mapping[str, str]] = {}
    for one in labels.values():
        for rule in book.rules.rules:
            pair = (rule.id, rule.agreed(one))
            if pair in pairs:
                examples.setdefault(pair, one)
    return inhibition.concerned(tenant_id, book.rules, examples)


REMARK = """
UPDATE group_alert m SET silenced_by = x.silenced, inhibited_by = x.inhibited
FROM (SELECT * FROM jsonb_to_recordset(%s::jsonb)
        AS y(pk bigint, silenced uuid[], inhibited uuid[]) ORDER BY pk) x
WHERE m.tenant_id = %s AND m.id = x.pk
"""
# Locks them by id, as everybody does.
RECOUNT = """
WITH held AS MATERIALIZED (
  SELECT id, firing_count, quiet_count, state FROM alert_group
  WHERE tenant_id = %(tenant)s AND id = ANY (%(groups)s::uuid[])
    AND state <> 'resolved'
  ORDER BY id FOR UPDATE
)
SELECT h.id, h.state, h.firing_count > 0 AND h.quiet_count >= h.firing_count,
  count(m.id), count(m.id) FILTER (
    WHERE m.silenced_by <> '{}' OR m.inhibited_by <> '{}'),
  count(m.id) FILTER (WHERE m.silenced_by <> '{}')
FROM held h LEFT JOIN group_alert m
  ON m.tenant_id = %(tenant)s AND m.group_id = h.id AND m.left_at IS NULL
GROUP BY h.id, h.state, h.firing_count, h.quiet_count
"""


def write(
    tenant_id: UUID, judged: Sequence[Judged], *, actor: Actor, feed: bool = False
) -> set[UUID]:
    """Write marks that changed; return the groups of which any was, or that a quiet
    alert left. With `feed`, the flow looks at the groups afterwards."""
    fresh = [one for one in judged if one.changed]
    if fresh:
        rows: list[dict[str, Any]] = [
            {
                "pk": one.member.id,
                "silenced": [str(pk) for pk in one.silenced_by],
                "inhibited": [str(pk) for pk in one.inhibited_by],
            }
            for one in fresh
        ]
        with connection.cursor() as cursor:
            cursor.execute(REMARK, [as_text(rows), tenant_id])
    groups = {one.member.group_id for one in fresh}
    recount(tenant_id, groups, actor=actor, feed=feed)
    return groups


def recount(
    tenant_id: UUID,
    group_ids: Iterable[UUID],
    *,
    actor: Actor = THE_ENGINE,
    feed: bool = False,
) -> None:
    """Count the quiet members of groups, and tell when a group falls quiet or is
    heard again."""
    ids = list(group_ids)
    if not ids:
        return
    values: dict[str, Any] = {"tenant": tenant_id, "groups": as_array(ids)}
    with connection.cursor() as cursor:
        cursor.execute(RECOUNT, values)
        rows = cursor.fetchall()
    changes = []
    for pk, state, was_quiet, firing, quiet, silenced in rows:
        is_quiet = firing > 0 and quiet >= firing
        kind = ""
        if is_quiet and not was_quiet:
            kind = "silenced" if silenced else "inhibited"
        elif was_quiet and firing and not is_quiet:
            kind = "heard"
        changes.append(
            GroupChange(
                tenant_id,
                pk,
                {"quiet_count": quiet},
                kind=kind,
                from_state=state,
                data={"quiet": quiet, "firing": firing},
            )
        )
    change_groups(changes, actor=actor, feed=feed)
