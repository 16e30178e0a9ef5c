"""Whose secret may have signed a Slack callback? Some of every tenant's channels.

Before, the oldest fifty channels that fit were tried: one tenant with fifty of them
kept those that others made later from ever being believed.
"""

from django.db import migrations

FAIR = """
SET LOCAL ROLE ac_resolver;
CREATE OR REPLACE FUNCTION resolve_slack(team text, app text)
RETURNS TABLE (tenant_id uuid, channel_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
  SELECT f.tenant_id, f.id FROM (
    SELECT c.tenant_id, c.id, coalesce(c.settings->>'team_id', '') AS named,
           row_number() OVER (
             PARTITION BY c.tenant_id
             ORDER BY coalesce(c.settings->>'team_id', '') DESC, c.id) AS turn
    FROM public.channel c
    WHERE c.kind = 'slack' AND c.active
      AND coalesce(c.settings->>'team_id', '') IN ('', team)
      AND coalesce(c.settings->>'app_id', '') IN ('', app)
  ) f
  ORDER BY f.turn, f.named DESC, f.id LIMIT 200
$$;
RESET ROLE;
"""


class Migration(migrations.Migration):
    dependencies = [("notifications", "0003_delivery_doubts")]
    operations = [migrations.RunSQL(FAIR, migrations.RunSQL.noop)]
