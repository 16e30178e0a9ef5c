"""Do searches use their index under row-level security?

Operators that are not LEAKPROOF run as a filter behind the policy, and their GIN index
is dead: the role set-up marks what our searches need (design/decisions.md section 1).
"""

from __future__ import annotations

import hashlib
from contextlib import closing

import psycopg2
import pytest
from django.db import connection

from alertcenter.alerts import opening, silence_preview
from alertcenter.alerts.models import Alert
from tenants.rls import in_tenant

pytestmark = pytest.mark.django_db(transaction=True)

MANY = 20_000
FILL = """
INSERT INTO alert (tenant_id, dedup_key, fingerprint, state, severity, title, labels,
  annotations, link, source, state_at, starts_at, last_at, count, closed_by, version)
SELECT %s, 'l/' || n, lpad(to_hex(n), 16, '0'), 'firing', 1 + n %% 5, 'Alert ' || n,
  jsonb_build_object('alertname', 'A' || n %% 100, 'instance', 'host-' || n), '{}', '',
  'test', now(), now() - n * interval '1 second', now(), 1, '', 1
FROM generate_series(1, %s) n
"""


@pytest.fixture
def filled(acme, servers):
    with in_tenant(acme.id), connection.cursor() as cursor:
        cursor.execute(FILL, [acme.id, MANY])
    own = psycopg2.connect(**servers.superuser)
    own.autocommit = True
    with closing(own), own.cursor() as cursor:
        cursor.execute("ANALYZE alert")
    return acme


def plan(acme, query) -> str:
    with in_tenant(acme.id):
        return str(query.explain())


def test_the_web_is_bound_by_row_level_security_while_it_is_measured(filled):
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == ("ac_app",)
    assert Alert.objects.count() == 0


def test_a_search_by_label_uses_the_index(filled):
    mine = Alert.objects.filter(tenant_id=filled.id)
    found = plan(filled, mine.filter(labels__contains={"instance": "host-7"}))
    assert "alert_labels" in found


def test_the_preview_of_a_silence_uses_the_index(filled):
    wanted = ['instance="host-7"', 'alertname=~"A.*"']
    asked = silence_preview.asked_of(filled.id, wanted, None, None)
    with in_tenant(filled.id), connection.cursor() as cursor:
        for query in (silence_preview.NOW, silence_preview.LATELY):
            cursor.execute("EXPLAIN " + query, asked.values)
            assert "alert_labels" in str(cursor.fetchall())


@pytest.mark.parametrize(
    ("index", "values"),
    [
        ("alert_fingerprint", {"fingerprint": "0000000000000007"}),
        ("alert_key", {"dedup_key": "l/7"}),
    ],
)
def test_names_and_keys_are_found_by_index(filled, index, values):
    assert index in plan(filled, Alert.objects.filter(tenant_id=filled.id, **values))


def test_a_page_of_firing_alerts_reads_no_more_than_a_page(filled):
    page = (
        Alert.objects.filter(tenant_id=filled.id, state="firing")
        .order_by("-severity", "-starts_at")
        .all()[:50]
    )
    found = plan(filled, page)
    assert "alert_state" in found
    assert "Sort" not in found


OVER = """
INSERT INTO alert_group (id, tenant_id, number, key, state, severity, title, labels,
  opened_at, changed_at, resolved_at, acked_by, firing_count, alert_count, version)
SELECT gen_random_uuid(), %s, n, md5((n %% 100)::text), 'resolved', 3, '', '{}',
  now(), now(), now(), '', 0, 1, 1
FROM generate_series(1, %s) n
"""


def test_the_group_before_one_that_opens_is_found_by_index(acme, servers):
    with in_tenant(acme.id), connection.cursor() as cursor:
        cursor.execute(OVER, [acme.id, MANY])
    own = psycopg2.connect(**servers.superuser)
    own.autocommit = True
    with closing(own), own.cursor() as cursor:
        cursor.execute("ANALYZE alert_group")
    with in_tenant(acme.id), connection.cursor() as cursor:
        keys = [hashlib.md5(str(n).encode()).hexdigest() for n in range(200)]
        cursor.execute("EXPLAIN " + opening.PREVIOUS, [keys, acme.id])
        assert "group_previous" in str(cursor.fetchall())
        cursor.execute(opening.PREVIOUS, [keys, acme.id])
        assert len(cursor.fetchall()) == 100
