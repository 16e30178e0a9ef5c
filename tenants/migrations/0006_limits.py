"""How much a tenant may send, and how much it does."""

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

from tenants.rls import ProtectTable


class Migration(migrations.Migration):
    dependencies = [
        ("tenants", "0005_retention"),
    ]

    operations = [
        migrations.AddField(
            model_name="tenant",
            name="address_events_per_second",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="Ten seconds' worth may come at once. 0: no limit; empty: the installation's.",
                null=True,
                validators=[django.core.validators.MaxValueValidator(1000000)],
                verbose_name="events a second from one address",
            ),
        ),
        migrations.AddField(
            model_name="tenant",
            name="events_per_second",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="Ten seconds' worth may come at once. 0: no limit; empty: the installation's.",
                null=True,
                validators=[django.core.validators.MaxValueValidator(1000000)],
                verbose_name="events a second",
            ),
        ),
        migrations.AddField(
            model_name="tenant",
            name="key_events_per_second",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="Ten seconds' worth may come at once. 0: no limit; empty: the installation's.",
                null=True,
                validators=[django.core.validators.MaxValueValidator(1000000)],
                verbose_name="events a second with one key",
            ),
        ),
        migrations.CreateModel(
            name="Usage",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("hour", models.DateTimeField(verbose_name="hour")),
                ("events", models.BigIntegerField(default=0, verbose_name="events")),
                (
                    "refused",
                    models.BigIntegerField(default=0, verbose_name="requests refused"),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="tenants.tenant",
                        verbose_name="tenant",
                    ),
                ),
            ],
            options={
                "verbose_name": "use",
                "verbose_name_plural": "use",
                "db_table": "usage",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant", "hour"), name="usage_hour"
                    )
                ],
            },
        ),
        ProtectTable("Usage"),
    ]
