"""Row-level security of this room."""

from django.db import migrations

from tenants.rls import ProtectTable


class Migration(migrations.Migration):
    dependencies = [("dashboard", "0001_initial"), ("tenants", "0003_protect")]
    operations = [ProtectTable("Live"), ProtectTable("LiveHead", queue=True)]
