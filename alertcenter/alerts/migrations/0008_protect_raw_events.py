"""Row-level security and partitions of what arrived."""

from django.db import migrations

from tenants.rls import PartitionByDay, ProtectTable


class Migration(migrations.Migration):
    dependencies = [("alerts", "0007_raw_events")]
    operations = [
        PartitionByDay("RawEvent"),
        ProtectTable("RawEvent"),
        # Bodies are packed before they are sent here.
        migrations.RunSQL(
            "ALTER TABLE raw_event ALTER body SET STORAGE EXTERNAL",
            migrations.RunSQL.noop,
        ),
    ]
