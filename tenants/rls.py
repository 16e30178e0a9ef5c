"""How does PostgreSQL keep tenants apart? Context, policies, composite keys.

Design and traps: design/decisions.md section 1. Every tenant table gets the same
policy text, reads the tenants of `app.tenants`, and forces it on its owner too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.db import connection, models, transaction
from django.db.migrations.operations.base import Operation
from psycopg2.extensions import TRANSACTION_STATUS_INERROR

PARTITIONED = ("transition", "episode", "attempt", "audit", "raw_event")
APPEND_ONLY = ("transition", "audit", "attempt")
TENANT_CHECK = "tenant_id = ANY ((select app_tenants())::uuid[])"

READ_CONTEXT = "SELECT current_setting('app.tenants', true)"
SET_CONTEXT = "SELECT set_config('app.tenants', %s, true)"


def as_literal(ids: Iterable[UUID]) -> str:
    """Return the uuid[] literal that `app.tenants` holds."""
    return "{" + ",".join(str(item) for item in ids) + "}"


@contextmanager
def tenant_context(*ids: UUID) -> Iterator[None]:
    """Let this transaction see the rows of the tenants `ids`, and no others.

    Raises RuntimeError outside a transaction, where the setting would not hold.
    The former context comes back on exit; after a database error it comes back
    with the rollback, so nothing is sent on a broken transaction.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("tenant_context needs a transaction")
    with connection.cursor() as cursor:
        cursor.execute(READ_CONTEXT)
        before = cursor.fetchone()[0] or ""
        cursor.execute(SET_CONTEXT, [as_literal(ids)])
    try:
        yield
    finally:
        raw: Any = connection.connection
        broken = raw is None or raw.closed
        if not broken:
            broken = raw.get_transaction_status() == TRANSACTION_STATUS_INERROR
        if not broken and not connection.needs_rollback:
            with connection.cursor() as cursor:
                cursor.execute(SET_CONTEXT, [before])


@contextmanager
def in_tenant(*ids: UUID) -> Iterator[None]:
    """Open a transaction that sees the tenants `ids`."""
    begins = not connection.in_atomic_block
    with transaction.atomic():
        if not begins:
            with tenant_context(*ids):
                yield
            return
        # Nothing was set before, and what is set ends with the transaction: most
        # transactions begin here, and are spared two statements.
        with connection.cursor() as cursor:
            cursor.execute(SET_CONTEXT, [as_literal(ids)])
        yield


class TenantForeignKey(models.ForeignKey):
    """A reference inside one tenant.

    Django makes no constraint for it; `ProtectTable` makes the composite key
    `(tenant_id, x_id) REFERENCES x (tenant_id, id)`, because a plain foreign key
    is checked without row-level security and would accept a foreign row.
    """

    def __init__(self, to: Any, on_delete: Any, **kwargs: Any) -> None:
        kwargs["db_constraint"] = False
        super().__init__(to, on_delete=on_delete, **kwargs)


class TableOperation(Operation):
    """SQL on one model's table; the model's state does not change."""

    reduces_to_sql = True
    reversible = True

    def __init__(self, model: str) -> None:
        self.model = model

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Nothing: the state already says all that Django knows."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        self.apply(to_state.apps.get_model(app_label, self.model), schema_editor)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        """Nothing: dropping the table, which follows, undoes it."""

    def apply(self, model: Any, schema_editor: Any) -> None:
        """Run the statements on the table of `model`; each subclass has its own."""

    def describe(self) -> str:
        return f"{type(self).__name__} {self.model}"


class ProtectTable(TableOperation):
    """Enable and force row-level security on a model's table.

    `queue`: the engine's login sees all rows (queue tables only).
    `resolver`: the SECURITY DEFINER functions of ac_resolver may read it.
    Adds UNIQUE (tenant_id, id), the target of `AddTenantForeignKeys`.
    """

    def __init__(
        self, model: str, *, queue: bool = False, resolver: bool = False
    ) -> None:
        super().__init__(model)
        self.queue = queue
        self.resolver = resolver

    def apply(self, model: Any, schema_editor: Any) -> None:
        table = model._meta.db_table
        for statement in policy_sql(table, queue=self.queue, resolver=self.resolver):
            schema_editor.execute(statement)
        if table not in PARTITIONED:
            schema_editor.execute(
                f'ALTER TABLE "{table}" ADD CONSTRAINT {table}_in_tenant '
                "UNIQUE (tenant_id, id)"
            )


class AddTenantForeignKeys(TableOperation):
    """Add the composite keys for a model's `TenantForeignKey` fields.

    While FORCE is on, ADD FOREIGN KEY sees no row and accepts violations in
    silence; so it is lifted on both tables for the moment of the check.
    """

    def __init__(self, model: str, *fields: str) -> None:
        super().__init__(model)
        self.fields = fields

    def apply(self, model: Any, schema_editor: Any) -> None:
        table = model._meta.db_table
        for field in model._meta.local_fields:
            if not isinstance(field, TenantForeignKey):
                continue
            if self.fields and field.name not in self.fields:
                continue
            for statement in foreign_key_sql(table, field):
                schema_editor.execute(statement)


class PartitionByMonth(TableOperation):
    """Make a new, empty table a partitioned one, by its column `at`.

    The primary key becomes (id, at), as PostgreSQL demands; indexes are made anew.
    History has no foreign key to its tenant: the policy's WITH CHECK already refuses
    tenants out of context, and the key's trigger cost intake 3 microseconds a row.
    """

    def apply(self, model: Any, schema_editor: Any) -> None:
        table = model._meta.db_table
        for statement in (
            f'ALTER TABLE "{table}" RENAME TO "{table}_plain"',
            f'CREATE TABLE "{table}" (LIKE "{table}_plain" INCLUDING DEFAULTS '
            "INCLUDING IDENTITY) PARTITION BY RANGE (at)",
            f'DROP TABLE "{table}_plain"',
            f'ALTER TABLE "{table}" ADD PRIMARY KEY (id, at)',
        ):
            schema_editor.execute(statement)
        for index in model._meta.indexes:
            schema_editor.add_index(model, index)
        self.note_length(table, schema_editor)
        schema_editor.execute("SELECT ac_ensure_partitions()")

    def note_length(self, table: str, schema_editor: Any) -> None:
        """A month is what ac_ensure_partitions makes unless it is told otherwise."""


class PartitionByDay(PartitionByMonth):
    """As PartitionByMonth, for rows that are kept for days."""

    def note_length(self, table: str, schema_editor: Any) -> None:
        """Write into the catalogue what ac_ensure_partitions looks for there."""
        schema_editor.execute(f"COMMENT ON TABLE \"{table}\" IS 'partitioned by day'")


def policy_sql(table: str, *, queue: bool, resolver: bool) -> list[str]:
    """Return the statements that shut `table` to other tenants."""
    statements = [
        f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY',
        f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY',
        f'CREATE POLICY tenant ON "{table}" '
        f"USING ({TENANT_CHECK}) WITH CHECK ({TENANT_CHECK})",
    ]
    if queue:
        statements.append(
            f'CREATE POLICY engine ON "{table}" TO ac_engine '
            "USING (true) WITH CHECK (true)"
        )
    if resolver:
        statements += [
            f'CREATE POLICY resolver ON "{table}" FOR SELECT TO ac_resolver '
            "USING (true)",
            f'GRANT SELECT ON "{table}" TO ac_resolver',
        ]
    if table in APPEND_ONLY:
        statements.append(
            f'REVOKE UPDATE, DELETE, TRUNCATE ON "{table}" FROM ac_app, ac_engine'
        )
    return statements


def foreign_key_sql(table: str, field: TenantForeignKey) -> list[str]:
    """Return the statements that add the composite key of `field`."""
    target, column = field.related_model._meta.db_table, field.column
    tables = dict.fromkeys((table, target))
    action = on_delete_sql(field.remote_field.on_delete, column)
    return [
        *(f'ALTER TABLE "{name}" NO FORCE ROW LEVEL SECURITY' for name in tables),
        f'ALTER TABLE "{table}" ADD CONSTRAINT {table}_{column}_in_tenant '
        f'FOREIGN KEY (tenant_id, "{column}") '
        f'REFERENCES "{target}" (tenant_id, id) {action}',
        *(f'ALTER TABLE "{name}" FORCE ROW LEVEL SECURITY' for name in tables),
    ]


def on_delete_sql(on_delete: Any, column: str) -> str:
    """Return PostgreSQL's clause for Django's `on_delete`."""
    if on_delete is models.CASCADE:
        return "ON DELETE CASCADE"
    if on_delete is models.SET_NULL:
        # Naming the column keeps tenant_id, which must never become NULL.
        return f'ON DELETE SET NULL ("{column}")'
    return "ON DELETE NO ACTION"
