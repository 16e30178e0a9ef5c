"""Row-level security of this room, and the functions that work without context."""

from django.conf import settings
from django.db import migrations

from tenants.rls import PartitionByMonth, ProtectTable

TENANT_POLICY = """
ALTER TABLE tenant ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenant FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON tenant
  USING (id = ANY ((select app_tenants())::uuid[]))
  WITH CHECK (id = ANY ((select app_tenants())::uuid[]));
CREATE POLICY resolver ON tenant FOR SELECT TO ac_resolver USING (true);
GRANT SELECT ON tenant TO ac_resolver;
GRANT SELECT ON auth_user TO ac_resolver;
"""

# They return ids and names, never secrets; search_path is pinned, tables are
# schema-qualified, and only the runtime's logins may call them.
RESOLVERS = """
CREATE FUNCTION resolve_key(hash text)
RETURNS TABLE (key_id uuid, tenant_id uuid, slug varchar, scopes varchar[], name varchar)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
  SELECT k.id, k.tenant_id, t.slug, k.scopes, k.name
  FROM public.apikey k JOIN public.tenant t ON t.id = k.tenant_id
  WHERE k.lookup_hash = hash AND k.revoked_at IS NULL
    AND (k.expires_at IS NULL OR k.expires_at > now())
$$;

CREATE FUNCTION resolve_memberships(who bigint)
RETURNS TABLE (tenant_id uuid, slug varchar, name varchar, member_id uuid, role varchar,
               language varchar, time_zone varchar, label varchar)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
  SELECT t.id, t.slug, t.name, m.id,
         CASE WHEN u.is_superuser THEN 'operator' ELSE m.role END,
         coalesce(m.language, t.language), coalesce(m.time_zone, t.time_zone),
         coalesce(m.name, nullif(u.first_name || ' ' || u.last_name, ' '), u.username)
  FROM public.auth_user u
  CROSS JOIN public.tenant t
  LEFT JOIN public.member m
    ON m.tenant_id = t.id AND m.user_id = u.id AND m.active
  WHERE u.id = who AND u.is_active AND (u.is_superuser OR m.id IS NOT NULL)
  ORDER BY t.slug
$$;

CREATE FUNCTION resolve_tenants() RETURNS TABLE (tenant_id uuid, slug varchar)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
  SELECT t.id, t.slug FROM public.tenant t ORDER BY t.slug
$$;

REVOKE ALL ON FUNCTION resolve_key(text) FROM PUBLIC;
REVOKE ALL ON FUNCTION resolve_memberships(bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION resolve_tenants() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION resolve_key(text) TO ac_app, ac_engine, ac_owner;
GRANT EXECUTE ON FUNCTION resolve_memberships(bigint) TO ac_app, ac_engine, ac_owner;
GRANT EXECUTE ON FUNCTION resolve_tenants() TO ac_engine, ac_owner;

ALTER FUNCTION resolve_key(text) OWNER TO ac_resolver;
ALTER FUNCTION resolve_memberships(bigint) OWNER TO ac_resolver;
ALTER FUNCTION resolve_tenants() OWNER TO ac_resolver;

-- A change of owner turns the old owner's own right into the new one's.
SET LOCAL ROLE ac_resolver;
GRANT EXECUTE ON FUNCTION resolve_key(text) TO ac_owner;
GRANT EXECUTE ON FUNCTION resolve_memberships(bigint) TO ac_owner;
GRANT EXECUTE ON FUNCTION resolve_tenants() TO ac_owner;
RESET ROLE;
"""

DROP = """
DROP FUNCTION resolve_key(text);
DROP FUNCTION resolve_memberships(bigint);
DROP FUNCTION resolve_tenants();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("tenants", "0002_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        PartitionByMonth("Audit"),
        migrations.RunSQL(TENANT_POLICY, migrations.RunSQL.noop),
        ProtectTable("TenantKey"),
        ProtectTable("Member", resolver=True),
        ProtectTable("ApiKey", resolver=True),
        ProtectTable("Audit"),
        migrations.RunSQL(RESOLVERS, DROP),
    ]
