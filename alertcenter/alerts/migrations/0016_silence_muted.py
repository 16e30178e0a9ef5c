"""When a silence first muted something: some end when that is over."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("alerts", "0015_flapping")]

    operations = [
        migrations.AddField(
            model_name="silence",
            name="muted_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddIndex(
            model_name="silence",
            index=models.Index(
                condition=models.Q(("in_force", True), ("until_gone", True)),
                fields=["tenant"],
                name="silence_until_gone",
            ),
        ),
    ]
