"""What a schedule said of its turns is its first layer now; new tables are protected."""

import django.db.models.deletion
from django.db import migrations

import tenants.rls
from tenants.rls import AddTenantForeignKeys, ProtectTable

# Forced row-level security would hide all rows from the owner, who has no tenant here.
MOVE = """
ALTER TABLE schedule NO FORCE ROW LEVEL SECURITY;
ALTER TABLE turn NO FORCE ROW LEVEL SECURITY;
INSERT INTO layer (id, created_at, tenant_id, schedule_id, name, level, time_zone,
                   frequency, every, starts_on, handoff, weekdays, hours, holidays,
                   first_turn)
SELECT uuidv7(), now(), tenant_id, id, '', 0, '', 'daily', turn_days, starts_on,
       handoff, '["mon","tue","wed","thu","fri","sat","sun"]', '[]', 'any', 0
FROM schedule;
UPDATE turn t SET layer_id = l.id FROM layer l
WHERE l.tenant_id = t.tenant_id AND l.schedule_id = t.schedule_id;
ALTER TABLE schedule FORCE ROW LEVEL SECURITY;
ALTER TABLE turn FORCE ROW LEVEL SECURITY;
"""

# Who asks for a calendar is known by the address alone.
RESOLVE_CALENDAR = """
CREATE FUNCTION resolve_calendar(hash text)
RETURNS TABLE (tenant_id uuid, feed_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
  SELECT f.tenant_id, f.id FROM public.calendar_feed f WHERE f.lookup_hash = hash
$$;
REVOKE ALL ON FUNCTION resolve_calendar(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION resolve_calendar(text) TO ac_app, ac_engine, ac_owner;
ALTER FUNCTION resolve_calendar(text) OWNER TO ac_resolver;
-- A change of owner turns the old owner's own right into the new one's.
SET LOCAL ROLE ac_resolver;
GRANT EXECUTE ON FUNCTION resolve_calendar(text) TO ac_owner;
RESET ROLE;
"""

NEW = (
    "Layer",
    "Override",
    "TemporarySchedule",
    "TemporaryShift",
    "Swap",
    "Availability",
    "Absence",
    "CalendarImport",
    "ImportedShift",
    "Team",
    "TeamMember",
)


class Migration(migrations.Migration):
    dependencies = [("escalation", "0006_schedules")]

    operations = [
        migrations.RunSQL(MOVE, migrations.RunSQL.noop),
        migrations.RemoveField(model_name="schedule", name="handoff"),
        migrations.RemoveField(model_name="schedule", name="starts_on"),
        migrations.RemoveField(model_name="schedule", name="turn_days"),
        migrations.RemoveField(model_name="turn", name="schedule"),
        migrations.AlterField(
            model_name="turn",
            name="layer",
            field=tenants.rls.TenantForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="turns",
                to="escalation.layer",
            ),
        ),
        *(ProtectTable(model) for model in NEW),
        ProtectTable("CalendarFeed", resolver=True),
        *(AddTenantForeignKeys(model) for model in (*NEW[:-2], "TeamMember")),
        AddTenantForeignKeys("CalendarFeed"),
        AddTenantForeignKeys("Schedule", "owner"),
        AddTenantForeignKeys("Turn", "layer"),
        migrations.RunSQL(RESOLVE_CALENDAR, "DROP FUNCTION resolve_calendar(text)"),
    ]
