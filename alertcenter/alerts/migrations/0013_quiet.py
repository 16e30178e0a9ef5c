"""What keeps people from being told: the tree of routes, silences, inhibition."""

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import alertcenter.alerts.models.conditions
import alertcenter.alerts.models.interval
import alertcenter.common.ids
import tenants.models.base
import tenants.rls
import tenants.timezones
from tenants.rls import AddTenantForeignKeys, ProtectTable


class Migration(migrations.Migration):
    dependencies = [
        ("alerts", "0012_heartbeats"),
        ("notifications", "0004_fair_candidates"),
        ("tenants", "0007_integrations"),
    ]

    operations = [
        migrations.AddField(
            model_name="group",
            name="quiet_count",
            field=models.IntegerField(db_default=0, default=0, verbose_name="quiet"),
        ),
        migrations.AddField(
            model_name="groupalert",
            name="inhibited_by",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.UUIDField(), db_default=[], default=list, size=None
            ),
        ),
        migrations.AddField(
            model_name="groupalert",
            name="silenced_by",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.UUIDField(), db_default=[], default=list, size=None
            ),
        ),
        migrations.AddField(
            model_name="route",
            name="active_intervals",
            field=models.JSONField(
                blank=True,
                default=list,
                help_text="Names of time intervals.",
                verbose_name="heard in these intervals only",
            ),
        ),
        migrations.AddField(
            model_name="route",
            name="continue_matching",
            field=models.BooleanField(
                default=False,
                help_text="What this route takes may go to the routes after it as well.",
                verbose_name="go on to the next route",
            ),
        ),
        migrations.AddField(
            model_name="route",
            name="group_interval_seconds",
            field=models.PositiveIntegerField(
                blank=True,
                null=True,
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(31622400),
                ],
                verbose_name="least time between messages about a group (seconds)",
            ),
        ),
        migrations.AddField(
            model_name="route",
            name="labels",
            field=models.JSONField(
                blank=True,
                default=dict,
                help_text="Said with every message that this route sends.",
                verbose_name="labels",
            ),
        ),
        migrations.AddField(
            model_name="route",
            name="mute_intervals",
            field=models.JSONField(
                blank=True,
                default=list,
                help_text="Names of time intervals.",
                verbose_name="quiet in these intervals",
            ),
        ),
        migrations.AddField(
            model_name="route",
            name="parent",
            field=tenants.rls.TenantForeignKey(
                blank=True,
                db_constraint=False,
                help_text="Empty: directly below the default route.",
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="children",
                to="alerts.route",
                verbose_name="below",
            ),
        ),
        migrations.AddField(
            model_name="route",
            name="receiver",
            field=models.CharField(
                blank=True,
                default="",
                help_text="The name that Alertmanager's clients see; empty: the route's.",
                max_length=200,
                verbose_name="receiver",
            ),
        ),
        migrations.AddField(
            model_name="route",
            name="repeat_interval_seconds",
            field=models.PositiveIntegerField(
                blank=True,
                null=True,
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(31622400),
                ],
                verbose_name="say it again after (seconds)",
            ),
        ),
        migrations.AddField(
            model_name="route",
            name="tells_nobody",
            field=models.BooleanField(
                default=False,
                help_text="Its alerts are shown, and nobody is told.",
                verbose_name="tells nobody",
            ),
        ),
        migrations.AlterField(
            model_name="route",
            name="group_by",
            field=models.JSONField(
                blank=True,
                default=None,
                help_text="Label names; alerts that agree in all of them are one group.",
                null=True,
                verbose_name="group by",
            ),
        ),
        migrations.AlterField(
            model_name="route",
            name="group_wait_seconds",
            field=models.PositiveIntegerField(
                blank=True,
                null=True,
                validators=[django.core.validators.MaxValueValidator(31622400)],
                verbose_name="wait before the first message (seconds)",
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
                    ("noted", "noted"),
                    ("paged", "notified"),
                    ("delivered", "delivered"),
                    ("failed", "delivery failed"),
                ],
                max_length=20,
                verbose_name="what",
            ),
        ),
        migrations.CreateModel(
            name="InhibitRule",
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
                ("name", models.CharField(max_length=100, verbose_name="name")),
                (
                    "source_matchers",
                    models.JSONField(
                        default=list,
                        validators=[
                            alertcenter.alerts.models.conditions.validate_matchers
                        ],
                        verbose_name="while one of these fires",
                    ),
                ),
                (
                    "target_matchers",
                    models.JSONField(
                        default=list,
                        validators=[
                            alertcenter.alerts.models.conditions.validate_matchers
                        ],
                        verbose_name="these are quiet",
                    ),
                ),
                (
                    "equal",
                    models.JSONField(
                        blank=True,
                        default=list,
                        verbose_name="if they agree in these labels",
                    ),
                ),
                ("active", models.BooleanField(default=True, verbose_name="active")),
                (
                    "updated_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="changed",
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
                "verbose_name": "inhibition",
                "verbose_name_plural": "inhibitions",
                "db_table": "inhibit_rule",
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="InhibitSource",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("agreed", models.CharField(max_length=32)),
                ("two_sided", models.BooleanField()),
                (
                    "alert",
                    tenants.rls.TenantForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="alerts.alert",
                    ),
                ),
                (
                    "rule",
                    tenants.rls.TenantForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="alerts.inhibitrule",
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
                "db_table": "inhibit_source",
            },
        ),
        migrations.CreateModel(
            name="Notice",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("key", models.CharField(max_length=64)),
                (
                    "firing",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), default=list, size=None
                    ),
                ),
                (
                    "resolved",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), default=list, size=None
                    ),
                ),
                (
                    "owed",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(),
                        db_default=[],
                        default=list,
                        size=None,
                    ),
                ),
                ("reason", models.CharField(max_length=20, verbose_name="reason")),
                ("at", models.DateTimeField(verbose_name="told")),
                ("expires_at", models.DateTimeField()),
                ("times", models.IntegerField(default=1, verbose_name="times")),
                (
                    "channel",
                    tenants.rls.TenantForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="notifications.channel",
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
                "verbose_name": "notice",
                "verbose_name_plural": "notices",
                "db_table": "notice",
            },
        ),
        migrations.CreateModel(
            name="RouteChannel",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "channel",
                    tenants.rls.TenantForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="notifications.channel",
                    ),
                ),
                (
                    "route",
                    tenants.rls.TenantForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="alerts.route",
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
                "verbose_name": "channel of a route",
                "verbose_name_plural": "channels of a route",
                "db_table": "route_channel",
            },
        ),
        migrations.AddField(
            model_name="route",
            name="channels",
            field=models.ManyToManyField(
                blank=True,
                help_text="Told of every group, with reminders until it is resolved.",
                related_name="routes",
                through="alerts.RouteChannel",
                to="notifications.channel",
                verbose_name="channels",
            ),
        ),
        migrations.CreateModel(
            name="Silence",
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
                    "kind",
                    models.CharField(
                        choices=[
                            ("silence", "silence"),
                            ("maintenance", "maintenance"),
                        ],
                        default="silence",
                        max_length=12,
                        verbose_name="kind",
                    ),
                ),
                (
                    "title",
                    models.CharField(
                        blank=True, default="", max_length=200, verbose_name="title"
                    ),
                ),
                (
                    "matchers",
                    models.JSONField(
                        default=list,
                        help_text="One condition a line; all must hold.",
                        validators=[
                            alertcenter.alerts.models.conditions.validate_matchers
                        ],
                        verbose_name="matchers",
                    ),
                ),
                ("starts_at", models.DateTimeField(verbose_name="from")),
                ("ends_at", models.DateTimeField(verbose_name="until")),
                (
                    "created_by",
                    models.CharField(
                        blank=True, default="", max_length=200, verbose_name="by"
                    ),
                ),
                (
                    "comment",
                    models.TextField(blank=True, default="", verbose_name="reason"),
                ),
                ("annotations", models.JSONField(blank=True, default=dict)),
                (
                    "recurrence",
                    models.CharField(
                        blank=True,
                        default="",
                        max_length=300,
                        verbose_name="recurrence",
                    ),
                ),
                (
                    "time_zone",
                    models.CharField(
                        blank=True,
                        default="",
                        max_length=64,
                        validators=[tenants.timezones.validate_time_zone],
                        verbose_name="time zone",
                    ),
                ),
                (
                    "duration_seconds",
                    models.PositiveIntegerField(
                        blank=True, null=True, verbose_name="duration (seconds)"
                    ),
                ),
                (
                    "until_gone",
                    models.BooleanField(
                        default=False,
                        help_text="When nothing that it mutes fires any more.",
                        verbose_name="ends when the alert is gone",
                    ),
                ),
                (
                    "group_id",
                    models.UUIDField(
                        blank=True, null=True, verbose_name="only in this group"
                    ),
                ),
                (
                    "remind_seconds",
                    models.PositiveIntegerField(
                        blank=True,
                        null=True,
                        verbose_name="remind before the end (seconds)",
                    ),
                ),
                ("reminded_at", models.DateTimeField(editable=False, null=True)),
                (
                    "updated_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="changed",
                    ),
                ),
                (
                    "in_force",
                    models.BooleanField(
                        default=False, editable=False, verbose_name="in force"
                    ),
                ),
                (
                    "next_change_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        null=True,
                    ),
                ),
                (
                    "owner",
                    tenants.rls.TenantForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        to="tenants.member",
                        verbose_name="owner",
                    ),
                ),
                (
                    "route",
                    tenants.rls.TenantForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="alerts.route",
                        verbose_name="only on this route",
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
                "verbose_name": "silence",
                "verbose_name_plural": "silences",
                "db_table": "silence",
                "ordering": ["-ends_at", "id"],
            },
        ),
        migrations.CreateModel(
            name="TimeInterval",
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
                ("name", models.CharField(max_length=100, verbose_name="name")),
                (
                    "times",
                    models.JSONField(
                        default=list,
                        validators=[alertcenter.alerts.models.interval.validate_times],
                        verbose_name="times",
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
                "verbose_name": "time interval",
                "verbose_name_plural": "time intervals",
                "db_table": "time_interval",
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="Flush",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("key", models.CharField(max_length=64)),
                ("anchor", models.DateTimeField()),
                ("due_at", models.DateTimeField(verbose_name="due")),
                (
                    "cleared_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now()
                    ),
                ),
                (
                    "earlier",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(),
                        db_default=[],
                        default=list,
                        size=None,
                    ),
                ),
                (
                    "attempts",
                    models.PositiveSmallIntegerField(
                        default=0, verbose_name="attempts"
                    ),
                ),
                ("error", models.TextField(default="", verbose_name="error")),
                (
                    "group",
                    tenants.rls.TenantForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="alerts.group",
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
                "verbose_name": "timer of a group",
                "verbose_name_plural": "timers of groups",
                "db_table": "flush",
                "indexes": [
                    models.Index(fields=["due_at"], name="flush_due"),
                    models.Index(fields=["tenant", "group"], name="flush_group"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("tenant", "key"), name="flush_key")
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="inhibitrule",
            constraint=models.UniqueConstraint(
                fields=("tenant", "name"), name="inhibit_rule_name"
            ),
        ),
        migrations.AddIndex(
            model_name="inhibitsource",
            index=models.Index(
                fields=["tenant", "rule", "agreed"], name="inhibit_source_agreed"
            ),
        ),
        migrations.AddIndex(
            model_name="inhibitsource",
            index=models.Index(fields=["tenant", "alert"], name="inhibit_source_alert"),
        ),
        migrations.AddConstraint(
            model_name="inhibitsource",
            constraint=models.UniqueConstraint(
                fields=("tenant", "rule", "alert"), name="inhibit_source_once"
            ),
        ),
        migrations.AddIndex(
            model_name="notice",
            index=models.Index(fields=["expires_at"], name="notice_expires"),
        ),
        migrations.AddConstraint(
            model_name="notice",
            constraint=models.UniqueConstraint(
                fields=("tenant", "key", "channel"), name="notice_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="routechannel",
            constraint=models.UniqueConstraint(
                fields=("tenant", "route", "channel"), name="route_channel_once"
            ),
        ),
        migrations.AddIndex(
            model_name="silence",
            index=models.Index(fields=["tenant", "-ends_at"], name="silence_ends"),
        ),
        migrations.AddIndex(
            model_name="silence",
            index=models.Index(
                fields=["tenant", "-updated_at"], name="silence_updated"
            ),
        ),
        migrations.AddIndex(
            model_name="silence",
            index=models.Index(
                condition=models.Q(("next_change_at__isnull", False)),
                fields=["next_change_at"],
                name="silence_next",
            ),
        ),
        migrations.AddConstraint(
            model_name="timeinterval",
            constraint=models.UniqueConstraint(
                fields=("tenant", "name"), name="time_interval_name"
            ),
        ),
        ProtectTable("TimeInterval"),
        ProtectTable("Silence"),
        ProtectTable("InhibitRule"),
        ProtectTable("InhibitSource"),
        ProtectTable("RouteChannel"),
        ProtectTable("Flush", queue=True),
        ProtectTable("Notice"),
        AddTenantForeignKeys("Route", "parent"),
        AddTenantForeignKeys("Silence"),
        AddTenantForeignKeys("InhibitSource"),
        AddTenantForeignKeys("RouteChannel"),
        AddTenantForeignKeys("Flush"),
        AddTenantForeignKeys("Notice"),
    ]
