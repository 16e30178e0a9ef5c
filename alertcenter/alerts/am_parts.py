"""What is in an alertmanager.yml, once it is read?"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from alertcenter.alerts.am_yaml import Path


@dataclass(frozen=True)
class Remark:
    """A sentence about a place of the file."""

    path: Path
    text: str


@dataclass
class ReadRoute:
    """One route; None and "" are what the parent says."""

    path: Path
    receiver: str = ""
    matchers: list[str] = field(default_factory=list)
    group_by: list[str] | None = None
    wait: int | None = None
    interval: int | None = None
    repeat: int | None = None
    continues: bool = False
    mute: list[str] = field(default_factory=list)
    active: list[str] = field(default_factory=list)
    labels: dict[str, str] = field(default_factory=dict)
    children: list[ReadRoute] = field(default_factory=list)


@dataclass
class ReadReceiver:
    """One receiver; its integrations by section, such as slack_configs."""

    path: Path
    name: str
    sections: dict[str, list[dict[str, Any]]]


@dataclass
class ReadInhibition:
    """One inhibit rule."""

    path: Path
    name: str
    source: list[str]
    target: list[str]
    equal: list[str]


@dataclass
class ReadInterval:
    """One named time interval; `times` as models.TimeInterval keeps them."""

    path: Path
    name: str
    times: list[dict[str, Any]]


@dataclass
class Config:
    """A whole file. With errors it is not to be used."""

    route: ReadRoute = field(default_factory=lambda: ReadRoute(("route",)))
    receivers: dict[str, ReadReceiver] = field(default_factory=dict)
    inhibitions: list[ReadInhibition] = field(default_factory=list)
    intervals: dict[str, ReadInterval] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)  # global
    errors: list[Remark] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
