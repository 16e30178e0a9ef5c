"""Bodies as they arrived, by day; and an index to find an alert's groups."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("alerts", "0006_fewer_indexes"),
        ("tenants", "0005_retention"),
    ]
    operations = [
        migrations.CreateModel(
            name="RawEvent",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField(verbose_name="at")),
                ("protocol", models.CharField(max_length=40, verbose_name="protocol")),
                ("integration_id", models.UUIDField(null=True)),
                ("key_id", models.UUIDField(null=True, verbose_name="API key")),
                (
                    "correlation_id",
                    models.CharField(
                        default="", max_length=64, verbose_name="correlation id"
                    ),
                ),
                (
                    "content_type",
                    models.CharField(
                        default="", max_length=200, verbose_name="content type"
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("kept", "kept"),
                            ("partly", "partly refused"),
                            ("refused", "refused"),
                            ("unknown", "not understood"),
                        ],
                        max_length=10,
                        verbose_name="outcome",
                    ),
                ),
                ("errors", models.JSONField(default=list, verbose_name="errors")),
                ("size", models.IntegerField(verbose_name="bytes")),
                ("packed", models.BooleanField(default=False)),
                ("body", models.BinaryField(verbose_name="body")),
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
                "verbose_name": "raw payload",
                "verbose_name_plural": "raw payloads",
                "db_table": "raw_event",
                "ordering": ["-at", "-id"],
                "indexes": [
                    models.Index(
                        fields=["tenant", "-at", "-id"], name="raw_event_recent"
                    ),
                    models.Index(
                        fields=["tenant", "outcome", "-at", "-id"],
                        name="raw_event_outcome",
                    ),
                    models.Index(
                        fields=["tenant", "protocol", "-at", "-id"],
                        name="raw_event_protocol",
                    ),
                    models.Index(
                        fields=["tenant", "correlation_id"], name="raw_event_request"
                    ),
                ],
            },
        ),
        migrations.AddIndex(
            model_name="groupalert",
            index=models.Index(fields=["tenant", "alert"], name="group_alert_alert"),
        ),
    ]
