"""Calendars are read again and again: when next, and what was read last."""

from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):
    dependencies = [
        ("escalation", "0009_schedule_notices"),
    ]

    operations = [
        migrations.AddField(
            model_name="availability",
            name="digest",
            field=models.CharField(default="", editable=False, max_length=130),
        ),
        migrations.AddField(
            model_name="availability",
            name="due_at",
            field=models.DateTimeField(db_default=Now(), editable=False),
        ),
        migrations.AddField(
            model_name="availability",
            name="etag",
            field=models.CharField(default="", editable=False, max_length=300),
        ),
        migrations.AddField(
            model_name="availability",
            name="failures",
            field=models.PositiveIntegerField(default=0, editable=False),
        ),
        migrations.AddField(
            model_name="availability",
            name="last_modified",
            field=models.CharField(default="", editable=False, max_length=300),
        ),
        migrations.AddField(
            model_name="availability",
            name="told_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="calendarimport",
            name="digest",
            field=models.CharField(default="", editable=False, max_length=130),
        ),
        migrations.AddField(
            model_name="calendarimport",
            name="due_at",
            field=models.DateTimeField(db_default=Now(), editable=False),
        ),
        migrations.AddField(
            model_name="calendarimport",
            name="etag",
            field=models.CharField(default="", editable=False, max_length=300),
        ),
        migrations.AddField(
            model_name="calendarimport",
            name="failures",
            field=models.PositiveIntegerField(default=0, editable=False),
        ),
        migrations.AddField(
            model_name="calendarimport",
            name="last_modified",
            field=models.CharField(default="", editable=False, max_length=300),
        ),
        migrations.AddField(
            model_name="calendarimport",
            name="told_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
    ]
