"""Rates, requests to wait and troubles are kept by place, over all processes."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import tenants.rls
from tenants.rls import AddTenantForeignKeys, ProtectTable


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0007_channels"),
        ("tenants", "0007_integrations"),
    ]

    operations = [
        migrations.AddField(
            model_name="delivery",
            name="destination",
            field=models.CharField(db_default="", default="", max_length=200),
        ),
        migrations.AddField(
            model_name="delivery",
            name="instead_of",
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name="delivery",
            name="passed_on_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="delivery",
            name="merged_into",
            field=models.UUIDField(null=True),
        ),
        migrations.AlterField(
            model_name="delivery",
            name="state",
            field=models.CharField(
                choices=[
                    ("pending", "pending"),
                    ("leased", "being sent"),
                    ("sent", "sent"),
                    ("merged", "in a digest"),
                    ("ambiguous", "unknown whether it arrived"),
                    ("dead", "given up"),
                    ("cancelled", "cancelled"),
                ],
                default="pending",
                max_length=10,
                verbose_name="state",
            ),
        ),
        migrations.AlterField(
            model_name="messagetemplate",
            name="kind",
            field=models.CharField(
                choices=[
                    ("firing", "firing"),
                    ("acknowledged", "acknowledged"),
                    ("snoozed", "snoozed"),
                    ("resolved", "resolved"),
                    ("storm", "storm"),
                    ("digest", "digest"),
                ],
                max_length=20,
                verbose_name="occasion",
            ),
        ),
        migrations.CreateModel(
            name="Destination",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("key", models.CharField(max_length=200)),
                (
                    "open_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        verbose_name="takes messages from",
                    ),
                ),
                (
                    "asked_until",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now()
                    ),
                ),
                (
                    "paced_until",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now()
                    ),
                ),
                ("pace", models.FloatField(db_default=0.0, default=0.0)),
                (
                    "failures",
                    models.IntegerField(
                        db_default=0, default=0, verbose_name="failures in a row"
                    ),
                ),
                (
                    "slow",
                    models.BooleanField(
                        db_default=False, default=False, verbose_name="slow"
                    ),
                ),
                (
                    "why",
                    models.CharField(
                        db_default="", default="", max_length=300, verbose_name="why"
                    ),
                ),
                (
                    "channel",
                    tenants.rls.TenantForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="notifications.channel",
                        verbose_name="channel",
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
                "db_table": "destination",
                "verbose_name": "place of delivery",
                "verbose_name_plural": "places of delivery",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant", "key"), name="destination_key"
                    )
                ],
            },
        ),
        ProtectTable("Destination", queue=True),
        AddTenantForeignKeys("Destination"),
    ]
