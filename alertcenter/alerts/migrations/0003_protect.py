"""Row-level security of this room."""

from django.db import migrations

from tenants.rls import PartitionByMonth, ProtectTable

EPISODE_NUMBERS = "CREATE SEQUENCE episode_number"


class Migration(migrations.Migration):
    dependencies = [("alerts", "0002_initial"), ("tenants", "0003_protect")]
    operations = [
        migrations.RunSQL(EPISODE_NUMBERS, "DROP SEQUENCE episode_number"),
        PartitionByMonth("Transition"),
        PartitionByMonth("Episode"),
        ProtectTable("Alert"),
        ProtectTable("Episode"),
        ProtectTable("Transition"),
        ProtectTable("Feed", queue=True),
        ProtectTable("Group"),
        ProtectTable("GroupAlert"),
        ProtectTable("GroupCounter"),
        ProtectTable("Route"),
        ProtectTable("Rule"),
        migrations.RunSQL(
            "ALTER TABLE alert SET (fillfactor = 85);"
            "ALTER TABLE feed SET (autovacuum_vacuum_scale_factor = 0.01)",
            migrations.RunSQL.noop,
        ),
    ]
