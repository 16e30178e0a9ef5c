"""Composite foreign keys of this room."""

from django.db import migrations

from tenants.rls import AddTenantForeignKeys


class Migration(migrations.Migration):
    dependencies = [("alerts", "0003_protect"), ("escalation", "0002_protect")]
    operations = [
        AddTenantForeignKeys("Route"),
        AddTenantForeignKeys("Group"),
        AddTenantForeignKeys("GroupAlert"),
    ]
