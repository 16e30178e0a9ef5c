"""Does it flap, or does a storm speak for it?"""

from __future__ import annotations

from uuid import UUID

from alertcenter.alerts.models import Group, Storm
from alertcenter.alerts.models.transition import Kind
from escalation.explain.facts import Facts
from escalation.explain.steps import by
from escalation.explain.trace import Line, Link

TOLD = {Kind.FLAPPING.value: "flap_began", Kind.CALM.value: "flap_calm"}


def of_group(facts: Facts) -> list[Line]:
    """Say since when it flaps, which storm holds it, and what was of both."""
    lines = _flapping(facts)
    if facts.group.storm_id is not None:
        lines += _storm(facts, facts.group.storm_id)
    lines += [
        Line(
            "crowd",
            TOLD[change.kind],
            at=change.at,
            data={"who": by(change), **change.data},
            aside=True,
        )
        for change in facts.changes
        if change.kind in TOLD
    ]
    return lines


def _flapping(facts: Facts) -> list[Line]:
    since = (facts.only or facts.group).flapping_since
    if since is None or not facts.open:
        return []
    code = "flaps" if facts.only is None else "alert_flaps"
    return [Line("crowd", code, at=since, data={"since": since})]


def _storm(facts: Facts, storm_id: UUID) -> list[Line]:
    """Say which storm took it; the storm's own group speaks for the others."""
    rows = Storm.objects.filter(tenant_id=facts.tenant_id, pk=storm_id)
    storm = rows.select_related("route").first()
    if storm is None:
        return []
    data = {"route": storm.route.name, "groups": storm.groups, "group": "–"}
    if storm.group_id == facts.group.pk:
        return [Line("crowd", "storm_own", at=storm.began_at, data=data)]
    groups = Group.objects.filter(tenant_id=facts.tenant_id)
    own = groups.filter(pk=storm.group_id).first() if storm.group_id else None
    link = Link("group", str(own.number), own.title) if own else None
    data["group"] = f"#{own.number}" if own else "–"
    return [Line("crowd", "storm_held", "no", storm.began_at, data, link)]
