"""What do steps look up, once for all that are due together?

Who is on call, who is reached where, who carries how much, whose turn it is. A turn is
given under a lock of its row, which the claiming transaction keeps to its end: two
dispatchers never give the same one. With `dry` nothing is locked, and nothing moves.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection

from escalation import oncall, rota
from escalation.hours import Span
from escalation.models.calendars import Availability
from escalation.models.policy import Step
from escalation.models.team import TeamMember
from escalation.rota import Rota
from escalation.steps.base import Target
from escalation.steps.registry import WAIT
from notifications import personal, recipients
from notifications.models import Channel
from tenants.models import Member

MOMENT = timedelta(seconds=1)
LOAD_SECONDS = 24 * 3600


class Books:
    """What one tenant's steps look up; as of one transaction."""

    def __init__(self, tenant_id: UUID, *, dry: bool = False) -> None:
        self.tenant_id = tenant_id
        self.dry = dry
        self._channels: dict[UUID, Channel | None] = {}
        self._places: dict[UUID, list[Target]] = {}
        self._members: dict[UUID, Member | None] = {}
        self._teams: dict[UUID, list[UUID]] = {}
        self._calls: dict[tuple[UUID, int, datetime], list[Target]] = {}
        self._rotas: dict[UUID, tuple[Span, Rota | None]] = {}
        self._policies: dict[UUID, bool] = {}
        self._turns: dict[UUID, UUID | None] = {}
        self._loads: dict[UUID, tuple[int, int]] = {}
        self._given: Counter[UUID] = Counter()
        self._skills: dict[UUID, frozenset[str]] | None = None

    # --- where people and channels are reached ---

    def channel(self, pk: UUID) -> Channel | None:
        """Return a channel that is switched on."""
        if pk not in self._channels:
            rows = Channel.objects.filter(tenant_id=self.tenant_id, pk=pk, active=True)
            self._channels[pk] = rows.first()
        return self._channels[pk]

    def places(self, channel: Channel) -> list[Target]:
        if channel.pk not in self._places:
            found = recipients.for_channel(channel)
            self._places[channel.pk] = [Target(*address) for address in found]
        return self._places[channel.pk]

    def calls(self, member_id: UUID, severity: int, at: datetime) -> list[Target]:
        """Return the calls of a member's chain that begins at `at`."""
        key = member_id, severity, at
        if key not in self._calls:
            self._calls[key] = [
                Target(*call[:3], member_id, call.seconds, call.step)
                for call in personal.calls_for(
                    self.tenant_id, member_id, severity=severity, at=at
                )
            ]
        return self._calls[key]

    def members(self, ids: Iterable[UUID | str]) -> list[Member]:
        """Return those members who are active, in this order."""
        wanted = list(dict.fromkeys(UUID(str(pk)) for pk in ids))
        unknown = [pk for pk in wanted if pk not in self._members]
        if unknown:
            self._members |= dict.fromkeys(unknown)
            rows = Member.objects.filter(
                tenant_id=self.tenant_id, pk__in=unknown, active=True
            )
            self._members |= {row.pk: row for row in rows}
        return [one for pk in wanted if (one := self._members[pk]) is not None]

    def team(self, pk: UUID | str) -> list[Member]:
        """Return a team's active members, in their order."""
        team = UUID(str(pk))
        if team not in self._teams:
            rows = TeamMember.objects.filter(tenant_id=self.tenant_id, team_id=team)
            self._teams[team] = list(
                rows.order_by("position", "id").values_list("member_id", flat=True)
            )
        return self.members(self._teams[team])

    def skilled(self, wanted: Collection[str]) -> list[Member]:
        """Return the active members who have one of these skills, by name."""
        if self._skills is None:
            rows = Availability.objects.filter(tenant_id=self.tenant_id).exclude(
                skills=[]
            )
            self._skills = {
                pk: frozenset(skill.casefold() for skill in skills)
                for pk, skills in rows.values_list("member_id", "skills")
            }
        asked = {skill.casefold() for skill in wanted}
        found = self.members(pk for pk, own in self._skills.items() if own & asked)
        return sorted(found, key=lambda member: (member.name, str(member.pk)))

    def is_written(self, policy_id: UUID) -> bool:
        """Whether there is such a policy, and a step of it does something."""
        if policy_id not in self._policies:
            rows = Step.objects.filter(tenant_id=self.tenant_id, policy_id=policy_id)
            self._policies[policy_id] = rows.exclude(kind=WAIT).exists()
        return self._policies[policy_id]

    # --- who is on call ---

    def on_call(self, schedule_id: UUID, at: datetime) -> list[Member]:
        """Return who is on call by a schedule."""
        found = self._rota(schedule_id, at, MOMENT)
        return self.members(rota.people_at(found, at)) if found else []

    def coming(self, schedule_id: UUID, at: datetime) -> rota.Coming:
        """Return who is on call, until when, and who comes then."""
        found = self._rota(schedule_id, at, oncall.LONGEST_LOOK)
        return rota.coming(found, at) if found else rota.Coming((), None, ())

    def _rota(self, pk: UUID, at: datetime, ahead: timedelta) -> Rota | None:
        within, found = self._rotas.get(pk, (None, None))
        if within and within.starts_at <= at and at + ahead <= within.ends_at:
            return found
        if self.dry:  # moments of the future follow
            ahead += timedelta(days=40)
        span = Span(at, at + ahead)
        found = oncall.load(self.tenant_id, [pk], span).get(pk)
        self._rotas[pk] = span, found
        return found

    # --- whose turn it is ---

    def take_turns(self, step_ids: Iterable[UUID]) -> None:
        """Lock the turns of these steps, always in the same order."""
        wanted = sorted(set(step_ids) - set(self._turns))
        if not wanted:
            return
        with connection.cursor() as cursor:
            if self.dry:
                cursor.execute(PEEK, [self.tenant_id, wanted])
                found = cursor.fetchall()
            else:
                found = []
                for pk in wanted:
                    cursor.execute(TAKE, [self.tenant_id, pk])
                    found += cursor.fetchall()
        self._turns |= dict.fromkeys(wanted)
        self._turns |= dict(found)

    def next_of(self, step_id: UUID, people: Sequence[Member]) -> Member:
        """Return whose turn it is among `people` (one at least), and give it."""
        self.take_turns([step_id])
        ids = [member.pk for member in people]
        last = self._turns[step_id]
        at = ids.index(last) + 1 if last in ids else 0
        chosen = people[at % len(people)]
        self._turns[step_id] = chosen.pk
        if not self.dry:
            with connection.cursor() as cursor:
                cursor.execute(GIVE, [chosen.pk, self.tenant_id, step_id])
        return chosen

    # --- who carries how much ---

    def least_loaded(self, people: Sequence[Member], now: datetime) -> Member:
        """Return who has the fewest open groups, then the fewest pages of a day, then
        comes first. What is given together is counted too."""
        unknown = [m.pk for m in people if m.pk not in self._loads]
        if unknown:
            self._loads |= loads(self.tenant_id, unknown, now)
        order = {member.pk: place for place, member in enumerate(people)}
        chosen = min(
            people,
            key=lambda m: (
                self._loads[m.pk][0] + self._given[m.pk],
                self._loads[m.pk][1],
                order[m.pk],
            ),
        )
        if not self.dry:
            self._given[chosen.pk] += 1
        return chosen


TAKE = """
INSERT INTO step_turn (tenant_id, step_id) VALUES (%s, %s)
ON CONFLICT (tenant_id, step_id) DO UPDATE SET step_id = excluded.step_id
RETURNING step_id, member_id
"""
PEEK = """
SELECT step_id, member_id FROM step_turn WHERE tenant_id = %s AND step_id = ANY (%s)
"""
GIVE = "UPDATE step_turn SET member_id = %s WHERE tenant_id = %s AND step_id = %s"
# Who took a group is known by name in its row, and by id in its story.
LOADS = """
WITH mine AS (
  SELECT g.id, g.assignee_id, (
    SELECT t.actor_id FROM transition t
    WHERE t.tenant_id = g.tenant_id AND t.group_id = g.id
      AND t.kind IN ('acknowledged', 'snoozed') AND t.actor_kind = 'member'
    ORDER BY t.id DESC LIMIT 1) AS taker
  FROM alert_group g
  WHERE g.tenant_id = %(tenant)s AND g.state IN ('acknowledged', 'snoozed')
  UNION ALL
  SELECT g.id, g.assignee_id, NULL FROM alert_group g
  WHERE g.tenant_id = %(tenant)s AND g.state = 'firing'
    AND g.assignee_id = ANY (%(ids)s)
)
SELECT m.id, count(mine.id) FROM unnest(%(ids)s::uuid[]) AS m(id)
LEFT JOIN mine ON mine.assignee_id = m.id OR mine.taker = m.id::text
GROUP BY m.id
"""
PAGES = """
SELECT member_id, count(*) FROM delivery
WHERE tenant_id = %s AND created_at > %s AND kind = 'page' AND member_id = ANY (%s)
  AND state NOT IN ('cancelled', 'dead')
GROUP BY member_id
"""


def loads(
    tenant_id: UUID, member_ids: Sequence[UUID], now: datetime
) -> dict[UUID, tuple[int, int]]:
    """Return (open groups assigned to or taken by, pages of the last day) by member."""
    pages: dict[UUID, int] = defaultdict(int)
    with connection.cursor() as cursor:
        cursor.execute(LOADS, {"tenant": tenant_id, "ids": list(member_ids)})
        groups = dict(cursor.fetchall())
        since = now - timedelta(seconds=LOAD_SECONDS)
        cursor.execute(PAGES, [tenant_id, since, list(member_ids)])
        pages |= dict(cursor.fetchall())
    return {pk: (groups[pk], pages[pk]) for pk in member_ids}
