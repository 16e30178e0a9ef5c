"""Rows for screens: the right groups, in order, quickly, of one tenant only."""

from __future__ import annotations

import contextlib
from datetime import timedelta

import psycopg2
import pytest
from django.db import connection
from django.utils import timezone

from alertcenter.alerts import worst_first
from alertcenter.alerts.lifecycle import GroupChange, change_groups
from alertcenter.alerts.models import Route, Service
from alertcenter.alerts.worst_first import ORDER
from alertcenter.dashboard import queries
from escalation import actions, runs
from escalation.models import Policy, Step
from notifications.models import Channel
from tenants.actors import MEMBER, Actor
from tenants.rls import in_tenant
from tests.dashboard.scene import make_group

pytestmark = pytest.mark.django_db

MANY = 20_000
FILL = """
INSERT INTO alert_group (tenant_id, number, key, state, severity, title, labels,
  opened_at, changed_at, acked_by, firing_count, alert_count, version, priority)
SELECT %s, n, md5(n::text), 'firing', 1 + n %% 5, 'g' || n, '{}',
  now() - n * interval '1 second', now(), '', 1, 1, 1, 1 + n %% 4
FROM generate_series(1, %s) AS n
"""


def test_the_worst_come_first_then_the_newest(acme):
    with in_tenant(acme.id):
        now = timezone.now()
        old = make_group(acme.id, severity=4, opened_at=now - timedelta(hours=3))
        new = make_group(acme.id, severity=4, opened_at=now, state="acknowledged")
        worst = make_group(acme.id, severity=5, state="snoozed")
        rows = queries.snapshot(acme.id).groups
    assert [row["id"] for row in rows] == [str(g.pk) for g in (worst, new, old)]


def test_only_what_was_resolved_within_the_hour_is_shown(acme):
    with in_tenant(acme.id):
        now = timezone.now()
        ago = {"state": "resolved", "resolved_at": now - timedelta(minutes=5)}
        recent = make_group(acme.id, **ago)
        make_group(acme.id, **ago | {"resolved_at": now - timedelta(hours=2)})
        rows = queries.snapshot(acme.id).groups
    assert [row["id"] for row in rows] == [str(recent.pk)]


def test_a_resolved_row_names_who_resolved_it_and_not_who_acknowledged(acme):
    ana = Actor(MEMBER, "1", "Ana Moreau")
    with in_tenant(acme.id):
        groups = [make_group(acme.id) for _ in range(2)]
        actions.acknowledge(acme.id, [g.pk for g in groups], actor=ana)
        actions.resolve(acme.id, [groups[0].pk], actor=Actor(MEMBER, "2", "Ben"))
        over = {"state": "resolved"}
        change_groups([GroupChange(acme.id, groups[1].pk, over, "resolved")])
        rows = queries.group_rows(acme.id, [g.pk for g in groups])
    seen = {row["id"]: (row["state"], row["resolved_by"]) for row in rows}
    assert seen == {
        str(groups[0].pk): ("resolved", "Ben"),
        str(groups[1].pk): ("resolved", ""),
    }


def test_pages_follow_each_other_without_gap_or_repeat(acme, monkeypatch):
    monkeypatch.setattr(queries, "SNAPSHOT_OPEN", 3)
    with in_tenant(acme.id):
        same = timezone.now()
        for number in range(8):
            state = "firing" if number % 2 else "acknowledged"
            make_group(acme.id, opened_at=same, state=state, severity=3 + number % 2)
        found = queries.snapshot(acme.id)
        seen, more = list(found.groups), found.more
        while more:
            rows, more = queries.more_groups(acme.id, more)
            seen += rows
    assert len(seen) == 8
    assert len({row["id"] for row in seen}) == 8
    assert [row["severity"] for row in seen] == [4] * 4 + [3] * 4


# Known before the run: two processes must find the same tests.
SOMEBODY = "0199fe3c-7b1a-7c3e-9d5f-1f2e3d4c5b6a"


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "1~5~yesterday~1",
        "1~5~2026-01-01T00:00Z~x",
        "5~2026-01-01T00:00Z~1",
        f"x~5~2026-01-01T00:00Z~{SOMEBODY}",
        f"1~99~2026-01-01T00:00Z~{SOMEBODY}",
        f"1~5~2026-01-01T00:00~{SOMEBODY}",
    ],
)
def test_a_cursor_that_is_none_is_refused(acme, cursor):
    with in_tenant(acme.id), pytest.raises(ValueError, match=r"."):
        queries.more_groups(acme.id, cursor)


def test_a_row_says_what_comes_next_and_by_which_policy(acme):
    with in_tenant(acme.id):
        policy = Policy.objects.create(tenant_id=acme.id, name="Night")
        channel = Channel.objects.create(
            tenant_id=acme.id, kind="email", slug="mail", name="#ops"
        )
        Step.objects.create(
            tenant_id=acme.id,
            policy=policy,
            position=1,
            kind="channel",
            channel=channel,
        )
        route = Route.objects.create(tenant_id=acme.id, name="All", policy=policy)
        group = make_group(acme.id, route=route)
        runs.start(acme.id, [runs.Start(group, policy.pk, 60)])
        (row,) = queries.group_rows(acme.id, [group.pk])
    assert (row["next_who"], row["policy"], row["route"]) == ("#ops", "Night", "All")
    assert row["next_at"] > timezone.now().isoformat()


def test_groups_of_another_tenant_are_not_there(acme, globex):
    with in_tenant(globex.id):
        theirs = make_group(globex.id)
    with in_tenant(acme.id):
        assert queries.group_rows(acme.id, [theirs.pk]) == []
        assert queries.group_rows(globex.id, [theirs.pk]) == []
        assert queries.snapshot(acme.id).groups == []


def test_a_row_stays_small_whatever_its_labels(acme):
    with in_tenant(acme.id):
        labels = {f"name{n}": "v" * 1000 for n in range(100)}
        group = make_group(acme.id, labels=labels, title="t" * 5000)
        (row,) = queries.group_rows(acme.id, [group.pk])
    assert len(row["title"]) == queries.MOST_TITLE
    assert len(row["labels"]) == queries.MOST_LABELS
    assert len(str(row)) < 3_000


@pytest.mark.django_db(transaction=True)
def test_a_snapshot_of_many_open_groups_reads_only_the_index_s_head(acme, servers):
    with in_tenant(acme.id), connection.cursor() as cursor:
        cursor.execute(FILL, [acme.id, MANY])
    analyze(servers)
    with in_tenant(acme.id):
        groups = queries._groups(acme.id).filter(state="firing")
        plan = groups.order_by(*ORDER)[:500].explain()
        assert "group_state" in plan
        assert "Seq Scan" not in plan
        found = queries.snapshot(acme.id)
    assert len(found.groups) == queries.SNAPSHOT_OPEN
    assert {(row["priority"], row["severity"]) for row in found.groups} == {(1, 5)}
    assert found.more


@pytest.mark.django_db(transaction=True)
def test_a_page_deep_in_a_storm_begins_at_its_place_in_the_index(acme, servers):
    with in_tenant(acme.id), connection.cursor() as cursor:
        cursor.execute(FILL, [acme.id, MANY])
    analyze(servers)
    with in_tenant(acme.id):
        groups = queries._groups(acme.id).filter(state="firing")
        last = groups.order_by(*ORDER).values(*queries.FIELDS)[17_000]
        mine = groups.filter(worst_first._behind(worst_first.place(last)))
        plan = mine.order_by(*ORDER)[:500].explain()
        rows, _ = queries.more_groups(acme.id, worst_first.cursor(last))
    assert "group_state" in plan
    assert "Seq Scan" not in plan
    assert "priority >= " in plan
    assert rows[0]["priority"] == last["priority"] == 4


def test_priority_goes_before_severity_and_severity_before_age(acme):
    with in_tenant(acme.id):
        now = timezone.now()
        old = {"opened_at": now - timedelta(hours=1)}
        calm = make_group(acme.id, priority=4, severity=5, opened_at=now)
        older = make_group(acme.id, priority=1, severity=4, **old)
        newer = make_group(acme.id, priority=1, severity=4, opened_at=now)
        worst = make_group(acme.id, priority=1, severity=5, state="snoozed", **old)
        rows = queries.snapshot(acme.id).groups
    assert [row["id"] for row in rows] == [
        str(g.pk) for g in (worst, newer, older, calm)
    ]


def test_what_is_quiet_comes_after_all_that_is_heard_page_by_page(acme, monkeypatch):
    monkeypatch.setattr(queries, "SNAPSHOT_OPEN", 2)
    with in_tenant(acme.id):
        hushed = [
            make_group(acme.id, priority=1, severity=5, firing_count=2, quiet_count=2)
            for _ in range(3)
        ]
        partly = make_group(acme.id, priority=2, firing_count=2, quiet_count=1)
        calm = [make_group(acme.id, priority=4, severity=2) for _ in range(2)]
        found = queries.snapshot(acme.id)
        seen, more = list(found.groups), found.more
        while more:
            rows, more = queries.more_groups(acme.id, more)
            seen += rows
    wanted = [partly, *calm, *hushed]
    assert [row["number"] for row in seen] == [group.number for group in wanted]


def test_a_row_names_its_service_and_why_it_is_as_urgent_as_it_is(acme):
    why = [{"code": "severity", "value": 5, "by": 2}]
    with in_tenant(acme.id):
        shop = Service.objects.create(tenant_id=acme.id, slug="shop", name="The shop")
        named = make_group(acme.id, service=shop, priority=2, priority_reason=why)
        nameless = make_group(acme.id)
        rows = queries.group_rows(acme.id, [named.pk, nameless.pk])
    seen = {row["id"]: row for row in rows}
    row = seen[str(named.pk)]
    assert (row["service"], row["service_slug"]) == ("The shop", "shop")
    assert (row["priority"], row["why"]) == (2, why)
    assert seen[str(nameless.pk)]["service"] == ""


def analyze(servers) -> None:
    """Gather statistics, as autovacuum does; the web's login may not."""
    own = psycopg2.connect(**servers.superuser)
    own.autocommit = True
    with contextlib.closing(own), own.cursor() as cursor:
        cursor.execute("ANALYZE alert_group")
