"""What dry runs of policies came to."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import alertcenter.common.ids
import tenants.models.base
import tenants.rls
from tenants.rls import AddTenantForeignKeys, ProtectTable


class Migration(migrations.Migration):
    dependencies = [
        ("escalation", "0011_turns"),
        ("tenants", "0007_integrations"),
    ]

    operations = [
        migrations.CreateModel(
            name="DryRun",
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
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="created",
                    ),
                ),
                ("by", models.CharField(max_length=200)),
                ("begins_at", models.DateTimeField()),
                ("stopped_at", models.DateTimeField(null=True)),
                ("severity", models.SmallIntegerField()),
                ("labels", models.JSONField(default=dict)),
                ("events", models.JSONField(default=list)),
                ("ends", models.CharField(max_length=10)),
                ("ends_after", models.FloatField()),
                (
                    "policy",
                    tenants.rls.TenantForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="escalation.policy",
                    ),
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
                "db_table": "dry_run",
                "indexes": [
                    models.Index(fields=["tenant", "policy"], name="dry_run_policy")
                ],
            },
        ),
        ProtectTable("DryRun"),
        AddTenantForeignKeys("DryRun"),
    ]
