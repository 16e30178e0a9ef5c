"""Who did it? The one shape in which every act names its author."""

from __future__ import annotations

from dataclasses import dataclass

MEMBER = "member"
OPERATOR = "operator"
KEY = "key"
SOURCE = "source"
ENGINE = "engine"
LINK = "link"


@dataclass(frozen=True)
class Actor:
    """The author of an act.

    `kind` is member, operator, key, source, engine or link (whoever reads what a
    channel sends, by a signed link in it); `id` is that thing's id as text ("" for the
    engine, the channel's for a link); `label` is what a person reads in a timeline.
    """

    kind: str
    id: str = ""
    label: str = ""


THE_ENGINE = Actor(ENGINE, "", "AlertCenter")
