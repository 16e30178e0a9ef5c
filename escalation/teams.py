"""How is a team written as a whole? Its name, its members in their order, audited."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from escalation.models import Team, TeamMember
from tenants import audit
from tenants.actors import Actor

KIND = "team"


def set_members(team: Team, people: Sequence[UUID]) -> None:
    """Let these, members of the tenant, be the team's, in this order."""
    mine = {"tenant_id": team.tenant_id, "team": team}
    TeamMember.objects.filter(**mine).delete()
    TeamMember.objects.bulk_create(
        TeamMember(**mine, member_id=person, position=position)
        for position, person in enumerate(dict.fromkeys(people), 1)
    )


def note(team: Team, verb: str, actor: Actor, **data: Any) -> None:
    """Audit what was done to a team."""
    audit.record(
        team.tenant_id,
        actor,
        f"{KIND}.{verb}",
        kind=KIND,
        object_id=team.pk,
        name=team.name,
        **data,
    )
