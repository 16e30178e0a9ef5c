"""Who may do what? Roles, the acts they allow, and nothing else."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """A member's role; each includes the ones below it."""

    OWNER = "owner", _("owner")
    ADMIN = "admin", _("administrator")
    RESPONDER = "responder", _("responder")
    VIEWER = "viewer", _("viewer")


# A platform operator is no member; he acts in one chosen tenant at a time.
OPERATOR = "operator"

VIEW = "view"  # see everything but secrets
ACT = "act"  # acknowledge, resolve, snooze, ...
CONFIGURE = "configure"  # channels, routes, policies, templates, rules
ADMINISTER = "administer"  # members and keys

ALLOWED: dict[str, frozenset[str]] = {
    OPERATOR: frozenset({VIEW, ACT, CONFIGURE, ADMINISTER}),
    Role.OWNER.value: frozenset({VIEW, ACT, CONFIGURE, ADMINISTER}),
    Role.ADMIN.value: frozenset({VIEW, ACT, CONFIGURE, ADMINISTER}),
    Role.RESPONDER.value: frozenset({VIEW, ACT}),
    Role.VIEWER.value: frozenset({VIEW}),
}


def may(role: str, what: str) -> bool:
    """Whether `role` allows `what` (view, act, configure, administer)."""
    return what in ALLOWED.get(role, frozenset())
