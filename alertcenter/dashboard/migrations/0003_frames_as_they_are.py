"""A frame of some 100 KB lives for ten minutes: packing it costs more than it saves."""

from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("dashboard", "0002_protect")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE live ALTER COLUMN frame SET STORAGE EXTERNAL;",
            "ALTER TABLE live ALTER COLUMN frame SET STORAGE EXTENDED;",
        )
    ]
