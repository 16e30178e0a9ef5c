"""The group before one that opens is found by an index, however long the history."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("alerts", "0017_maintenance")]

    operations = [
        migrations.AddIndex(
            model_name="group",
            index=models.Index(
                condition=models.Q(("state", "resolved")),
                fields=["tenant", "key", "-number"],
                name="group_previous",
            ),
        ),
    ]
