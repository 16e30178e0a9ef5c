"""Does the admin stay quick on big tables? Few queries, all with limits."""

from __future__ import annotations

import contextlib
from typing import Any

import psycopg2
import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from alertcenter.alerts.admin.search import by_words
from alertcenter.alerts.models import Alert, Group
from tenants.admin_lists import MOST_COUNTED, CappedPaginator
from tenants.rls import in_tenant
from tests.admin.test_pages import TENANT_MODELS, address

ROWS = 20_000
MANY_ALERTS = """
INSERT INTO alert (tenant_id, id, dedup_key, fingerprint, state, severity, title,
  labels, annotations, link, source, state_at, starts_at, last_at, count, closed_by,
  version)
SELECT %(tenant)s, uuidv7(), 'l/' || n, lpad(to_hex(n), 16, '0'), 'firing',
  n %% 5 + 1, 'lag on db-' || n,
  jsonb_build_object('alertname', 'Lag', 'host', 'db-' || n), '{}', '', 'api',
  now(), now() - n * interval '1 second', now(), 1, '', 1
FROM generate_series(1, %(rows)s) n
"""


@pytest.fixture
def crowded(acme, filled):
    with in_tenant(acme.id), connection.cursor() as cursor:
        cursor.execute(MANY_ALERTS, {"tenant": acme.id, "rows": ROWS})
    return acme


@pytest.mark.parametrize("model", TENANT_MODELS, ids=lambda m: m.__name__)
def test_a_list_asks_no_query_for_each_row(model, alice, acme, filled):
    """Every list stays under a fixed number of queries."""
    with CaptureQueriesContext(connection) as seen:
        alice.get(address(model, "changelist"))
    assert len(seen) < 30, [q["sql"][:200] for q in seen]


def test_lists_of_big_tables_are_cut_off(alice, crowded):
    for asked in ("", "?q=lag", "?state__exact=firing", "?p=3"):
        with CaptureQueriesContext(connection) as seen:
            alice.get(reverse("admin:alerts_alert_changelist") + asked)
        found = [q["sql"] for q in seen if 'FROM "alert"' in q["sql"]]
        assert found
        for sql in found:
            assert "LIMIT" in sql, sql
            assert "tenant_id" in sql


def test_counting_stops(crowded):
    with in_tenant(crowded.id):
        rows = Alert.objects.filter(tenant_id=crowded.id).order_by("pk")
        assert CappedPaginator(rows, 50).count == MOST_COUNTED


def test_the_list_of_twenty_thousand_alerts_opens(alice, crowded):
    response = alice.get(reverse("admin:alerts_alert_changelist"))
    assert response.status_code == 200
    assert "Only the first 10,000 rows" in response.content.decode()
    found = alice.get(reverse("admin:alerts_alert_changelist") + "?q=host=db-17777")
    assert "lag on db-17777" in found.content.decode()
    assert "lag on db-17776" not in found.content.decode()


@pytest.mark.parametrize(
    ("model", "index"), [(Alert, "alert_recent"), (Group, "group_recent")]
)
def test_first_pages_can_be_read_off_an_index(crowded, model, index):
    """The test's login may not ANALYZE, so other ways are closed to the planner."""
    ordering: Any = admin.site.get_model_admin(model).ordering
    with in_tenant(crowded.id), connection.cursor() as cursor:
        for way in ("seqscan", "bitmapscan", "sort"):
            cursor.execute(f"SET LOCAL enable_{way} = off")
        rows = model.objects.filter(tenant_id=crowded.id).order_by(*ordering)[:50]
        plan = rows.explain()
    assert index in plan
    assert "Sort" not in plan


@pytest.mark.django_db(transaction=True)
def test_a_label_is_searched_by_its_index(servers, crowded):
    with contextlib.closing(psycopg2.connect(**servers.superuser)) as own:
        own.autocommit = True
        own.cursor().execute("ANALYZE alert")
    with in_tenant(crowded.id):
        rows = Alert.objects.filter(tenant_id=crowded.id)
        plan = by_words(rows, "host=db-17777").explain()
    assert "alert_labels" in plan


def test_no_list_counts_the_whole_table():
    for model in TENANT_MODELS:
        model_admin = admin.site.get_model_admin(model)
        assert model_admin.paginator is CappedPaginator
        assert not model_admin.show_full_result_count
        assert model_admin.show_facets is admin.ShowFacets.NEVER
