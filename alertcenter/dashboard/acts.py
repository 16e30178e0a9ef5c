"""What does a click do? It goes through the one door, `escalation.actions`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from alertcenter.common import tracing
from escalation import actions
from escalation.acting import Outcome
from tenants import roles
from tenants.access import Membership
from tenants.models import Member
from tenants.rls import in_tenant

MOST_GROUPS = 500
SHORTEST_SNOOZE, LONGEST_SNOOZE = 60, 30 * 24 * 3600

Result = dict[str, Any]


class BadAct(ValueError):
    """A request to act that makes no sense; `code` names why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def perform(who: Membership, wanted: Mapping[str, Any]) -> list[Result]:
    """Do what the frame `wanted` asks, and say what became of each group.

    `wanted` is {"do": name, "groups": [ids], "versions": [numbers], "seconds": n,
    "member": id}; its content comes from a browser and is trusted in nothing.
    Raises BadAct.
    """
    if not who.may(roles.ACT):
        raise BadAct("forbidden")
    name = wanted.get("do")
    act = actions.DO.get(name) if isinstance(name, str) else None
    if act is None:
        raise BadAct("unknown")
    ids = _ids(wanted.get("groups"))
    extra = _extra(str(name), ids, wanted)
    with tracing.bind(tracing.new_id()), in_tenant(who.tenant_id):
        try:
            outcomes = act(who.tenant_id, ids, actor=who.actor, **extra)
        except Member.DoesNotExist as error:
            raise BadAct("member") from error
    return [_result(outcome) for outcome in outcomes]


def _ids(value: Any) -> list[UUID]:
    if not isinstance(value, list) or not 0 < len(value) <= MOST_GROUPS:
        raise BadAct("groups")
    try:
        return list(dict.fromkeys(UUID(str(item)) for item in value))
    except ValueError as error:
        raise BadAct("groups") from error


def _versions(ids: list[UUID], value: Any) -> dict[UUID, int] | None:
    if value is None:
        return None
    if not isinstance(value, list) or len(value) != len(ids):
        raise BadAct("versions")
    if not all(isinstance(item, int) for item in value):
        raise BadAct("versions")
    return dict(zip(ids, value, strict=True))


def _extra(name: str, ids: list[UUID], wanted: Mapping[str, Any]) -> dict[str, Any]:
    if name == "escalate":
        return {"versions": _versions(ids, wanted.get("versions"))}
    if name == "snooze":
        return {"seconds": _seconds(wanted.get("seconds", 3600))}
    if name == "assign":
        try:
            return {"member_id": UUID(str(wanted.get("member")))}
        except ValueError as error:
            raise BadAct("member") from error
    return {}


def _seconds(value: Any) -> int:
    if not isinstance(value, int) or not SHORTEST_SNOOZE <= value <= LONGEST_SNOOZE:
        raise BadAct("seconds")
    return value


def _result(outcome: Outcome) -> Result:
    return {
        "id": str(outcome.group_id),
        "number": outcome.number,
        "done": outcome.done,
        "reason": outcome.reason,
        "state": outcome.state,
    }
