"""How is a policy written as a whole? Its name, its steps in their order, audited."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError

from escalation.limits import MOST_STEPS
from escalation.models import Policy, Step
from tenants import audit
from tenants.actors import Actor

COLUMNS = ("kind", "channel_id", "member_id", "schedule_id", "wait_seconds", "params")

EMPTY: Mapping[str, Any] = {"kind": "", "params": {}}


class StepsError(ValidationError):
    """Steps that cannot be; `wrong` lists what is, {} for a step that can."""

    def __init__(self, wrong: Sequence[Mapping[str, Any]]) -> None:
        super().__init__("steps")
        self.wrong = wrong


def note(policy: Policy, verb: str, actor: Actor, **data: Any) -> None:
    """Audit what was done to a policy."""
    audit.record(
        policy.tenant_id,
        actor,
        f"policy.{verb}",
        kind="policy",
        object_id=policy.pk,
        **data,
    )


def set_steps(policy: Policy, given: Sequence[Mapping[str, Any]]) -> None:
    """Write the steps of a locked policy; what is not named is gone. Runs under way
    keep theirs.

    A step that stays of its kind stays the same row: whose turn it is goes on.
    Raises StepsError.
    """
    known = list(policy.steps.order_by("position", "id"))
    rows: list[Step] = []
    wrong: list[Mapping[str, Any]] = []
    for position, values in enumerate(given[:MOST_STEPS], 1):
        same = next((one for one in known if one.kind == values.get("kind")), None)
        if same is not None:
            known.remove(same)
        row = same or Step(tenant_id=policy.tenant_id, policy=policy)
        row.position = position
        for name in COLUMNS:
            setattr(row, name, values.get(name, EMPTY.get(name)))
        try:
            row.full_clean()
            wrong.append({})
        except ValidationError as error:
            wrong.append(error.message_dict)
        rows.append(row)
    if any(wrong):
        raise StepsError(wrong)
    Step.objects.filter(pk__in=[one.pk for one in known]).delete()
    for row in rows:
        row.save()
