"""What is to be sent, what was tried, and what the other side said?"""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from notifications.models.channel import channel_kinds
from tenants.models.base import TenantModel, TenantRow
from tenants.rls import TenantForeignKey


class DeliveryState(models.TextChoices):
    """Where a delivery stands."""

    PENDING = "pending", _("pending")
    LEASED = "leased", _("being sent")
    SENT = "sent", _("sent")
    MERGED = "merged", _("in a digest")
    AMBIGUOUS = "ambiguous", _("unknown whether it arrived")
    DEAD = "dead", _("given up")
    CANCELLED = "cancelled", _("cancelled")


class DeliveryKind(models.TextChoices):
    """What a delivery does to the conversation about a group."""

    PAGE = "page", _("page")  # opens the thread, or says it anew to a person
    UPDATE = "update", _("update")  # redraws the message in place
    REPLY = "reply", _("reply")  # adds a line to the thread
    CHART = "chart", _("chart")  # adds a picture of the metric to the thread
    TEST = "test", _("test")
    ANSWER = "answer", _("answer")  # to one person's click, through response_url


# How one try ended, as people read it.
OUTCOMES = {
    "sent": _("sent"),
    "dead": _("given up"),
    "ambiguous": _("unknown whether it arrived"),
    "retry": _("to be tried again"),
    "ratelimited": _("asked to wait"),
    "late": _("too late"),
    "delivered": _("arrived"),
    "undelivered": _("did not arrive"),
}


class Delivery(TenantModel):
    """One row is one message to one recipient on one channel: the outbox.

    `idem` is unique in the tenant, so writing a delivery twice does nothing.
    `lane` orders deliveries: in one lane the next waits for the one before.
    A worker leases a row, sends with no transaction open, and finishes with the
    `fence` it was given; whoever comes later with an older fence is refused.
    """

    idem = models.CharField(max_length=200)
    lane = models.CharField(max_length=200)
    # Where it goes: the key of its Destination.
    destination = models.CharField(max_length=200, default="", db_default="")
    kind = models.CharField(_("what"), max_length=10, choices=DeliveryKind.choices)
    channel = TenantForeignKey(
        "notifications.Channel",
        models.CASCADE,
        null=True,
        verbose_name=_("channel"),
    )
    channel_kind = models.CharField(_("kind"), max_length=20, choices=channel_kinds)
    member = TenantForeignKey(
        "tenants.Member", models.SET_NULL, null=True, verbose_name=_("member")
    )
    address = models.CharField(_("address"), max_length=400, default="")
    group_id = models.UUIDField(_("group"), null=True)
    message = models.JSONField(_("message"))
    severity = models.SmallIntegerField(default=3)
    state = models.CharField(
        _("state"),
        max_length=10,
        choices=DeliveryState.choices,
        default=DeliveryState.PENDING,
    )
    fence = models.IntegerField(default=0)
    attempts = models.IntegerField(_("attempts"), default=0)
    lease_until = models.DateTimeField(null=True)
    # Empty: nothing more will be tried.
    next_at = models.DateTimeField(_("next attempt"), db_default=Now(), null=True)
    # How often it may have arrived without our knowing.
    doubts = models.SmallIntegerField(default=0, db_default=0)
    sent_at = models.DateTimeField(_("sent"), null=True)
    provider_id = models.CharField(_("provider's id"), max_length=200, default="")
    error = models.TextField(_("last error"), default="")
    correlation_id = models.CharField(max_length=64, default="")
    # The digest that says it in its place; the delivery in whose place this one is.
    merged_into = models.UUIDField(null=True)
    instead_of = models.UUIDField(null=True)
    passed_on_at = models.DateTimeField(null=True)
    # A page of a later step: nobody was told by it before its time.
    put_off = models.BooleanField(default=False, db_default=False)

    class Meta:
        db_table = "delivery"
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "idem"], name="delivery_idem")
        ]
        indexes = [
            models.Index(
                fields=["next_at"],
                condition=Q(state__in=["pending", "leased", "ambiguous"]),
                name="delivery_due",
            ),
            models.Index(
                fields=["tenant", "lane", "id"],
                condition=Q(state__in=["pending", "leased", "ambiguous"]),
                name="delivery_lane",
            ),
            models.Index(fields=["tenant", "group_id"], name="delivery_group"),
            models.Index(fields=["tenant", "-created_at"], name="delivery_recent"),
            models.Index(
                fields=["tenant", "merged_into"],
                condition=Q(merged_into__isnull=False),
                name="delivery_merged",
            ),
            models.Index(
                fields=["tenant", "address", "sent_at"],
                condition=Q(channel_kind__in=["sms", "voice"]),
                name="delivery_phones",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.address or self.channel_kind}"


class Destination(TenantRow):
    """One row is one place that cannot take everything at once, or is in trouble.

    `pace`: seconds between two messages that the tenant asked for itself, 0: none.
    Nothing leaves for it before `open_at`, which is never before `asked_until`, what
    the provider asked for. `paced_until` is the time until which its
    rate is used up; `failures` counts those in a row, `slow` says that the last answer
    took long: then one at a time goes there. A place without a row is well.
    """

    id = models.BigAutoField(primary_key=True)
    key = models.CharField(max_length=200)
    channel = TenantForeignKey(
        "notifications.Channel",
        models.CASCADE,
        null=True,
        verbose_name=_("channel"),
    )
    open_at = models.DateTimeField(_("takes messages from"), db_default=Now())
    asked_until = models.DateTimeField(db_default=Now())
    paced_until = models.DateTimeField(db_default=Now())
    pace = models.FloatField(default=0.0, db_default=0.0)
    failures = models.IntegerField(_("failures in a row"), default=0, db_default=0)
    slow = models.BooleanField(_("slow"), default=False, db_default=False)
    why = models.CharField(_("why"), max_length=300, default="", db_default="")

    class Meta:
        db_table = "destination"
        verbose_name = _("place of delivery")
        verbose_name_plural = _("places of delivery")
        constraints = [
            models.UniqueConstraint(fields=["tenant", "key"], name="destination_key")
        ]

    def __str__(self) -> str:
        return self.key.partition(":")[2] or str(self.channel or self.key)


class Attempt(TenantRow):
    """One row is one try to send; append-only, partitioned by month."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(_("at"), db_default=Now())
    delivery_id = models.UUIDField()
    number = models.IntegerField(_("number"))
    outcome = models.CharField(_("outcome"), max_length=20)
    milliseconds = models.IntegerField(_("milliseconds"))
    answer = models.TextField(_("answer"), default="")
    process = models.CharField(_("process"), max_length=100, default="")

    class Meta:
        db_table = "attempt"
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        ordering = ["at"]
        indexes = [
            models.Index(fields=["tenant", "delivery_id"], name="attempt_delivery")
        ]

    @property
    def outcome_words(self) -> str:
        """How the try ended, in the reader's language."""
        return str(OUTCOMES.get(self.outcome, self.outcome))


class Thread(TenantRow):
    """One row remembers where a group's conversation stands: on one channel, and
    there in its own place or, with an address, with one person."""

    id = models.BigAutoField(primary_key=True)
    group_id = models.UUIDField()
    channel = TenantForeignKey("notifications.Channel", models.CASCADE)
    address = models.CharField(max_length=400, default="")
    provider_channel = models.CharField(max_length=100, default="")
    provider_ts = models.CharField(max_length=100, default="")

    class Meta:
        db_table = "thread"
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "group_id", "channel", "address"],
                name="thread_once",
            )
        ]


class SimulatedMessage(TenantRow):
    """One row is one message that the built-in receiver took (simulation)."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(db_default=Now())
    kind = models.CharField(max_length=20, choices=channel_kinds)
    channel_id = models.UUIDField(null=True)
    address = models.CharField(max_length=400, default="")
    ts = models.CharField(max_length=40, default="")
    thread_ts = models.CharField(max_length=40, default="")
    payload = models.JSONField(default=dict)
    edited_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "simulated_message"
        indexes = [
            models.Index(fields=["tenant", "-id"], name="simulated_recent"),
            models.Index(fields=["tenant", "ts"], name="simulated_ts"),
        ]
