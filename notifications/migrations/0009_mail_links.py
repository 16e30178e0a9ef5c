"""Signed links that were used, mailboxes that want no mail, mails that were opened."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import alertcenter.common.ids
import tenants.models.base
import tenants.rls
from tenants.rls import AddTenantForeignKeys, ProtectTable


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0008_destinations"),
        ("tenants", "0007_integrations"),
    ]

    operations = [
        migrations.CreateModel(
            name="MailOpening",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        verbose_name="first opened",
                    ),
                ),
                (
                    "last_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        verbose_name="last opened",
                    ),
                ),
                (
                    "times",
                    models.IntegerField(db_default=1, default=1, verbose_name="times"),
                ),
                (
                    "delivery",
                    tenants.rls.TenantForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="notifications.delivery",
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
                "db_table": "mail_opening",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant", "delivery"), name="mail_opening_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="StoppedAddress",
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
                ("address", models.CharField(max_length=320, verbose_name="address")),
                (
                    "stopped_by",
                    models.CharField(
                        default="", max_length=200, verbose_name="stopped by"
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
                "verbose_name": "stopped address",
                "verbose_name_plural": "stopped addresses",
                "db_table": "stopped_address",
                "ordering": ["address"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant", "address"), name="stopped_address_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="UsedLink",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now()
                    ),
                ),
                ("digest", models.CharField(max_length=64)),
                ("group_id", models.UUIDField()),
                ("act", models.CharField(max_length=20)),
                ("actor_label", models.CharField(default="", max_length=200)),
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
                "db_table": "used_link",
                "indexes": [
                    models.Index(fields=["tenant", "group_id"], name="used_link_group")
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant", "digest"), name="used_link_once"
                    )
                ],
            },
        ),
        ProtectTable("StoppedAddress"),
        ProtectTable("UsedLink"),
        ProtectTable("MailOpening"),
        AddTenantForeignKeys("MailOpening"),
    ]
