from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0005_webhook"),
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
                ],
                max_length=20,
                verbose_name="occasion",
            ),
        ),
    ]
