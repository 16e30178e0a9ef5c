"""Row-level security of this room."""

from django.db import migrations

from tenants.rls import AddTenantForeignKeys, ProtectTable


class Migration(migrations.Migration):
    dependencies = [
        ("escalation", "0001_initial"),
        ("alerts", "0003_protect"),
        ("notifications", "0002_protect"),
    ]
    operations = [
        ProtectTable("Policy"),
        ProtectTable("Schedule"),
        ProtectTable("Turn"),
        ProtectTable("Step"),
        ProtectTable("Run"),
        ProtectTable("DueStep", queue=True),
        AddTenantForeignKeys("Turn"),
        AddTenantForeignKeys("Step"),
        AddTenantForeignKeys("Run"),
        AddTenantForeignKeys("DueStep"),
    ]
