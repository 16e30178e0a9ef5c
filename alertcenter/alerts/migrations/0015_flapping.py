"""What flaps, and which routes are in a storm."""

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
        ("alerts", "0014_services"),
        ("tenants", "0007_integrations"),
    ]

    operations = [
        migrations.CreateModel(
            name="RouteRate",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("minute", models.BigIntegerField()),
                ("this", models.IntegerField()),
                ("before", models.IntegerField()),
            ],
            options={
                "db_table": "route_rate",
            },
        ),
        migrations.CreateModel(
            name="Storm",
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
                ("group_id", models.UUIDField(null=True, verbose_name="group")),
                (
                    "began_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        verbose_name="began",
                    ),
                ),
                ("calm_since", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True, verbose_name="over")),
                ("closed_at", models.DateTimeField(null=True, verbose_name="resolved")),
                (
                    "look_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now()
                    ),
                ),
                ("told_at", models.DateTimeField(null=True, verbose_name="last told")),
                ("told_groups", models.IntegerField(default=0)),
                ("groups", models.IntegerField(default=0, verbose_name="groups")),
                ("alerts", models.IntegerField(default=0, verbose_name="alerts")),
                (
                    "open_groups",
                    models.IntegerField(default=0, verbose_name="still open"),
                ),
            ],
            options={
                "verbose_name": "storm",
                "verbose_name_plural": "storms",
                "db_table": "storm",
                "ordering": ["-began_at", "id"],
            },
        ),
        migrations.AddField(
            model_name="group",
            name="flapping_since",
            field=models.DateTimeField(null=True, verbose_name="flapping since"),
        ),
        migrations.AddField(
            model_name="group",
            name="storm_id",
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name="groupalert",
            name="flapping_since",
            field=models.DateTimeField(null=True, verbose_name="flapping since"),
        ),
        migrations.AddField(
            model_name="route",
            name="storm_per_minute",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="When more open in a minute, one page speaks for all of them. 0: never; empty: as above.",
                null=True,
                validators=[django.core.validators.MaxValueValidator(1000000)],
                verbose_name="groups a minute that are a storm",
            ),
        ),
        migrations.AlterField(
            model_name="transition",
            name="kind",
            field=models.CharField(
                choices=[
                    ("opened", "opened"),
                    ("repeated_severity", "severity changed"),
                    ("resolved", "resolved"),
                    ("expired", "expired"),
                    ("acknowledged", "acknowledged"),
                    ("unacknowledged", "acknowledgement withdrawn"),
                    ("snoozed", "snoozed"),
                    ("woken", "woken"),
                    ("assigned", "assigned"),
                    ("escalated", "escalated"),
                    ("grouped", "joined a group"),
                    ("silenced", "silenced"),
                    ("inhibited", "inhibited"),
                    ("heard", "heard again"),
                    ("held", "not notified"),
                    ("flapping", "flapping"),
                    ("calm", "calm again"),
                    ("storm", "storm"),
                    ("noted", "noted"),
                    ("paged", "notified"),
                    ("delivered", "delivered"),
                    ("failed", "delivery failed"),
                ],
                max_length=20,
                verbose_name="what",
            ),
        ),
        migrations.AddIndex(
            model_name="group",
            index=models.Index(
                condition=models.Q(
                    ("flapping_since__isnull", False),
                    models.Q(("state", "resolved"), _negated=True),
                ),
                fields=["tenant", "id"],
                name="group_flapping",
            ),
        ),
        migrations.AddIndex(
            model_name="group",
            index=models.Index(
                condition=models.Q(("storm_id__isnull", False)),
                fields=["tenant", "storm_id"],
                name="group_storm",
            ),
        ),
        migrations.AddField(
            model_name="routerate",
            name="route",
            field=tenants.rls.TenantForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.CASCADE,
                to="alerts.route",
            ),
        ),
        migrations.AddField(
            model_name="routerate",
            name="tenant",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="tenants.tenant",
                verbose_name="tenant",
            ),
        ),
        migrations.AddField(
            model_name="storm",
            name="route",
            field=tenants.rls.TenantForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.CASCADE,
                to="alerts.route",
                verbose_name="route",
            ),
        ),
        migrations.AddField(
            model_name="storm",
            name="tenant",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="tenants.tenant",
                verbose_name="tenant",
            ),
        ),
        migrations.AddConstraint(
            model_name="routerate",
            constraint=models.UniqueConstraint(
                fields=("tenant", "route"), name="route_rate_once"
            ),
        ),
        migrations.AddIndex(
            model_name="storm",
            index=models.Index(
                condition=models.Q(("closed_at", None)),
                fields=["look_at"],
                name="storm_look",
            ),
        ),
        migrations.AddIndex(
            model_name="storm",
            index=models.Index(fields=["tenant", "-began_at"], name="storm_recent"),
        ),
        migrations.AddConstraint(
            model_name="storm",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at", None)),
                fields=("tenant", "route"),
                name="storm_one_a_route",
            ),
        ),
        ProtectTable("Storm"),
        ProtectTable("RouteRate"),
        AddTenantForeignKeys("Storm"),
        AddTenantForeignKeys("RouteRate"),
    ]
