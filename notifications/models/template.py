"""In which words is a message said?"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from notifications.models.channel import channel_kinds
from tenants.models.base import TenantModel


class MessageKind(models.TextChoices):
    """The occasions on which something is said."""

    FIRING = "firing", _("firing")
    ACKNOWLEDGED = "acknowledged", _("acknowledged")
    SNOOZED = "snoozed", _("snoozed")
    RESOLVED = "resolved", _("resolved")
    STORM = "storm", _("storm")
    DIGEST = "digest", _("digest")
    REMINDER = "reminder", _("a silence is about to end")


class MessageTemplate(TenantModel):  # type: ignore[django-manager-missing, unused-ignore]
    """One row is the wording of one kind of message on one kind of channel.

    `title` and `body` are Jinja2, one column per language (modeltranslation);
    `revision` grows with every edit, so that caches know.
    """

    kind = models.CharField(_("occasion"), max_length=20, choices=MessageKind.choices)
    channel_kind = models.CharField(
        _("kind of channel"), max_length=20, choices=channel_kinds
    )
    title = models.TextField(_("title"), blank=True, default="")
    body = models.TextField(_("body"), blank=True, default="")
    revision = models.IntegerField(default=1, editable=False)

    class Meta:
        db_table = "message_template"
        verbose_name = _("message template")
        verbose_name_plural = _("message templates")
        ordering = ["channel_kind", "kind"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "kind", "channel_kind"], name="template_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_channel_kind_display()}: {self.get_kind_display()}"
