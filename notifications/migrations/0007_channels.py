"""Kinds of channel are found in their modules; a channel may have a fallback."""

import django.db.models.deletion
from django.db import migrations, models

import notifications.models.channel
import tenants.rls
from tenants.rls import AddTenantForeignKeys


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0006_storm"),
    ]

    operations = [
        migrations.AddField(
            model_name="channel",
            name="fallback",
            field=tenants.rls.TenantForeignKey(
                blank=True,
                db_constraint=False,
                help_text="Told of what this channel cannot deliver.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                to="notifications.channel",
                verbose_name="fallback",
            ),
        ),
        migrations.AlterField(
            model_name="channel",
            name="kind",
            field=models.CharField(
                choices=notifications.models.channel.channel_kinds,
                max_length=20,
                verbose_name="kind",
            ),
        ),
        AddTenantForeignKeys("Channel", "fallback"),
        migrations.AlterField(
            model_name="contact",
            name="address",
            field=models.CharField(
                help_text="An e-mail address, a phone number, a user id.",
                max_length=320,
                verbose_name="address",
            ),
        ),
        migrations.AlterField(
            model_name="contact",
            name="kind",
            field=models.CharField(
                choices=notifications.models.channel.contact_kinds,
                max_length=20,
                verbose_name="kind",
            ),
        ),
        migrations.AlterField(
            model_name="delivery",
            name="channel_kind",
            field=models.CharField(
                choices=notifications.models.channel.channel_kinds,
                max_length=20,
                verbose_name="kind",
            ),
        ),
        migrations.AlterField(
            model_name="messagetemplate",
            name="channel_kind",
            field=models.CharField(
                choices=notifications.models.channel.channel_kinds,
                max_length=20,
                verbose_name="kind of channel",
            ),
        ),
        migrations.AlterField(
            model_name="simulatedmessage",
            name="kind",
            field=models.CharField(
                choices=notifications.models.channel.channel_kinds, max_length=20
            ),
        ),
    ]
