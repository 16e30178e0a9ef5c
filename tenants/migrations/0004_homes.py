"""Where does a user stand, and where did he? For whoever would set his password."""

from django.db import migrations

HOMES = """
CREATE FUNCTION resolve_homes(who bigint) RETURNS TABLE (tenant_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
  SELECT m.tenant_id FROM public.member m WHERE m.user_id = who
$$;
REVOKE ALL ON FUNCTION resolve_homes(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION resolve_homes(bigint) TO ac_app;
ALTER FUNCTION resolve_homes(bigint) OWNER TO ac_resolver;
"""


class Migration(migrations.Migration):
    dependencies = [("tenants", "0003_protect")]
    operations = [
        migrations.RunSQL(HOMES, "DROP FUNCTION resolve_homes(bigint)"),
    ]
