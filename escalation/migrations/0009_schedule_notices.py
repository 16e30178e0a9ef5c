"""What was told of schedules: gaps, double bookings, shifts that begin."""

import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import alertcenter.common.ids
import tenants.models.base
import tenants.rls
from tenants.rls import AddTenantForeignKeys, ProtectTable


class Migration(migrations.Migration):
    dependencies = [
        ("escalation", "0008_steps"),
        ("tenants", "0007_integrations"),
    ]

    operations = [
        migrations.AddField(
            model_name="schedule",
            name="checked_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="schedule",
            name="remind_minutes",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="Empty: nobody is reminded that a shift begins.",
                null=True,
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(20160),
                ],
                verbose_name="remind of a shift (minutes before)",
            ),
        ),
        migrations.CreateModel(
            name="ScheduleNotice",
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
                ("about", models.CharField(max_length=200)),
                ("last_at", models.DateTimeField()),
                (
                    "told_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now()
                    ),
                ),
                (
                    "schedule",
                    tenants.rls.TenantForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="escalation.schedule",
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
                "db_table": "schedule_notice",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant", "schedule", "about"),
                        name="schedule_notice_once",
                    )
                ],
            },
        ),
        ProtectTable("ScheduleNotice"),
        AddTenantForeignKeys("ScheduleNotice"),
    ]
