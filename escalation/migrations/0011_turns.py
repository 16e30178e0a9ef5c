"""Tenants take turns at due steps by an index; the queue's tables are kept lean.

A queue's rows die as quickly as they come: vacuumed by the default, after a fifth of
the table, the head of its indexes would be thousands of dead entries long.
"""

from django.db import migrations, models

LEAN = """
ALTER TABLE due_step SET (autovacuum_vacuum_scale_factor = 0.02,
  autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);
ALTER TABLE run SET (autovacuum_vacuum_scale_factor = 0.05)
"""
AS_BEFORE = """
ALTER TABLE due_step RESET (autovacuum_vacuum_scale_factor,
  autovacuum_vacuum_threshold, autovacuum_vacuum_cost_delay);
ALTER TABLE run RESET (autovacuum_vacuum_scale_factor)
"""


class Migration(migrations.Migration):
    dependencies = [("escalation", "0010_calendar_reading")]

    operations = [
        migrations.AddIndex(
            model_name="duestep",
            index=models.Index(
                condition=models.Q(("state", "due")),
                fields=["tenant", "due_at"],
                name="due_step_turn",
            ),
        ),
        migrations.RunSQL(LEAN, AS_BEFORE),
    ]
