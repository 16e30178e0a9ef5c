"""Why was somebody told of this group, or of this alert, or why not?

Reads only, in a tenant's context. The number of queries does not depend on how many
alerts a group has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from django.db import connection

from alertcenter.alerts import routing
from alertcenter.alerts.lifecycle import database_time
from alertcenter.alerts.models import Alert, Group, GroupAlert
from escalation.explain import (
    crowds,
    identity,
    inhibition,
    routes,
    sent,
    silences,
    steps,
    urgency,
)
from escalation.explain.conclusion import Standing, conclude, said
from escalation.explain.facts import Facts, labels_of
from escalation.explain.trace import Ending, Line, Link, Trace, ended

MOST_GROUPS = 3


def of_group(group: Group) -> Trace:
    """Explain what was decided about a group."""
    tenant_id = group.tenant_id
    facts = Facts(tenant_id, group, database_time(), routing.load(tenant_id))
    lines = []
    if facts.examples:
        worst = facts.examples[0].alert
        lines += identity.dedup(tenant_id, worst)
        lines += identity.rules_on_stored(tenant_id, worst)
    own = _decisions(facts)
    ending = conclude(own, _standing(facts))
    subject = Link("group", str(group.number), group.title)
    return ended(subject, facts.now, [*lines, *own], ending)


def of_alert(alert: Alert) -> Trace:
    """Explain what was decided about an alert, in each of its last groups."""
    tenant_id = alert.tenant_id
    now, tree = database_time(), routing.load(tenant_id)
    lines = identity.dedup(tenant_id, alert)
    lines += identity.rules_on_stored(tenant_id, alert)
    subject = Link("alert", str(alert.pk), alert.title)
    rows = GroupAlert.objects.filter(tenant_id=tenant_id, alert=alert)
    members = list(
        rows.select_related("group", "group__route").order_by("-joined_at", "-id")[
            :MOST_GROUPS
        ]
    )
    if not members:
        lines += routes.tried(tenant_id, tree, labels_of(alert), alert.dedup_key)
        ending = _in_no_group(tenant_id, alert)
        return ended(subject, now, lines, ending)
    endings = []
    # Groups that it is in at once were joined together: those of one episode.
    for member in members:
        member.alert = alert
        facts = Facts(tenant_id, member.group, now, tree, member)
        own = [replace(line, group=member.group.number) for line in _decisions(facts)]
        endings.append((member, conclude(own, _standing(facts))))
        lines += own
    return ended(subject, now, lines, _weightiest(endings))


def _decisions(facts: Facts) -> list[Line]:
    """Return every line about one group, in the order of the decisions."""
    lines = routes.of_group(facts)
    lines += urgency.of_group(facts)
    lines += silences.of_group(facts)
    lines += inhibition.of_group(facts)
    lines += crowds.of_group(facts)
    lines += sent.held_changes(facts)
    if facts.route is not None:
        lines += routes.intervals_at(facts.tenant_id, facts.route, facts.moment)
    lines += steps.of_group(facts)
    lines += sent.notices(facts)
    return lines + sent.deliveries(facts)


def _standing(facts: Facts) -> Standing:
    state = facts.group.state if facts.open else "resolved"
    return Standing(state, facts.now, facts.since, facts.group.number)


def _weightiest(endings: Sequence[tuple[GroupAlert, Ending]]) -> Ending:
    """Return what its present groups come to: that somebody was told comes first.

    Of groups that it left, the last counts, if it is in none.
    """
    episode = endings[0][0].episode_id
    now = [ending for member, ending in endings if member.episode_id == episode]
    order = {"yes": 0, "info": 1, "no": 2}
    return min(now, key=lambda ending: order[ending.conclusion.verdict])


PARKED = """
SELECT min(shard) FROM feed WHERE tenant_id = %s AND alert_id = %s
"""


def _in_no_group(tenant_id: UUID, alert: Alert) -> Ending:
    """Say why an alert never came into a group."""
    with connection.cursor() as cursor:
        cursor.execute(PARKED, [tenant_id, alert.pk])
        shard = cursor.fetchone()[0]
    data = {"alert": alert.title}
    if shard is not None:
        code = "parked" if shard < 0 else "not_looked_at"
        return Ending(said(code, "info", None, **data))
    if alert.state == "resolved":
        return Ending(said("came_resolved", "no", None, **data))
    return Ending(said("in_no_group", "no", None, **data))
