from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0006_storm"),
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
                    ("reminder", "a silence is about to end"),
                ],
                max_length=20,
                verbose_name="occasion",
            ),
        ),
    ]
