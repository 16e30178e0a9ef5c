"""What did a sender say, word for word?"""

from __future__ import annotations

import zlib

from django.db import models
from django.utils.translation import gettext_lazy as _

from tenants.models.base import TenantRow


class Outcome(models.TextChoices):
    """What became of a body."""

    KEPT = "kept", _("kept")
    PARTLY = "partly", _("partly refused")
    REFUSED = "refused", _("refused")
    UNKNOWN = "unknown", _("not understood")


class RawEvent(TenantRow):
    """One row is one body as it arrived; partitioned by day, without its headers.

    `context` holds what else its adapter looked at (query, method, a few headers, never
    a credential), so that it can be read once more. `size` is what was sent, which may
    be more than what was kept of it.
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(_("at"))
    protocol = models.CharField(_("protocol"), max_length=40)
    integration_id = models.UUIDField(null=True)
    key_id = models.UUIDField(_("API key"), null=True)
    correlation_id = models.CharField(_("correlation id"), max_length=64, default="")
    content_type = models.CharField(_("content type"), max_length=200, default="")
    context = models.JSONField(_("context"), default=dict)
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome.choices)
    errors = models.JSONField(_("errors"), default=list)
    size = models.IntegerField(_("bytes"))
    packed = models.BooleanField(default=False)
    body = models.BinaryField(_("body"))

    class Meta:
        db_table = "raw_event"
        verbose_name = _("raw payload")
        verbose_name_plural = _("raw payloads")
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["tenant", "-at", "-id"], name="raw_event_recent"),
            models.Index(
                fields=["tenant", "outcome", "-at", "-id"], name="raw_event_outcome"
            ),
            models.Index(
                fields=["tenant", "protocol", "-at", "-id"], name="raw_event_protocol"
            ),
            models.Index(
                fields=["tenant", "integration_id", "-at", "-id"],
                name="raw_event_integration",
                condition=models.Q(integration_id__isnull=False),
            ),
            models.Index(fields=["tenant", "correlation_id"], name="raw_event_request"),
        ]

    def __str__(self) -> str:
        return f"{self.protocol} {self.at:%Y-%m-%d %H:%M:%S}"

    @property
    def content(self) -> bytes:
        """The body as it arrived, as far as it was kept."""
        body = bytes(self.body)
        return zlib.decompress(body) if self.packed else body
