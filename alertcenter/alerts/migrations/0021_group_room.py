"""Room in a group's page for its next version: no index learns of a step, a mark or one
more alert (HOT). Pages that are full already get it as their rows come and go."""

from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("alerts", "0020_group_raised")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE alert_group SET (fillfactor = 75);",
            "ALTER TABLE alert_group RESET (fillfactor);",
        )
    ]
