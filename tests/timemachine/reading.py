"""What did the product do? Its delivery rows and its timelines, by the world's keys."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from tests.timemachine.checker import Page, Said
from tests.timemachine.driver import Year
from tests.timemachine.world import Act

# A page that was still to come when somebody acted told nobody.
PAGES = """
SELECT group_id, member_id, channel_id, channel_kind, address, next_at
FROM delivery WHERE kind = 'page' AND state <> 'cancelled'
"""
SAID = """
SELECT group_id, at, (data ->> 'step')::int, reason, kind,
  CASE WHEN data ->> 'kind' IN ('oncall', 'round_robin') AND reason <> 'nobody_on_call'
  THEN data ->> 'who' END
FROM transition WHERE kind IN ('paged', 'noted') AND group_id IS NOT NULL
"""


def pages(cursor: Any, year: Year) -> list[Page]:
    """Return the pages that were made."""
    groups = {pk: key for key, pk in year.groups.items()}
    people = {m.pk: k for b in year.built.values() for k, m in b.members.items()}
    channels = {c.pk: k for b in year.built.values() for k, c in b.channels.items()}
    cursor.execute(PAGES)
    return [
        Page(
            groups.get(group, str(group)),
            people[member] if member else channels.get(channel, str(channel)),
            kind,
            address,
            at,
        )
        for group, member, channel, kind, address, at in cursor.fetchall()
    ]


def said(cursor: Any, year: Year) -> list[Said]:
    """Return the steps that the timelines tell of."""
    groups = {pk: key for key, pk in year.groups.items()}
    cursor.execute(SAID)
    rows = cursor.fetchall()
    found = []
    for group, at, step, reason, kind, who in rows:
        # "paged" means that somebody was, "noted" that nobody was.
        assert (kind == "noted") == bool(reason), (kind, reason)
        people = tuple(sorted(who.split(", "))) if who else ()
        found.append(Said(groups.get(group, str(group)), at, step, reason, people))
    return found


def acts(year: Year) -> dict[str, list[Act]]:
    """Return the ledger by incident; what had no effect is not in it."""
    found: dict[str, list[Act]] = defaultdict(list)
    for line in year.ledger:
        if line.outcome == "done":
            found[line.incident].append(Act(line.kind, line.at))
    return found
