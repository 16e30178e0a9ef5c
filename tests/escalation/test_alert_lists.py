"""Does the file of a group hold its alerts, and nobody else's?"""

from __future__ import annotations

import pytest

from alertcenter.alerts.models import Group, GroupAlert
from escalation import alert_lists
from notifications import enclosures
from tenants.rls import in_tenant
from tests.admin.conftest import history, make_alert
from tests.cast import Cast

pytestmark = pytest.mark.django_db


def fill(cast: Cast) -> Group:
    """A group of three alerts; one is over."""
    rows = history(cast)
    group: Group = rows[Group]
    for number, state in ((2, "firing"), (3, "resolved")):
        alert = make_alert(cast, number, state=state, labels={"n": str(number)})
        assert alert.episode_id
        GroupAlert.objects.create(
            tenant=cast.tenant,
            group=group,
            alert=alert,
            episode_id=alert.episode_id,
            joined_at=alert.starts_at,
        )
    return group


def test_the_file_of_a_group_lists_its_alerts(acme, globex):
    with in_tenant(globex.id):
        fill(globex)
    with in_tenant(acme.id):
        group = fill(acme)
        rows = alert_lists.rows(acme.id, group.pk, 1000)
        assert alert_lists.rows(acme.id, group.pk, 2) == rows[:2]
        assert alert_lists.rows(globex.id, group.pk, 1000) == []
    assert len(rows) == 3
    assert {row["state"] for row in rows} == {"firing", "resolved"}
    for row in rows:
        assert set(row) == set(enclosures.COLUMNS)
        assert isinstance(row["labels"], dict)
    assert {"n": "2"} in [row["labels"] for row in rows]


def test_messages_know_where_to_ask():
    assert alert_lists.rows in enclosures.sources
