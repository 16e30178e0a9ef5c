"""What is to be said? It knows no channel and no language.

A Message holds facts; each channel renders them in its recipient's language, zone
and formats. Times are ISO 8601 in UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class AlertLine:
    """One alert as a line of a message."""

    title: str
    severity: int
    state: str
    labels: dict[str, str] = field(default_factory=dict)
    summary: str = ""
    description: str = ""
    link: str = ""
    starts_at: str = ""
    image: str = ""  # a picture that its source made of it


@dataclass(frozen=True)
class Note:
    """One line of a thread: what happened, by whom. `kind` is a transition's."""

    kind: str
    actor: str
    at: str
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Funnel:
    """What a storm on a route made of how many alerts; `top` holds the labels that
    most of its groups share, as (name=value, groups)."""

    route: str
    alerts: int
    groups: int
    open_groups: int
    top: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Hush:
    """A silence that is about to end: what it is called, why it is there, what it
    takes, and until when."""

    name: str
    comment: str
    conditions: str
    ends_at: str


@dataclass(frozen=True)
class Message:
    """The facts about one group at one moment.

    Of a storm, which is a group of groups, `alerts` are its worst groups. What is
    about no group, such as a reminder of a silence, has the number 0.
    """

    kind: str  # firing | acknowledged | snoozed | resolved | storm | reminder
    tenant: str
    title: str
    severity: int
    state: str
    number: int
    group_id: str
    url: str
    labels: dict[str, str] = field(default_factory=dict)
    opened_at: str = ""
    changed_at: str = ""
    resolved_at: str | None = None
    snooze_until: str | None = None
    actor: str = ""
    firing_count: int = 0
    alert_count: int = 0
    alerts: tuple[AlertLine, ...] = ()
    actions: tuple[str, ...] = ()
    thread_key: str = ""
    dedup_key: str = ""
    next_at: str | None = None
    next_who: str = ""
    flapping_since: str | None = None
    storm: Funnel | None = None
    hush: Hush | None = None
    service: str = ""
    service_owner: str = ""
    runbook: str = ""
    priority: int = 0  # 1 to 5; 0 where nobody said
    note: Note | None = None
    # What a chart of the metric needs: {"expr": PromQL, "source": address}, or {}.
    chart: dict[str, str] = field(default_factory=dict)
    # A body made where the facts are, for channels whose receivers read a given shape.
    payload: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the message as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Message:
        """Return the message that `to_json` wrote."""
        values = dict(data)
        values["alerts"] = tuple(AlertLine(**line) for line in values.get("alerts", ()))
        values["actions"] = tuple(values.get("actions", ()))
        if storm := values.get("storm"):
            top = tuple((str(text), int(count)) for text, count in storm["top"])
            values["storm"] = Funnel(**dict(storm) | {"top": top})
        hush = values.get("hush")
        values["hush"] = Hush(**hush) if hush else None
        note = values.get("note")
        values["note"] = Note(**note) if note else None
        return cls(**values)
