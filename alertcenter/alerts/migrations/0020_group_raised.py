"""A policy may raise a group's severity."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("alerts", "0019_grown_tables"),
    ]

    operations = [
        migrations.AddField(
            model_name="group",
            name="raised_to",
            field=models.SmallIntegerField(db_default=0, default=0),
        ),
    ]
