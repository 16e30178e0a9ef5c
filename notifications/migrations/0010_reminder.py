"""The reminder before a silence ends has wordings of its own."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0009_mail_links"),
    ]

    operations = [
        migrations.AlterField(
            model_name="messagetemplate",
            name="kind",
            field=models.CharField(
                choices=[
                    ("firing", "firing"),
                    ("acknowledged", "acknowledged"),
                    ("snoozed", "snoozed"),
                    ("resolved", "resolved"),
                    ("storm", "storm"),
                    ("digest", "digest"),
                    ("reminder", "a silence is about to end"),
                ],
                max_length=20,
                verbose_name="occasion",
            ),
        ),
    ]
