"""Who did it? The one shape in which every act names its author."""

from __future__ import annotations

from dataclasses import dataclass

MEMBER = "member"
OPERATOR = "operator"
KEY = "key"
SOURCE = "source"
ENGINE = "engine"


@dataclass(frozen=True)
class Actor:
    """The author of an act.

    `kind` is member, operator, key, source or engine; `id` is that thing's id as
    text ("" for the engine); `label` is what a person reads in a timeline.
    """

    kind: str
    id: str = ""
    label: str = ""


THE_ENGINE = Actor(ENGINE, "", "AlertCenter")
