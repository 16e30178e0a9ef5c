"""How long each tenant's rows are kept, and the functions that let old ones go."""

import django.core.validators
import django.db.models.functions.datetime
from django.db import migrations, models

# The bounds are printed in the session's time zone and read back in it.
PARTITIONS = """
CREATE FUNCTION ac_partitions(
  OUT parent text, OUT child text, OUT first timestamptz, OUT after timestamptz)
RETURNS SETOF record LANGUAGE sql STABLE SET search_path = pg_catalog AS $$
  SELECT p.relname, c.relname,
    substring(pg_get_expr(c.relpartbound, c.oid) from 'FROM \\(''([^'']+)''\\)')
      ::timestamptz,
    substring(pg_get_expr(c.relpartbound, c.oid) from ' TO \\(''([^'']+)''\\)')
      ::timestamptz
  FROM pg_inherits i
  JOIN pg_class p ON p.oid = i.inhparent AND p.relkind = 'p'
  JOIN pg_class c ON c.oid = i.inhrelid
  WHERE p.relnamespace = 'public'::regnamespace
$$;
"""

# A table says itself, in its comment, that it goes by the day. One that exists is
# passed by without a lock.
ENSURE = """
CREATE OR REPLACE FUNCTION ac_ensure_partitions(months_ahead int DEFAULT 3)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE
  parent text; daily boolean; step interval; shape text; ahead int; n int;
  first timestamp;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('ac_ensure_partitions'));
  FOR parent, daily IN
    SELECT c.relname,
      coalesce(obj_description(c.oid, 'pg_class') = 'partitioned by day', false)
    FROM pg_class c
    WHERE c.relkind = 'p' AND c.relnamespace = 'public'::regnamespace
  LOOP
    PERFORM public.ac_create_partition(parent, parent || '_rest', 'DEFAULT');
    step := CASE WHEN daily THEN '1 day' ELSE '1 month' END;
    shape := CASE WHEN daily THEN '_YYYY_MM_DD' ELSE '_YYYY_MM' END;
    ahead := CASE WHEN daily THEN 7 ELSE months_ahead END;
    FOR n IN 0 .. ahead LOOP
      first := date_trunc(CASE WHEN daily THEN 'day' ELSE 'month' END,
                          now() AT TIME ZONE 'UTC') + n * step;
      BEGIN
        PERFORM public.ac_create_partition(
          parent, parent || to_char(first, shape),
          format('FOR VALUES FROM (%L) TO (%L)',
                 to_char(first, 'YYYY-MM-DD') || ' 00:00:00+00',
                 to_char(first + step, 'YYYY-MM-DD') || ' 00:00:00+00'));
      EXCEPTION WHEN check_violation THEN
        NULL;  -- rows of that time already lie in the rest; they stay there
      END;
    END LOOP;
  END LOOP;
END $$;
"""

# Both act with their owner's rights, as the runtime may not delete from history. So
# they refuse what is younger than a day; the policies bind them as everybody.
FORGET = """
CREATE FUNCTION ac_check_age(before timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  IF before IS NULL OR before > now() - interval '1 day' THEN
    RAISE EXCEPTION 'what is younger than a day is kept';
  END IF;
END $$;

CREATE FUNCTION ac_drop_partition(of_table text, before timestamptz) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE oldest text;
BEGIN
  PERFORM public.ac_check_age(before);
  SELECT p.child INTO oldest FROM public.ac_partitions() p
  WHERE p.parent = of_table AND p.after <= before ORDER BY p.after LIMIT 1;
  IF oldest IS NULL THEN RETURN NULL; END IF;
  EXECUTE format('ALTER TABLE public.%I DETACH PARTITION public.%I', of_table, oldest);
  EXECUTE format('DROP TABLE public.%I', oldest);
  RETURN oldest;
END $$;

CREATE FUNCTION ac_forget(
  of_table text, of_tenant uuid, before timestamptz, most int, only_rest boolean)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE part text; gone bigint; total bigint := 0;
BEGIN
  PERFORM public.ac_check_age(before);
  FOR part IN
    SELECT p.child FROM public.ac_partitions() p
    WHERE p.parent = of_table
      AND (p.first IS NULL OR (p.first < before AND NOT only_rest))
    ORDER BY p.first NULLS LAST
  LOOP
    EXECUTE format(
      'DELETE FROM public.%1$I WHERE tenant_id = $1 AND ctid = ANY (ARRAY('
      'SELECT ctid FROM public.%1$I WHERE tenant_id = $1 AND at < $2 LIMIT $3))', part)
      USING of_tenant, before, most - total;
    GET DIAGNOSTICS gone = ROW_COUNT;
    total := total + gone;
    EXIT WHEN total >= most;
  END LOOP;
  RETURN total;
END $$;

REVOKE ALL ON FUNCTION ac_drop_partition(text, timestamptz) FROM PUBLIC;
REVOKE ALL ON FUNCTION ac_forget(text, uuid, timestamptz, int, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ac_drop_partition(text, timestamptz) TO ac_engine;
GRANT EXECUTE ON FUNCTION ac_forget(text, uuid, timestamptz, int, boolean) TO ac_engine;
"""

DROP = """
DROP FUNCTION ac_forget(text, uuid, timestamptz, int, boolean);
DROP FUNCTION ac_drop_partition(text, timestamptz);
DROP FUNCTION ac_check_age(timestamptz);
"""


def days(verbose_name: str) -> models.Field:
    return models.PositiveIntegerField(
        blank=True,
        help_text="Empty: as long as the installation keeps them.",
        null=True,
        validators=[
            django.core.validators.MinValueValidator(1),
            django.core.validators.MaxValueValidator(3650),
        ],
        verbose_name=verbose_name,
    )


class Migration(migrations.Migration):
    dependencies = [("tenants", "0004_homes")]
    operations = [
        migrations.AddField("tenant", "history_days", days("days of history")),
        migrations.AddField("tenant", "raw_days", days("days of raw payloads")),
        migrations.AddField(
            "tenant", "closed_days", days("days of resolved alerts and groups")
        ),
        migrations.AddField(
            "tenant",
            "keep_raw",
            models.CharField(
                choices=[
                    ("refused", "what was refused, wholly or partly"),
                    ("all", "a sample of everything"),
                    ("off", "nothing"),
                ],
                db_default="refused",
                default="refused",
                help_text=(
                    "Bodies as they arrived, for people who look for a mistake. "
                    "Best effort."
                ),
                max_length=10,
                verbose_name="raw payloads to keep",
            ),
        ),
        migrations.CreateModel(
            name="RetentionRun",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "started_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        verbose_name="started",
                    ),
                ),
                (
                    "finished_at",
                    models.DateTimeField(null=True, verbose_name="finished"),
                ),
                ("position", models.UUIDField(null=True)),
                (
                    "deleted",
                    models.JSONField(default=dict, verbose_name="rows deleted"),
                ),
                (
                    "dropped",
                    models.JSONField(default=list, verbose_name="partitions dropped"),
                ),
                (
                    "put_off",
                    models.JSONField(default=list, verbose_name="put off"),
                ),
            ],
            options={
                "verbose_name": "retention run",
                "verbose_name_plural": "storage and retention",
                "db_table": "retention_run",
                "ordering": ["-id"],
            },
        ),
        migrations.RunSQL(PARTITIONS, "DROP FUNCTION ac_partitions()"),
        # The former version did no more than this one: nothing to put back.
        migrations.RunSQL(ENSURE, migrations.RunSQL.noop),
        migrations.RunSQL(FORGET, DROP),
    ]
