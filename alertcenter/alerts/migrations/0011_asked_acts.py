"""Single alerts of a group can be acknowledged."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("alerts", "0010_raw_context"),
    ]

    operations = [
        migrations.AddField(
            model_name="groupalert",
            name="acked_at",
            field=models.DateTimeField(null=True, verbose_name="acknowledged"),
        ),
    ]
