"""Services, what they need, and how urgent a group is."""

import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import alertcenter.alerts.models.conditions
import alertcenter.alerts.models.service
import alertcenter.common.ids
import tenants.models.base
import tenants.rls
from tenants.rls import AddTenantForeignKeys, ProtectTable

# Forced row-level security binds the owner too, who would see no row to change.
WEIGH = """
ALTER TABLE alert_group NO FORCE ROW LEVEL SECURITY;
UPDATE alert_group SET priority = CASE severity WHEN 5 THEN 2 WHEN 4 THEN 3 ELSE 5 END
  WHERE severity <> 3;
ALTER TABLE alert_group FORCE ROW LEVEL SECURITY;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("alerts", "0013_quiet"),
        ("tenants", "0007_integrations"),
    ]

    operations = [
        migrations.CreateModel(
            name="Service",
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
                    "slug",
                    models.CharField(
                        help_text="Without conditions, alerts whose label “service” says this.",
                        max_length=63,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[A-Za-z0-9][A-Za-z0-9_.-]*\\Z",
                                "Letters, digits, dots, dashes and underscores only.",
                            )
                        ],
                        verbose_name="short name",
                    ),
                ),
                ("name", models.CharField(max_length=100, verbose_name="name")),
                (
                    "description",
                    models.TextField(
                        blank=True,
                        default="",
                        max_length=4000,
                        verbose_name="description",
                    ),
                ),
                (
                    "team",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="Who answers for it; messages say so.",
                        max_length=100,
                        verbose_name="team",
                    ),
                ),
                (
                    "matchers",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text="One condition a line; all must hold.",
                        validators=[
                            alertcenter.alerts.models.conditions.validate_matchers,
                            alertcenter.alerts.models.service.validate_number,
                        ],
                        verbose_name="conditions",
                    ),
                ),
                (
                    "position",
                    models.PositiveIntegerField(
                        default=100,
                        help_text="Lower numbers are tried first.",
                        verbose_name="position",
                    ),
                ),
                (
                    "tier",
                    models.PositiveSmallIntegerField(
                        choices=[
                            (1, "1: vital"),
                            (2, "2: important"),
                            (3, "3: usual"),
                            (4, "4: minor"),
                        ],
                        default=3,
                        verbose_name="importance",
                    ),
                ),
                (
                    "runbook_url",
                    models.CharField(
                        blank=True,
                        default="",
                        max_length=1000,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\Ahttps?://[^\\s<>\"'`|^{}\\\\]+\\Z",
                                "Give an address that begins with http:// or https://.",
                            )
                        ],
                        verbose_name="runbook",
                    ),
                ),
                (
                    "dashboard_url",
                    models.CharField(
                        blank=True,
                        default="",
                        max_length=1000,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\Ahttps?://[^\\s<>\"'`|^{}\\\\]+\\Z",
                                "Give an address that begins with http:// or https://.",
                            )
                        ],
                        verbose_name="dashboard",
                    ),
                ),
                ("active", models.BooleanField(default=True, verbose_name="active")),
            ],
            options={
                "verbose_name": "service",
                "verbose_name_plural": "services",
                "db_table": "service",
                "ordering": ["position", "slug"],
            },
        ),
        migrations.CreateModel(
            name="ServiceDependency",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
            ],
            options={
                "verbose_name": "dependency",
                "verbose_name_plural": "dependencies",
                "db_table": "service_dependency",
            },
        ),
        migrations.RemoveIndex(
            model_name="group",
            name="group_state",
        ),
        migrations.AddField(
            model_name="group",
            name="priority",
            field=models.SmallIntegerField(
                db_default=4, default=4, verbose_name="priority"
            ),
        ),
        migrations.AddField(
            model_name="group",
            name="priority_reason",
            field=models.JSONField(db_default=[], default=list),
        ),
        migrations.AddField(
            model_name="service",
            name="owner",
            field=tenants.rls.TenantForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="tenants.member",
                verbose_name="owner",
            ),
        ),
        migrations.AddField(
            model_name="service",
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
            model_name="group",
            name="service",
            field=tenants.rls.TenantForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                to="alerts.service",
                verbose_name="service",
            ),
        ),
        migrations.AddIndex(
            model_name="group",
            index=models.Index(
                fields=["tenant", "state", "priority", "-severity", "-opened_at"],
                name="group_state",
            ),
        ),
        migrations.AddIndex(
            model_name="group",
            index=models.Index(
                condition=models.Q(("service__isnull", False)),
                fields=["tenant", "service", "state", "-severity"],
                name="group_service",
            ),
        ),
        migrations.AddField(
            model_name="servicedependency",
            name="needs",
            field=tenants.rls.TenantForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="dependents",
                to="alerts.service",
                verbose_name="needs",
            ),
        ),
        migrations.AddField(
            model_name="servicedependency",
            name="service",
            field=tenants.rls.TenantForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="dependencies",
                to="alerts.service",
                verbose_name="service",
            ),
        ),
        migrations.AddField(
            model_name="servicedependency",
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
            model_name="service",
            constraint=models.UniqueConstraint(
                fields=("tenant", "slug"), name="service_slug"
            ),
        ),
        migrations.AddConstraint(
            model_name="service",
            constraint=models.CheckConstraint(
                condition=models.Q(("tier__gte", 1), ("tier__lte", 4)),
                name="service_tier",
            ),
        ),
        migrations.AddConstraint(
            model_name="servicedependency",
            constraint=models.UniqueConstraint(
                fields=("tenant", "service", "needs"), name="service_dependency_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="servicedependency",
            constraint=models.CheckConstraint(
                condition=models.Q(("service", models.F("needs")), _negated=True),
                name="service_dependency_itself",
            ),
        ),
        ProtectTable("Service"),
        ProtectTable("ServiceDependency"),
        AddTenantForeignKeys("Service"),
        AddTenantForeignKeys("ServiceDependency"),
        AddTenantForeignKeys("Group", "service"),
        migrations.RunSQL(WEIGH, migrations.RunSQL.noop),
    ]
