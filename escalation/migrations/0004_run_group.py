"""Old groups are let go without reading every run."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("escalation", "0003_names")]
    operations = [
        migrations.AddIndex(
            model_name="run",
            index=models.Index(fields=["tenant", "group"], name="run_group"),
        ),
    ]
