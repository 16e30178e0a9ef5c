"""Acts that other protocols' clients ask for."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import alertcenter.common.ids
import tenants.models.base
from tenants.rls import ProtectTable


class Migration(migrations.Migration):
    dependencies = [
        ("api", "0002_protect"),
        ("tenants", "0007_integrations"),
    ]

    operations = [
        migrations.CreateModel(
            name="AskedAct",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        db_default=tenants.models.base.UuidV7(),
                        default=alertcenter.common.ids.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now()
                    ),
                ),
                ("protocol", models.CharField(max_length=20)),
                ("integration_id", models.UUIDField(null=True)),
                ("act", models.CharField(max_length=20)),
                ("dedup_key", models.TextField(default="")),
                ("params", models.JSONField(default=dict)),
                ("actor", models.JSONField(default=dict)),
                ("state", models.CharField(default="waiting", max_length=10)),
                ("status", models.CharField(default="", max_length=200)),
                ("alert_id", models.UUIDField(null=True)),
                ("episode_id", models.UUIDField(null=True)),
                ("done_at", models.DateTimeField(null=True)),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("correlation_id", models.CharField(default="", max_length=64)),
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
                "db_table": "asked_act",
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "waiting")),
                        fields=["at"],
                        name="asked_act_waiting",
                    ),
                    models.Index(fields=["at"], name="asked_act_age"),
                ],
            },
        ),
        ProtectTable("AskedAct", queue=True),
    ]
