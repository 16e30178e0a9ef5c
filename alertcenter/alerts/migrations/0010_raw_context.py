"""What an adapter looked at besides a body, to read it once more."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("alerts", "0009_receipts"),
        ("tenants", "0007_integrations"),
    ]

    operations = [
        migrations.AddField(
            model_name="rawevent",
            name="context",
            field=models.JSONField(default=dict, verbose_name="context"),
        ),
        migrations.AddIndex(
            model_name="rawevent",
            index=models.Index(
                condition=models.Q(("integration_id__isnull", False)),
                fields=["tenant", "integration_id", "-at", "-id"],
                name="raw_event_integration",
            ),
        ),
    ]
