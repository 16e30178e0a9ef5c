"""What did a dry run of a policy come to?"""

from __future__ import annotations

from django.db import models

from escalation.models.policy import Policy
from tenants.models.base import TenantModel
from tenants.rls import TenantForeignKey


class DryRun(TenantModel):
    """One row is one walk of a policy for a group that does not exist.

    `events` is the whole walk, reckoned at once; how much of it has happened is a
    question of the database's clock, so that nothing has to run meanwhile.
    """

    policy = TenantForeignKey(Policy, models.CASCADE, related_name="+")
    by = models.CharField(max_length=200)
    # When the group is supposed to open; the walk itself began at `created_at`.
    begins_at = models.DateTimeField()
    stopped_at = models.DateTimeField(null=True)
    severity = models.SmallIntegerField()
    labels = models.JSONField(default=dict)
    events = models.JSONField(default=list)
    ends = models.CharField(max_length=10)
    ends_after = models.FloatField()  # supposed seconds

    class Meta:
        db_table = "dry_run"
        indexes = [models.Index(fields=["tenant", "policy"], name="dry_run_policy")]
