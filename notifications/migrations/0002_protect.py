"""Row-level security of this room, and whom a Slack callback belongs to."""

from django.db import migrations

from tenants.rls import AddTenantForeignKeys, PartitionByMonth, ProtectTable

RESOLVER = """
CREATE FUNCTION resolve_slack(team text, app text)
RETURNS TABLE (tenant_id uuid, channel_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
  SELECT c.tenant_id, c.id FROM public.channel c
  WHERE c.kind = 'slack' AND c.active
    AND coalesce(c.settings->>'team_id', '') IN ('', team)
    AND coalesce(c.settings->>'app_id', '') IN ('', app)
  ORDER BY coalesce(c.settings->>'team_id', '') DESC, c.id LIMIT 50
$$;
REVOKE ALL ON FUNCTION resolve_slack(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION resolve_slack(text, text) TO ac_app, ac_engine;
ALTER FUNCTION resolve_slack(text, text) OWNER TO ac_resolver;
CREATE INDEX channel_slack_team ON channel (coalesce(settings->>'team_id', ''))
  WHERE kind = 'slack';
"""


class Migration(migrations.Migration):
    dependencies = [("notifications", "0001_initial"), ("tenants", "0003_protect")]
    operations = [
        PartitionByMonth("Attempt"),
        ProtectTable("Channel", resolver=True),
        ProtectTable("Contact"),
        ProtectTable("MessageTemplate"),
        ProtectTable("Delivery", queue=True),
        ProtectTable("Attempt"),
        ProtectTable("Thread"),
        ProtectTable("SimulatedMessage"),
        AddTenantForeignKeys("Contact"),
        AddTenantForeignKeys("Delivery"),
        AddTenantForeignKeys("Thread"),
        migrations.RunSQL(RESOLVER, "DROP FUNCTION resolve_slack(text, text)"),
        migrations.RunSQL(
            "ALTER TABLE delivery SET (autovacuum_vacuum_scale_factor = 0.01)",
            migrations.RunSQL.noop,
        ),
    ]
