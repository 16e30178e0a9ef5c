"""Receipts of requests that may be sent again."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

from tenants.rls import ProtectTable


class Migration(migrations.Migration):
    dependencies = [
        ("alerts", "0008_protect_raw_events"),
        ("tenants", "0005_retention"),
    ]

    operations = [
        migrations.CreateModel(
            name="Receipt",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("key", models.CharField(max_length=64)),
                ("body", models.CharField(max_length=64)),
                ("at", models.DateTimeField(db_index=True)),
                ("kept", models.IntegerField(default=0)),
                ("dropped", models.IntegerField(default=0)),
                (
                    "refused",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.IntegerField(), default=list, size=None
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="tenants.tenant",
                    ),
                ),
            ],
            options={
                "db_table": "receipt",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant", "key"), name="receipt_once"
                    )
                ],
            },
        ),
        ProtectTable("Receipt"),
    ]
