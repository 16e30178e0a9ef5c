"""Tables that have grown since anybody looked are counted again within seconds.

How PostgreSQL looks up a foreign key is planned once a session. Planned while a table
had one page it reads the whole table, and does so for every row of a storm, until the
table is analyzed: which autovacuum gets round to once a minute.
"""

from django.db import migrations

# The owner's right, lent for this one thing. A table is due when it has doubled.
GROWN = """
CREATE FUNCTION ac_analyze_grown() RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
  grown regclass;
  found integer := 0;
BEGIN
  FOR grown IN
    SELECT c.oid FROM pg_class c
    WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
      AND c.relowner = current_user::regrole
      AND pg_relation_size(c.oid) / current_setting('block_size')::bigint
          > 2 * greatest(c.relpages, 4)
  LOOP
    EXECUTE format('ANALYZE (SKIP_LOCKED) %s', grown);
    found := found + 1;
  END LOOP;
  RETURN found;
END $$;
REVOKE ALL ON FUNCTION ac_analyze_grown() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ac_analyze_grown() TO ac_engine
"""


class Migration(migrations.Migration):
    dependencies = [("alerts", "0018_group_previous")]

    operations = [migrations.RunSQL(GROWN, "DROP FUNCTION ac_analyze_grown()")]
