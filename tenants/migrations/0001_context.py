"""The tenant context, the runtime's rights, and the upkeep of partitions.

Runs before every other app's first table, so that default privileges cover all.
"""

from django.db import migrations

CONTEXT = """
CREATE FUNCTION app_tenants() RETURNS uuid[] LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT nullif(current_setting('app.tenants', true), '')::uuid[] $$;
"""

RIGHTS = """
GRANT USAGE ON SCHEMA public TO ac_app, ac_engine, ac_resolver;
ALTER DEFAULT PRIVILEGES IN SCHEMA public
  GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO ac_app, ac_engine;
ALTER DEFAULT PRIVILEGES IN SCHEMA public
  GRANT USAGE, SELECT ON SEQUENCES TO ac_app, ac_engine;
GRANT SELECT ON django_migrations TO ac_app, ac_engine;
"""

# A partition addressed by its own name skips its parent's policy: each gets the
# policy itself, and nobody but the owner gets rights on it.
PARTITIONS = """
CREATE FUNCTION ac_create_partition(parent text, child text, bounds text)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF to_regclass(child) IS NOT NULL THEN RETURN; END IF;
  EXECUTE format('CREATE TABLE %I PARTITION OF %I %s', child, parent, bounds);
  EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', child);
  EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', child);
  EXECUTE format('CREATE POLICY tenant ON %I USING (tenant_id = ANY '
    '((select app_tenants())::uuid[])) WITH CHECK (tenant_id = ANY '
    '((select app_tenants())::uuid[]))', child);
  EXECUTE format('REVOKE ALL ON %I FROM ac_app, ac_engine', child);
END $$;

CREATE FUNCTION ac_ensure_partitions(months_ahead int DEFAULT 3)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE parent text; first date; n int;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('ac_ensure_partitions'));
  FOR parent IN
    SELECT c.relname FROM pg_partitioned_table p
    JOIN pg_class c ON c.oid = p.partrelid
    JOIN pg_namespace s ON s.oid = c.relnamespace WHERE s.nspname = 'public'
  LOOP
    PERFORM public.ac_create_partition(parent, parent || '_rest', 'DEFAULT');
    FOR n IN -1 .. months_ahead LOOP
      first := (date_trunc('month', now() AT TIME ZONE 'UTC')
                + make_interval(months => n))::date;
      BEGIN
        PERFORM public.ac_create_partition(
          parent, parent || to_char(first, '_YYYY_MM'),
          format('FOR VALUES FROM (%L) TO (%L)', first::text || ' 00:00:00+00',
                 (first + interval '1 month')::date::text || ' 00:00:00+00'));
      EXCEPTION WHEN check_violation THEN
        NULL;  -- rows of that month already lie in the rest; they stay there
      END;
    END LOOP;
  END LOOP;
END $$;
REVOKE ALL ON FUNCTION ac_ensure_partitions(int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ac_ensure_partitions(int) TO ac_engine;
"""


class Migration(migrations.Migration):
    initial = True
    run_before = [
        ("contenttypes", "0001_initial"),
        ("sessions", "0001_initial"),
        ("django_celery_beat", "0001_initial"),
    ]
    dependencies: list[tuple[str, str]] = []
    operations = [
        migrations.RunSQL(CONTEXT, "DROP FUNCTION app_tenants()"),
        migrations.RunSQL(RIGHTS, migrations.RunSQL.noop),
        migrations.RunSQL(
            PARTITIONS,
            "DROP FUNCTION ac_ensure_partitions(int);"
            "DROP FUNCTION ac_create_partition(text, text, text);",
        ),
    ]
