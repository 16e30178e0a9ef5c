"""How each person is told: chains of steps, quiet hours, pages of later steps."""

import datetime

import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import alertcenter.common.ids
import notifications.models.channel
import notifications.models.personal
import tenants.models.base
import tenants.rls
import tenants.timezones
from tenants.rls import AddTenantForeignKeys, ProtectTable


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0011_verified_contacts"),
        ("tenants", "0007_integrations"),
    ]

    operations = [
        migrations.CreateModel(
            name="Person",
            fields=[],
            options={
                "verbose_name": "notifications of a member",
                "verbose_name_plural": "personal notifications",
                "proxy": True,
                "indexes": [],
                "constraints": [],
            },
            bases=("tenants.member",),
        ),
        migrations.AddField(
            model_name="delivery",
            name="put_off",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.CreateModel(
            name="PersonalRule",
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
                (
                    "important_from",
                    models.PositiveSmallIntegerField(
                        choices=[
                            (1, "debug"),
                            (2, "info"),
                            (3, "warning"),
                            (4, "error"),
                            (5, "critical"),
                        ],
                        default=5,
                        help_text="From this severity on the important steps are taken.",
                        verbose_name="important from",
                    ),
                ),
                (
                    "quiet_below",
                    models.PositiveSmallIntegerField(
                        choices=[
                            (1, "debug"),
                            (2, "info"),
                            (3, "warning"),
                            (4, "error"),
                            (5, "critical"),
                        ],
                        default=5,
                        verbose_name="quiet hours keep back what is below",
                    ),
                ),
                (
                    "quiet_how",
                    models.CharField(
                        choices=[
                            ("hold", "wait until they are over"),
                            ("mail", "send nothing but e-mail"),
                        ],
                        default="hold",
                        max_length=10,
                        verbose_name="in quiet hours",
                    ),
                ),
                (
                    "time_zone",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="Empty: the member's.",
                        max_length=64,
                        validators=[tenants.timezones.validate_time_zone],
                        verbose_name="time zone of the quiet hours",
                    ),
                ),
                (
                    "member",
                    tenants.rls.TenantForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="personal_rules",
                        to="tenants.member",
                        verbose_name="member",
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
                "verbose_name": "personal rule",
                "verbose_name_plural": "personal rules",
                "db_table": "personal_rule",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant", "member"), name="personal_rule_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="PersonalStep",
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
                (
                    "important",
                    models.BooleanField(default=False, verbose_name="important"),
                ),
                (
                    "position",
                    models.PositiveSmallIntegerField(
                        default=1, verbose_name="position"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("contact", "notify by one contact"),
                            ("by", "notify by all contacts of a kind"),
                            ("wait", "wait"),
                        ],
                        max_length=10,
                        verbose_name="step",
                    ),
                ),
                (
                    "by",
                    models.CharField(
                        blank=True,
                        choices=notifications.models.channel.contact_kinds,
                        default="",
                        max_length=20,
                        verbose_name="by",
                    ),
                ),
                (
                    "wait_seconds",
                    models.PositiveIntegerField(
                        blank=True,
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(86400),
                        ],
                        verbose_name="wait",
                    ),
                ),
                (
                    "contact",
                    tenants.rls.TenantForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="notifications.contact",
                        verbose_name="contact",
                    ),
                ),
                (
                    "member",
                    tenants.rls.TenantForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="personal_steps",
                        to="tenants.member",
                        verbose_name="member",
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
                "verbose_name": "step",
                "verbose_name_plural": "steps",
                "db_table": "personal_step",
                "ordering": ["important", "position"],
                "indexes": [
                    models.Index(fields=["tenant", "member"], name="personal_step_of")
                ],
            },
        ),
        migrations.CreateModel(
            name="QuietHours",
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
                (
                    "days",
                    models.JSONField(
                        default=notifications.models.personal.every_day,
                        validators=[notifications.models.personal.validate_days],
                        verbose_name="days",
                    ),
                ),
                (
                    "begins",
                    models.TimeField(
                        default=datetime.time(22, 0), verbose_name="begins"
                    ),
                ),
                (
                    "ends",
                    models.TimeField(default=datetime.time(7, 0), verbose_name="ends"),
                ),
                (
                    "member",
                    tenants.rls.TenantForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="quiet_hours",
                        to="tenants.member",
                        verbose_name="member",
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
                "verbose_name": "quiet hours",
                "verbose_name_plural": "quiet hours",
                "db_table": "quiet_hours",
                "ordering": ["begins"],
                "indexes": [
                    models.Index(fields=["tenant", "member"], name="quiet_hours_of")
                ],
            },
        ),
        ProtectTable("PersonalRule"),
        ProtectTable("PersonalStep"),
        ProtectTable("QuietHours"),
        AddTenantForeignKeys("PersonalRule"),
        AddTenantForeignKeys("PersonalStep"),
        AddTenantForeignKeys("QuietHours"),
    ]
