"""Which policy is at work on which group, and what is due when?"""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from tenants.models.base import TenantModel, TenantRow
from tenants.rls import TenantForeignKey


class RunState(models.TextChoices):
    """Where a run stands."""

    ACTIVE = "active", _("active")
    STOPPED = "stopped", _("stopped")
    FINISHED = "finished", _("finished")


class Run(TenantModel):
    """One row is one policy at work on one group; `snapshot` holds its steps, so
    that editing the policy never disturbs it."""

    group = TenantForeignKey(
        "alerts.Group", models.CASCADE, related_name="runs", verbose_name=_("group")
    )
    policy_name = models.CharField(_("policy"), max_length=100)
    snapshot = models.JSONField(_("steps"))
    state = models.CharField(
        _("state"), max_length=10, choices=RunState.choices, default=RunState.ACTIVE
    )
    ended_at = models.DateTimeField(_("ended"), null=True)

    class Meta:
        db_table = "run"
        verbose_name = _("run")
        verbose_name_plural = _("runs")
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "group"],
                condition=Q(state="active"),
                name="run_one_active",
            )
        ]
        # For the key of a group that retention lets go.
        indexes = [models.Index(fields=["tenant", "group"], name="run_group")]


class Asked(TenantRow):
    """One row is a member who must acknowledge, as a step wants everybody to."""

    id = models.BigAutoField(primary_key=True)
    run = TenantForeignKey(Run, models.CASCADE, related_name="asked")
    group_id = models.UUIDField()
    member = TenantForeignKey(
        "tenants.Member", models.CASCADE, verbose_name=_("member")
    )
    asked_at = models.DateTimeField(_("asked"))
    acked_at = models.DateTimeField(_("acknowledged"), null=True)

    class Meta:
        db_table = "asked"
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "run", "member"], name="asked_once"
            )
        ]
        indexes = [
            models.Index(
                fields=["tenant", "group_id"],
                condition=Q(acked_at=None),
                name="asked_open",
            )
        ]


class LastAct(TenantRow):
    """One row is what a person did to a group last, and what it was before."""

    id = models.BigAutoField(primary_key=True)
    group_id = models.UUIDField()
    kind = models.CharField(_("what"), max_length=20)
    actor_kind = models.CharField(max_length=20)
    actor_id = models.CharField(max_length=64)
    at = models.DateTimeField(_("at"))
    before = models.JSONField(default=dict)

    class Meta:
        db_table = "last_act"
        constraints = [
            models.UniqueConstraint(fields=["tenant", "group_id"], name="last_act_of")
        ]


class DueStepState(models.TextChoices):
    """Where a due step stands. `ack`: the end of an acknowledgement, which is no
    step, and which no claim of steps sees."""

    DUE = "due", _("due")
    DONE = "done", _("done")
    CANCELLED = "cancelled", _("cancelled")
    ACK = "ack", _("acknowledged for so long")


class DueStep(TenantRow):
    """One row is one step of a run at its time, by the database's clock.

    Claimed, judged and done in one transaction, so it needs no lease; `attempts`
    and a later `due_at` keep a row that cannot be done from delaying others.
    """

    id = models.BigAutoField(primary_key=True)
    run = TenantForeignKey(Run, models.CASCADE, related_name="due_steps")
    group_id = models.UUIDField()
    position = models.PositiveSmallIntegerField(_("position"))
    round = models.PositiveSmallIntegerField(_("round"), default=1)
    due_at = models.DateTimeField(_("due"))
    done_at = models.DateTimeField(_("done"), null=True)
    state = models.CharField(
        _("state"),
        max_length=10,
        choices=DueStepState.choices,
        default=DueStepState.DUE,
    )
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    error = models.TextField(_("error"), default="")
    # Why it is put off although it was due: everything in the group is quiet.
    held = models.CharField(_("held"), max_length=20, default="", db_default="")
    # How often it put itself off, and until when, whatever makes it due before.
    turn = models.PositiveSmallIntegerField(default=0, db_default=0)
    not_before = models.DateTimeField(null=True)
    # A person asked for it: conditions are passed, nobody is waited for.
    forced = models.BooleanField(default=False, db_default=False)

    class Meta:
        db_table = "due_step"
        verbose_name = _("due step")
        verbose_name_plural = _("due steps")
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "run", "position", "round"], name="due_step_once"
            )
        ]
        indexes = [
            models.Index(
                fields=["due_at"], condition=Q(state="due"), name="due_step_due"
            ),
            # With a backlog, tenants take turns.
            models.Index(
                fields=["tenant", "due_at"],
                condition=Q(state="due"),
                name="due_step_turn",
            ),
            models.Index(
                fields=["due_at"], condition=Q(state="ack"), name="due_step_ack"
            ),
            models.Index(
                fields=["tenant", "group_id"],
                condition=Q(state="due"),
                name="due_step_group",
            ),
            models.Index(
                fields=["tenant", "group_id"],
                condition=Q(state="due") & ~Q(held=""),
                name="due_step_held",
            ),
        ]


class EngineHeartbeat(models.Model):
    """One row is one process of the engine and when it last was well."""

    process = models.CharField(_("process"), max_length=200, primary_key=True)
    at = models.DateTimeField(_("last seen"), db_default=Now())
    version = models.CharField(_("version"), max_length=40, default="")
    data = models.JSONField(_("details"), default=dict)

    class Meta:
        db_table = "engine_heartbeat"
        verbose_name = _("engine process")
        verbose_name_plural = _("engine processes")

    def __str__(self) -> str:
        return self.process
