"""Browsers as contacts, and the key that notifications to them are signed with."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import alertcenter.common.ids
import tenants.fields
import tenants.models.base
import tenants.rls
from tenants.rls import AddTenantForeignKeys, ProtectTable


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0012_personal"),
        ("tenants", "0007_integrations"),
    ]

    operations = [
        migrations.CreateModel(
            name="PushKey",
            fields=[
                (
                    "id",
                    models.PositiveSmallIntegerField(
                        default=1, primary_key=True, serialize=False
                    ),
                ),
                ("sealed", models.BinaryField()),
            ],
            options={
                "db_table": "push_key",
            },
        ),
        migrations.CreateModel(
            name="PushSubscription",
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
                ("digest", models.CharField(max_length=64)),
                ("secret", tenants.fields.EncryptedField()),
                (
                    "contact",
                    tenants.rls.TenantForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="push_subscriptions",
                        to="notifications.contact",
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
                "db_table": "push_subscription",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant", "digest"), name="push_browser"
                    )
                ],
            },
        ),
        ProtectTable("PushSubscription"),
        AddTenantForeignKeys("PushSubscription"),
    ]
