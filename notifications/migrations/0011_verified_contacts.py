"""A telephone is proven by a code; what providers report acts once."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

from tenants.rls import ProtectTable


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0010_reminder"),
    ]

    operations = [
        migrations.AddField(
            model_name="contact",
            name="verified_at",
            field=models.DateTimeField(
                editable=False, null=True, verbose_name="verified"
            ),
        ),
        migrations.AddField(
            model_name="contact",
            name="stopped_at",
            field=models.DateTimeField(
                editable=False, null=True, verbose_name="stopped"
            ),
        ),
        migrations.AddField(
            model_name="contact",
            name="code_hash",
            field=models.CharField(
                db_default="", default="", editable=False, max_length=64
            ),
        ),
        migrations.AddField(
            model_name="contact",
            name="code_sent_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="contact",
            name="code_tries",
            field=models.PositiveSmallIntegerField(
                db_default=0, default=0, editable=False
            ),
        ),
        migrations.AddField(
            model_name="contact",
            name="codes_sent",
            field=models.PositiveSmallIntegerField(
                db_default=0, default=0, editable=False
            ),
        ),
        migrations.CreateModel(
            name="Heard",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now()
                    ),
                ),
                ("key", models.CharField(max_length=200)),
                ("answer", models.TextField(db_default="", default="")),
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
                "db_table": "heard",
                "indexes": [models.Index(fields=["tenant", "at"], name="heard_age")],
                "constraints": [
                    models.UniqueConstraint(fields=("tenant", "key"), name="heard_once")
                ],
            },
        ),
        ProtectTable("Heard"),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("channel_kind__in", ["sms", "voice"])),
                fields=["tenant", "address", "sent_at"],
                name="delivery_phones",
            ),
        ),
    ]
