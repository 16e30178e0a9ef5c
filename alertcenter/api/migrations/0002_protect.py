"""Row-level security of this room."""

from django.db import migrations

from tenants.rls import ProtectTable


class Migration(migrations.Migration):
    dependencies = [("api", "0001_initial"), ("tenants", "0003_protect")]
    operations = [ProtectTable("SlackInbox", queue=True)]
