"""Who belongs together?"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from escalation import limits
from tenants.models.base import TenantModel
from tenants.rls import TenantForeignKey


class Team(TenantModel):
    """One row is a team, which a policy may notify as a whole."""

    name = models.CharField(_("name"), max_length=100)

    class Meta:
        db_table = "team"
        verbose_name = _("team")
        verbose_name_plural = _("teams")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "name"], name="team_name")
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Ask whether there is room for one more."""
        limits.ask_room(self)


class TeamMember(TenantModel):
    """One row is a member's place in a team."""

    team = TenantForeignKey(Team, models.CASCADE, related_name="memberships")
    member = TenantForeignKey(
        "tenants.Member", models.CASCADE, verbose_name=_("member")
    )
    position = models.PositiveSmallIntegerField(_("position"), default=1)

    class Meta:
        db_table = "team_member"
        verbose_name = _("team member")
        verbose_name_plural = _("team members")
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "team", "member"], name="team_member_once"
            )
        ]

    def __str__(self) -> str:
        return str(self.member)
