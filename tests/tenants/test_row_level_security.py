"""Does PostgreSQL itself keep tenants apart? Asked of its catalogue, and tried."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db import DatabaseError, IntegrityError, connection, transaction

from alertcenter.alerts.models import GroupAlert
from alertcenter.common.ids import uuid7
from notifications.models import Channel, Contact
from tenants.models import Member, Tenant
from tenants.models.base import TenantRow
from tenants.rls import (
    APPEND_ONLY,
    PARTITIONED,
    in_tenant,
    tenant_context,
)
from tests.cast import Cast
from tests.conftest import login_as

pytestmark = pytest.mark.django_db(transaction=True)

QUEUES = {
    "asked_act",
    "feed",
    "flush",
    "destination",
    "due_step",
    "delivery",
    "slack_inbox",
    "live_head",
}
RESOLVED = {
    "apikey",
    "calendar_feed",
    "channel",
    "heartbeat",
    "integration",
    "member",
    "tenant",
}


def rows(statement: str) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


def column(statement: str) -> set[str]:
    return {row[0] for row in rows(statement)}


TENANT_TABLES = """
SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
  AND a.attname = 'tenant_id' AND NOT a.attisdropped
"""


# --- what the catalogue says ---


def test_every_tenants_model_is_found_in_the_catalogue():
    tables = {
        model._meta.db_table
        for model in apps.get_models()
        if issubclass(model, TenantRow)
    }
    assert len(tables) > 20
    assert tables <= column(TENANT_TABLES)


def test_tenant_id_is_never_null():
    nullable = column(TENANT_TABLES + " AND NOT a.attnotnull")
    assert nullable == set()


def test_security_is_enabled_and_forced_on_all_of_them_and_their_partitions():
    open_tables = column(
        f"SELECT relname FROM pg_class WHERE relname IN ({TENANT_TABLES}) "
        "AND relnamespace = 'public'::regnamespace "
        "AND NOT (relrowsecurity AND relforcerowsecurity)"
    )
    assert open_tables == set()
    partitions = column(
        "SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r'"
    )
    assert len(partitions) >= len(PARTITIONED)
    assert partitions <= column(TENANT_TABLES)


def test_each_has_the_same_policy_for_reading_and_writing():
    wrong = {
        table: (using, check)
        for table, using, check in rows(
            f"SELECT tablename, qual, with_check FROM pg_policies "
            f"WHERE policyname = 'tenant' AND tablename IN ({TENANT_TABLES})"
        )
        if using != check or "app_tenants()" not in using or "tenant_id" not in using
    }
    assert wrong == {}
    without = column(
        TENANT_TABLES + " AND c.relname NOT IN (SELECT tablename FROM pg_policies "
        "WHERE policyname = 'tenant' AND cmd = 'ALL' AND permissive = 'PERMISSIVE' "
        "AND roles = '{public}')"
    )
    assert without == set()


def test_only_queues_are_open_to_the_engine_and_only_lookups_to_the_resolver():
    others = rows(
        "SELECT tablename, policyname, roles::text, cmd FROM pg_policies "
        "WHERE policyname <> 'tenant'"
    )
    engine = {row[0] for row in others if row[1] == "engine"}
    resolver = {row[0] for row in others if row[1] == "resolver"}
    assert engine == QUEUES
    assert resolver <= RESOLVED
    for table, name, roles, command in others:
        expected = {
            "engine": ("{ac_engine}", "ALL"),
            "resolver": ("{ac_resolver}", "SELECT"),
        }
        assert (roles, command) == expected[name], table


def test_the_tenant_table_itself_is_closed():
    assert rows(
        "SELECT relrowsecurity, relforcerowsecurity FROM pg_class "
        "WHERE relname = 'tenant'"
    ) == [(True, True)]


def test_every_foreign_key_between_tenants_tables_contains_the_tenant():
    plain = column(
        f"""
        SELECT k.conname FROM pg_constraint k
        JOIN pg_class c ON c.oid = k.conrelid JOIN pg_class f ON f.oid = k.confrelid
        WHERE k.contype = 'f' AND c.relname IN ({TENANT_TABLES})
          AND f.relname IN ({TENANT_TABLES})
          AND NOT EXISTS (
            SELECT FROM unnest(k.conkey, k.confkey) AS pair(ours, theirs)
            JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = pair.ours
            JOIN pg_attribute b ON b.attrelid = f.oid AND b.attnum = pair.theirs
            WHERE a.attname = 'tenant_id' AND b.attname = 'tenant_id')
        """
    )
    assert plain == set()


def test_every_reference_between_tenants_models_has_its_composite_key():
    """Django makes no constraint for a TenantForeignKey: a migration must."""
    known = column("SELECT conname FROM pg_constraint WHERE contype = 'f'")
    wanted = {
        f"{model._meta.db_table}_{field.column}_in_tenant"
        for model in apps.get_models()
        if issubclass(model, TenantRow)
        for field in model._meta.local_fields
        if field.related_model and issubclass(field.related_model, TenantRow)
    }
    assert wanted
    assert wanted <= known


def test_partitions_are_reached_through_their_parent_only():
    reachable = rows(
        "SELECT c.relname, r.rolname FROM pg_class c, pg_roles r "
        "WHERE c.relispartition AND c.relkind = 'r' "
        "AND r.rolname IN ('ac_app', 'ac_engine') AND has_table_privilege("
        "r.oid, c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')"
    )
    assert reachable == []


def test_nobody_may_truncate_and_history_is_append_only():
    for privilege, names in (
        ("TRUNCATE", None),
        ("UPDATE", APPEND_ONLY),
        ("DELETE", APPEND_ONLY),
    ):
        allowed = column(
            "SELECT c.relname FROM pg_class c, pg_roles r "
            "WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') "
            "AND r.rolname IN ('ac_app', 'ac_engine') "
            f"AND has_table_privilege(r.oid, c.oid, '{privilege}')"
        )
        assert not allowed & set(names if names is not None else allowed), privilege


def test_no_login_of_ours_steps_around_it():
    assert (
        rows(
            "SELECT rolname FROM pg_roles WHERE rolname LIKE 'ac\\_%' "
            "AND (rolsuper OR rolbypassrls)"
        )
        == []
    )
    assert rows("SELECT current_user") == [("ac_app",)]


def test_functions_with_their_owners_eyes_are_pinned_and_not_for_everybody():
    found = rows(
        "SELECT proname, proconfig::text, coalesce(proacl::text, '') FROM pg_proc "
        "WHERE prosecdef AND pronamespace = 'public'::regnamespace"
    )
    assert {name for name, *_ in found} >= {"resolve_key", "resolve_memberships"}
    for name, config, rights in found:
        assert "search_path=" in config, name
        assert rights, f"{name} is open to PUBLIC"
        assert not rights.startswith("{=X"), name
        assert ",=X" not in rights, name


# --- what happens when it is tried ---


def seen() -> set[str]:
    return set(Tenant.objects.values_list("slug", flat=True))


def test_without_a_context_there_are_no_rows(acme: Cast, globex: Cast):
    assert seen() == set()
    with transaction.atomic():
        assert seen() == set()
        assert not Member.objects.exists()


def test_a_context_shows_its_tenants_and_no_others(acme: Cast, globex: Cast):
    with in_tenant(acme.id):
        assert seen() == {"acme"}
        assert set(Member.objects.values_list("tenant_id", flat=True)) == {acme.id}
    with in_tenant(acme.id, globex.id):
        assert seen() == {"acme", "globex"}
    with in_tenant():
        assert seen() == set()
    with in_tenant(uuid7()):
        assert seen() == set()


def test_a_context_needs_a_transaction(acme: Cast):
    with pytest.raises(RuntimeError), tenant_context(acme.id):
        pass


def test_the_former_context_comes_back(acme: Cast, globex: Cast):
    with in_tenant(acme.id):
        with tenant_context(globex.id):
            assert seen() == {"globex"}
        assert seen() == {"acme"}
        with transaction.atomic(), tenant_context(globex.id):
            assert seen() == {"globex"}
        assert seen() == {"acme"}


def test_nothing_leaks_out_of_a_context(acme: Cast, globex: Cast):
    with in_tenant(acme.id):
        pass
    assert seen() == set()
    with pytest.raises(ZeroDivisionError), in_tenant(acme.id):
        _ = 1 / 0
    assert seen() == set()
    with transaction.atomic():
        with tenant_context(acme.id):
            assert seen() == {"acme"}
        assert seen() == set()


def test_nothing_leaks_out_of_a_failed_statement(acme: Cast, globex: Cast):
    with transaction.atomic(), tenant_context(globex.id):
        inner = transaction.atomic()
        with pytest.raises(DatabaseError), inner, tenant_context(acme.id):
            rows("SELECT 1 / 0")
        assert seen() == {"globex"}
    assert seen() == set()


def test_a_swallowed_error_inside_a_savepoint_leaves_no_wider_context(
    acme: Cast, globex: Cast
):
    with in_tenant(globex.id):
        with (
            tenant_context(acme.id),
            pytest.raises(DatabaseError),
            transaction.atomic(),
        ):
            rows("SELECT 1 / 0")
        assert seen() == {"globex"}


def test_rows_of_others_can_be_neither_changed_nor_deleted(acme: Cast, globex: Cast):
    with in_tenant(globex.id):
        assert Member.objects.filter(tenant_id=acme.id).update(role="viewer") == 0
        assert Member.objects.filter(tenant_id=acme.id).delete()[0] == 0
        assert Tenant.objects.filter(pk=acme.id).update(name="mine") == 0
    with in_tenant(acme.id):
        assert set(Member.objects.values_list("role", flat=True)) > {"owner"}


def test_a_row_cannot_be_written_for_others_or_moved_to_them(acme: Cast, globex: Cast):
    with pytest.raises(DatabaseError, match="row-level security"), in_tenant(globex.id):
        Channel.objects.create(tenant_id=acme.id, kind="email", slug="x", name="x")
    with in_tenant(globex.id):
        mine = Channel.objects.create(
            tenant_id=globex.id, kind="email", slug="x", name="x"
        )
    with pytest.raises(DatabaseError, match="row-level security"), in_tenant(globex.id):
        Channel.objects.filter(pk=mine.pk).update(tenant_id=acme.id)


def test_a_reference_to_a_row_of_others_is_refused(acme: Cast, globex: Cast):
    with pytest.raises(IntegrityError), in_tenant(globex.id):
        Contact.objects.create(
            tenant_id=globex.id,
            member_id=acme.members["alice"].pk,
            kind="email",
            address="x@example.org",
        )
    with pytest.raises(IntegrityError), in_tenant(globex.id, acme.id):
        GroupAlert.objects.create(
            tenant_id=globex.id,
            group_id=uuid7(),
            alert_id=uuid7(),
            episode_id=uuid7(),
            joined_at="2026-01-01T00:00:00Z",
        )


def test_the_owner_is_bound_too(acme: Cast):
    with login_as("owner"):
        assert seen() == set()


def test_the_engine_sees_queues_only(acme: Cast):
    with login_as("engine"):
        assert seen() == set()
        assert not Member.objects.exists()
        with transaction.atomic():
            assert rows("SELECT count(*) FROM delivery") == [(0,)]
