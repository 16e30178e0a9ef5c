"""What has to be heard of regularly, and what it said of late."""

import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import alertcenter.alerts.models.heartbeat
import alertcenter.common.ids
import tenants.models.base
import tenants.rls
import tenants.timezones
from tenants.rls import AddTenantForeignKeys, ProtectTable

RESOLVE_HEARTBEAT = """
CREATE FUNCTION resolve_heartbeat(hash text)
RETURNS TABLE (tenant_id uuid, heartbeat_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
  SELECT h.tenant_id, h.id FROM public.heartbeat h WHERE h.token_hash = hash
$$;
REVOKE ALL ON FUNCTION resolve_heartbeat(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION resolve_heartbeat(text) TO ac_app, ac_engine, ac_owner;
ALTER FUNCTION resolve_heartbeat(text) OWNER TO ac_resolver;
-- A change of owner turns the old owner's own right into the new one's.
SET LOCAL ROLE ac_resolver;
GRANT EXECUTE ON FUNCTION resolve_heartbeat(text) TO ac_owner;
RESET ROLE;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("alerts", "0011_asked_acts"),
        ("tenants", "0007_integrations"),
    ]

    operations = [
        migrations.CreateModel(
            name="Heartbeat",
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
                    "slug",
                    models.CharField(
                        max_length=50,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[a-z0-9][a-z0-9_-]{0,49}\\Z",
                                "Lower-case letters, digits, hyphens and underscores, please.",
                            )
                        ],
                        verbose_name="short name",
                    ),
                ),
                (
                    "token_hash",
                    models.CharField(editable=False, max_length=64, unique=True),
                ),
                (
                    "period_seconds",
                    models.PositiveIntegerField(
                        blank=True,
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(10),
                            django.core.validators.MaxValueValidator(31622400),
                        ],
                        verbose_name="period (seconds)",
                    ),
                ),
                (
                    "cron",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="Instead of a period, for example 30 2 * * 1-5.",
                        max_length=100,
                        validators=[alertcenter.alerts.models.heartbeat.validate_cron],
                        verbose_name="cron expression",
                    ),
                ),
                (
                    "time_zone",
                    models.CharField(
                        default="UTC",
                        max_length=64,
                        validators=[tenants.timezones.validate_time_zone],
                        verbose_name="time zone",
                    ),
                ),
                (
                    "grace_seconds",
                    models.PositiveIntegerField(
                        default=300,
                        help_text="How much later than expected is still in time.",
                        validators=[django.core.validators.MaxValueValidator(31622400)],
                        verbose_name="grace (seconds)",
                    ),
                ),
                (
                    "severity",
                    models.SmallIntegerField(
                        choices=[
                            (1, "debug"),
                            (2, "info"),
                            (3, "warning"),
                            (4, "error"),
                            (5, "critical"),
                        ],
                        default=5,
                        verbose_name="severity",
                    ),
                ),
                (
                    "labels",
                    models.JSONField(
                        blank=True,
                        default=dict,
                        validators=[
                            alertcenter.alerts.models.heartbeat.validate_labels
                        ],
                        verbose_name="labels",
                    ),
                ),
                (
                    "message",
                    models.TextField(
                        blank=True, default="", max_length=4000, verbose_name="message"
                    ),
                ),
                (
                    "match",
                    models.JSONField(
                        blank=True,
                        default=list,
                        validators=[alertcenter.alerts.models.heartbeat.validate_watch],
                        verbose_name="watch alerts",
                    ),
                ),
                (
                    "enabled",
                    models.BooleanField(
                        default=True, editable=False, verbose_name="active"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("new", "never heard of"),
                            ("up", "up"),
                            ("started", "running"),
                            ("late", "late"),
                            ("down", "down"),
                            ("paused", "paused"),
                        ],
                        default="new",
                        editable=False,
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                (
                    "last_ping_at",
                    models.DateTimeField(
                        editable=False, null=True, verbose_name="last seen"
                    ),
                ),
                (
                    "last_start_at",
                    models.DateTimeField(
                        editable=False, null=True, verbose_name="last start"
                    ),
                ),
                (
                    "last_exit",
                    models.SmallIntegerField(
                        editable=False, null=True, verbose_name="last exit code"
                    ),
                ),
                (
                    "last_body",
                    models.TextField(
                        default="", editable=False, verbose_name="last output"
                    ),
                ),
                (
                    "expected_at",
                    models.DateTimeField(
                        editable=False, null=True, verbose_name="expected"
                    ),
                ),
                (
                    "due_at",
                    models.DateTimeField(
                        editable=False, null=True, verbose_name="overdue from"
                    ),
                ),
                (
                    "changed_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
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
                "verbose_name": "heartbeat",
                "verbose_name_plural": "heartbeats",
                "db_table": "heartbeat",
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="HeartbeatPing",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        verbose_name="at",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("success", "success"),
                            ("start", "start"),
                            ("fail", "failure"),
                            ("exit", "exit code"),
                            ("log", "log"),
                        ],
                        max_length=10,
                        verbose_name="what",
                    ),
                ),
                (
                    "exit_code",
                    models.SmallIntegerField(null=True, verbose_name="exit code"),
                ),
                (
                    "body",
                    models.CharField(default="", max_length=500, verbose_name="output"),
                ),
                (
                    "heartbeat",
                    tenants.rls.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="pings",
                        to="alerts.heartbeat",
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
                "verbose_name": "ping",
                "verbose_name_plural": "pings",
                "db_table": "heartbeat_ping",
                "ordering": ["-id"],
            },
        ),
        migrations.AddIndex(
            model_name="heartbeat",
            index=models.Index(
                condition=models.Q(("due_at__isnull", False)),
                fields=["due_at"],
                name="heartbeat_due",
            ),
        ),
        migrations.AddIndex(
            model_name="heartbeat",
            index=models.Index(
                condition=models.Q(("state", "up")),
                fields=["expected_at"],
                name="heartbeat_expected",
            ),
        ),
        migrations.AddConstraint(
            model_name="heartbeat",
            constraint=models.UniqueConstraint(
                fields=("tenant", "slug"), name="heartbeat_slug"
            ),
        ),
        migrations.AddConstraint(
            model_name="heartbeat",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("cron", ""), ("period_seconds__isnull", False)),
                    models.Q(
                        ("period_seconds__isnull", True),
                        models.Q(("cron", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="heartbeat_period_or_cron",
            ),
        ),
        migrations.AddIndex(
            model_name="heartbeatping",
            index=models.Index(
                fields=["tenant", "heartbeat", "-id"], name="heartbeat_ping_recent"
            ),
        ),
        ProtectTable("Heartbeat", resolver=True),
        ProtectTable("HeartbeatPing"),
        AddTenantForeignKeys("HeartbeatPing"),
        migrations.RunSQL(RESOLVE_HEARTBEAT, "DROP FUNCTION resolve_heartbeat(text)"),
    ]
