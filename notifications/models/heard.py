"""Which of a provider's calls have we acted on?"""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from tenants.models.base import TenantRow


class Heard(TenantRow):
    """One row is one act that a provider reported, and what we answered.

    A provider's signature holds no time: without this row a copy of its call could act
    again, years later.
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(db_default=Now())
    key = models.CharField(max_length=200)
    answer = models.TextField(default="", db_default="")

    class Meta:
        db_table = "heard"
        constraints = [
            models.UniqueConstraint(fields=["tenant", "key"], name="heard_once")
        ]
        indexes = [models.Index(fields=["tenant", "at"], name="heard_age")]
