"""How do lists of the admin act? Through escalation.actions, like everything else."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from alertcenter.alerts.admin.alert import AlertAdmin
from alertcenter.alerts.models import Alert, GroupAlert
from escalation import actions
from escalation.acting import Outcome
from tenants.admin_base import membership_of

MOST_AT_ONCE = 1000
REASONS: dict[str, Any] = {
    "already": gettext_lazy("Group #%(number)s was in that state already."),
    "resolved": gettext_lazy("Group #%(number)s is resolved already."),
    "stale": gettext_lazy("Group #%(number)s has changed meanwhile."),
    "nothing_due": gettext_lazy("Group #%(number)s has no further step."),
    "not_found": gettext_lazy("Group #%(number)s does not exist."),
    "others": gettext_lazy("Group #%(number)s waits for others to acknowledge it."),
    "too_late": gettext_lazy("Group #%(number)s: there is nothing to undo any more."),
}


def act(
    request: HttpRequest,
    do: Callable[..., list[Outcome]],
    group_ids: Iterable[UUID],
    **given: Any,
) -> None:
    """Do it as the person and say what became of it."""
    membership = membership_of(request)
    outcomes = do(membership.tenant_id, group_ids, actor=membership.actor, **given)
    report(request, outcomes)


def report(request: HttpRequest, outcomes: list[Outcome]) -> None:
    """Say how many were changed, and why others were not."""
    done = sum(outcome.done for outcome in outcomes)
    if done:
        text = ngettext("%(n)d group changed.", "%(n)d groups changed.", done)
        messages.success(request, text % {"n": done})
    refused = [outcome for outcome in outcomes if not outcome.done]
    for outcome in refused[:5]:
        text = str(REASONS[outcome.reason])
        messages.warning(request, text % {"number": outcome.number})
    if len(refused) > 5:
        text = _("And %(n)s more were left as they are.")
        messages.warning(request, text % {"n": len(refused) - 5})


@admin.action(
    description=gettext_lazy("Resolve the groups of the selected alerts"),
    permissions=["change"],
)
def resolve_alerts(
    model_admin: Any, request: HttpRequest, alerts: QuerySet[Alert]
) -> None:
    """Resolve the open groups that hold these alerts."""
    act(request, actions.resolve, groups_of(alerts))


@admin.action(
    description=gettext_lazy("Acknowledge the groups of the selected alerts"),
    permissions=["change"],
)
def acknowledge_alerts(
    model_admin: Any, request: HttpRequest, alerts: QuerySet[Alert]
) -> None:
    """Acknowledge the open groups that hold these alerts."""
    act(request, actions.acknowledge, groups_of(alerts))


def groups_of(alerts: QuerySet[Alert]) -> list[UUID]:
    """Return the groups in which these alerts are now."""
    chosen = list(alerts.order_by().values_list("pk", flat=True)[:MOST_AT_ONCE])
    inside = GroupAlert.objects.filter(alert_id__in=chosen, left_at=None)
    return list(inside.order_by().values_list("group_id", flat=True).distinct())


AlertAdmin.actions = (acknowledge_alerts, resolve_alerts)
