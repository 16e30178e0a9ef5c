"""How many codes were sent is read from the audit log; nothing read the counter."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0014_merged"),
    ]

    operations = [
        migrations.RemoveField(model_name="contact", name="codes_sent"),
    ]
