"""Steps are told more than a target; what everybody must acknowledge; targets."""

import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import alertcenter.common.ids
import escalation.models.policy
import tenants.models.base
import tenants.rls
from tenants.rls import AddTenantForeignKeys, ProtectTable

NEW = ("Asked", "LastAct", "SlaTarget", "StepTurn")


class Migration(migrations.Migration):
    dependencies = [
        ("escalation", "0007_layers_hold_turns"),
        ("tenants", "0007_integrations"),
    ]

    operations = [
        migrations.CreateModel(
            name="Asked",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("group_id", models.UUIDField()),
                ("asked_at", models.DateTimeField(verbose_name="asked")),
                (
                    "acked_at",
                    models.DateTimeField(null=True, verbose_name="acknowledged"),
                ),
            ],
            options={
                "db_table": "asked",
            },
        ),
        migrations.CreateModel(
            name="LastAct",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("group_id", models.UUIDField()),
                ("kind", models.CharField(max_length=20, verbose_name="what")),
                ("actor_kind", models.CharField(max_length=20)),
                ("actor_id", models.CharField(max_length=64)),
                ("at", models.DateTimeField(verbose_name="at")),
                ("before", models.JSONField(default=dict)),
            ],
            options={
                "db_table": "last_act",
            },
        ),
        migrations.CreateModel(
            name="SlaTarget",
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
                    "severity",
                    models.SmallIntegerField(
                        choices=[
                            (1, "debug"),
                            (2, "info"),
                            (3, "warning"),
                            (4, "error"),
                            (5, "critical"),
                        ],
                        verbose_name="severity",
                    ),
                ),
                (
                    "acknowledge_seconds",
                    models.PositiveIntegerField(
                        blank=True,
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(2592000),
                        ],
                        verbose_name="acknowledged within (seconds)",
                    ),
                ),
                (
                    "resolve_seconds",
                    models.PositiveIntegerField(
                        blank=True,
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(2592000),
                        ],
                        verbose_name="resolved within (seconds)",
                    ),
                ),
            ],
            options={
                "verbose_name": "service level",
                "verbose_name_plural": "service levels",
                "db_table": "sla_target",
                "ordering": ["-severity"],
            },
        ),
        migrations.CreateModel(
            name="StepTurn",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("step_id", models.UUIDField()),
                ("member_id", models.UUIDField(null=True)),
            ],
            options={
                "db_table": "step_turn",
            },
        ),
        migrations.AddField(
            model_name="duestep",
            name="forced",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="duestep",
            name="not_before",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="duestep",
            name="turn",
            field=models.PositiveSmallIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="policy",
            name="ack_timeout_seconds",
            field=models.PositiveIntegerField(
                db_default=0,
                default=0,
                help_text="Then the policy begins anew; 0: for ever.",
                validators=[django.core.validators.MaxValueValidator(2592000)],
                verbose_name="an acknowledgement lasts (seconds)",
            ),
        ),
        migrations.AddField(
            model_name="step",
            name="params",
            field=models.JSONField(
                blank=True, db_default={}, default=dict, verbose_name="details"
            ),
        ),
        migrations.AlterField(
            model_name="duestep",
            name="state",
            field=models.CharField(
                choices=[
                    ("due", "due"),
                    ("done", "done"),
                    ("cancelled", "cancelled"),
                    ("ack", "acknowledged for so long"),
                ],
                default="due",
                max_length=10,
                verbose_name="state",
            ),
        ),
        migrations.AlterField(
            model_name="step",
            name="kind",
            field=models.CharField(
                choices=escalation.models.policy.step_kinds,
                max_length=20,
                verbose_name="kind",
            ),
        ),
        migrations.AddIndex(
            model_name="duestep",
            index=models.Index(
                condition=models.Q(("state", "ack")),
                fields=["due_at"],
                name="due_step_ack",
            ),
        ),
        migrations.AddField(
            model_name="asked",
            name="member",
            field=tenants.rls.TenantForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.CASCADE,
                to="tenants.member",
                verbose_name="member",
            ),
        ),
        migrations.AddField(
            model_name="asked",
            name="run",
            field=tenants.rls.TenantForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="asked",
                to="escalation.run",
            ),
        ),
        migrations.AddField(
            model_name="asked",
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
            model_name="lastact",
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
            model_name="slatarget",
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
            model_name="stepturn",
            name="tenant",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="tenants.tenant",
                verbose_name="tenant",
            ),
        ),
        migrations.AddIndex(
            model_name="asked",
            index=models.Index(
                condition=models.Q(("acked_at", None)),
                fields=["tenant", "group_id"],
                name="asked_open",
            ),
        ),
        migrations.AddConstraint(
            model_name="asked",
            constraint=models.UniqueConstraint(
                fields=("tenant", "run", "member"), name="asked_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="lastact",
            constraint=models.UniqueConstraint(
                fields=("tenant", "group_id"), name="last_act_of"
            ),
        ),
        migrations.AddConstraint(
            model_name="slatarget",
            constraint=models.UniqueConstraint(
                fields=("tenant", "severity"), name="sla_target_of"
            ),
        ),
        migrations.AddConstraint(
            model_name="stepturn",
            constraint=models.UniqueConstraint(
                fields=("tenant", "step_id"), name="step_turn_once"
            ),
        ),
        *(ProtectTable(model) for model in NEW),
        AddTenantForeignKeys("Asked"),
    ]
