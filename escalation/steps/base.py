"""What does every kind of step declare, and what does it answer when it is due?"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol
from uuid import UUID

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from escalation.steps import fields as params
from escalation.steps.fields import Field

if TYPE_CHECKING:
    from escalation.steps.books import Books

Plan = Mapping[str, Any]  # one step of a snapshot
MINUTE, HOUR, DAY = 60, 3600, 86_400


class Target(NamedTuple):
    """One delivery to be: where, to whom, and by which later step of his chain."""

    kind: str
    channel_id: UUID | None
    address: str
    member_id: UUID | None = None
    seconds: int = 0
    step: int = 0


# --- what comes then ---


@dataclass(frozen=True)
class GoOn:
    """The next step, after the waits before it; `at_once`: without them, as there is
    nobody to wait for."""

    at_once: bool = False


@dataclass(frozen=True)
class WaitUntil:
    """This step is looked at again at a moment; `held` says why. `known`: it is the
    clock that decides, so that who asks ahead can tell what comes then."""

    moment: datetime
    held: str
    known: bool = True


@dataclass(frozen=True)
class SkipNext:
    """The step after the next one."""


@dataclass(frozen=True)
class Repeat:
    """The first step once more, in a new round."""


@dataclass(frozen=True)
class Finish:
    """The policy ends here."""


@dataclass(frozen=True)
class HandOver:
    """Another policy goes to work."""

    policy_id: UUID


Then = GoOn | WaitUntil | SkipNext | Repeat | Finish | HandOver
GO_ON = GoOn()


@dataclass(frozen=True)
class Resolved:
    """What a step comes to.

    `who` is named in the timeline, `reason` says why nobody was told, or what the step
    did instead; without either, and without targets, no line is written. `values` and
    `kind` are the group's change; `act` is done in the same transaction, last.
    """

    targets: Sequence[Target] = ()
    who: str = ""
    reason: str = ""
    then: Then = GO_ON
    members: Sequence[UUID] = ()
    values: Mapping[str, Any] = field(default_factory=dict)
    kind: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    act: Callable[[], None] | None = None

    @property
    def says(self) -> bool:
        """Whether the timeline gets a line of it."""
        return bool(self.targets or self.reason or self.kind)


class About(Protocol):
    """The group that a step is about; a supposed one where somebody only asks."""

    @property
    def pk(self) -> Any: ...
    @property
    def number(self) -> int: ...
    @property
    def severity(self) -> int: ...
    @property
    def labels(self) -> Mapping[str, str]: ...
    @property
    def alert_count(self) -> int: ...
    @property
    def firing_count(self) -> int: ...


@dataclass(frozen=True)
class Supposed:
    """A group that nobody has seen yet."""

    severity: int
    labels: Mapping[str, str] = field(default_factory=dict)
    number: int = 0
    alert_count: int = 1
    firing_count: int = 1
    pk: Any = None


@dataclass(frozen=True)
class Situation:
    """A step that is due: its plan, the group, the moment, and how often it came.

    `turn` counts how often it was put off by itself; `forced`: a person asked to go
    on without waiting.
    """

    books: Books
    plan: Plan
    group: About
    now: datetime
    round: int = 1
    turn: int = 0
    forced: bool = False
    run_id: UUID | None = None

    @property
    def tenant_id(self) -> UUID:
        return self.books.tenant_id

    def param(self, name: str) -> Any:
        return of(self.plan, name)


def of(plan: Plan, name: str) -> Any:
    """Return what a step was told; of old snapshots, its target."""
    found = plan.get("params", {}).get(name)
    if found is None and plan["kind"] in OLD and name == OLD[plan["kind"]]:
        return plan.get("target")
    return found


# These had a snapshot before steps had params; what reads it may be of that time.
OLD: Mapping[str, str] = {
    "channel": "channel",
    "member": "member",
    "oncall": "schedule",
}


class Kind(ABC):
    """One kind of step. Subclasses say what it is told, what it does, and how it
    reads; adding one is adding a class to a module's KINDS."""

    name: ClassVar[str]
    label: ClassVar[Any]
    fields: ClassVar[tuple[Field, ...]] = ()
    position: ClassVar[int] = 50  # in lists of kinds
    tells: ClassVar[bool] = False  # whether somebody is told by it
    condition: ClassVar[bool] = False  # whether it may keep the next from being done
    clock: ClassVar[bool] = False  # whether that is a question of time alone

    def clean(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return params as they are stored. Raises ValidationError."""
        found = params.read(self.fields, given)
        self.check(found)
        return found

    def check(self, found: Mapping[str, Any]) -> None:  # noqa: B027 - most have nothing to check
        """Raise ValidationError for params that do not go together."""

    def who(self, plan: Plan) -> str:
        """Whom it tells, by name; "" where it tells nobody."""
        return ""

    @abstractmethod
    def words(self, plan: Plan) -> str:
        """The step as a plain sentence, in the reader's language."""

    @abstractmethod
    def resolve(self, at: Situation) -> Resolved:
        """Return what it comes to now. Changes nothing but what `at.books` counts."""


def one_of(found: Mapping[str, Any], *names: str) -> None:
    """Raise ValidationError unless exactly one of these is given."""
    if sum(bool(found.get(name)) for name in names) != 1:
        message = _("Give exactly one of: %(names)s.") % {"names": ", ".join(names)}
        raise ValidationError(dict.fromkeys(names, message))


def name_of(plan: Plan, name: str) -> str:
    """Return the name of what a param refers to, as it was at the snapshot."""
    pk = of(plan, name)
    known = plan.get("names", {}).get(str(pk), "") if pk else ""
    return known or str(plan.get("who") or "?")


def names_of(plan: Plan, name: str) -> str:
    """Return the names of all that a param refers to."""
    known = plan.get("names", {})
    return ", ".join(known.get(str(pk), "?") for pk in of(plan, name) or ())


def for_so_long(seconds: int) -> str:
    """Return "5 min", "36 h" or "90 s"."""
    for unit, text in (
        (DAY, _("%(n)s d")),
        (HOUR, _("%(n)s h")),
        (MINUTE, _("%(n)s min")),
    ):
        if seconds and seconds % unit == 0:
            return text % {"n": seconds // unit}
    return _("%(n)s s") % {"n": seconds}
