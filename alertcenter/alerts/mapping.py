"""How is JSON read that no adapter knows? By a mapping that its owner wrote.

A mapping says for each part of an alert where it stands in the payload: a dotted path
(`alert.labels.host`, `items.0.name`), a text in quotes (`'production'`), or a Jinja
template (`{{ rule }} on {{ host }}`), which runs in the sandbox of message templates.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import msgspec
from django.utils.translation import gettext as _

from alertcenter.alerts import severity as severities
from alertcenter.alerts.events import Event
from alertcenter.alerts.sources.adapter import NotUnderstood, event
from alertcenter.alerts.sources.shapes import at, moment, text
from alertcenter.common.sandbox import Broken, compile_source

SOURCE = "json"
SINGLE = ("items", "title", "key", "severity", "status", "link", "image")
TIMES = ("starts_at", "ends_at")
SEVERAL = ("labels", "annotations")
WORDS = ("severities", "resolved_when")
LONGEST_VALUE = 4_000
MOST_VALUES = 64
CPU_SECONDS = 2.0  # of all items of a payload, whose templates may take their time
OVER = (
    "resolved",
    "ok",
    "recovered",
    "closed",
    "normal",
    "up",
    "cleared",
    "false",
    "0",
)

Value = Callable[[Mapping[str, Any]], Any]


class BadMapping(ValueError):
    """The mapping cannot be used; the message is for the person who wrote it."""


class TooSlow(NotUnderstood):
    """The mapping could read it, but not in its time."""


@dataclass(frozen=True)
class Compiled:
    """A mapping, ready to read payloads."""

    items: str
    values: Mapping[str, Value]
    labels: Mapping[str, Value]
    annotations: Mapping[str, Value]
    severities: Mapping[str, int]
    over: frozenset[str]
    says_status: bool = field(default=False)

    def read(self, data: Any) -> list[Event]:
        """Return the events of a payload. Raises NotUnderstood."""
        found = at(data, self.items) if self.items else data
        items = found if isinstance(found, list) else [found]
        events = []
        until = time.thread_time() + CPU_SECONDS
        for item in items:
            if time.thread_time() > until:
                raise TooSlow("the mapping takes too long for so many items")
            if isinstance(item, dict):
                events.append(self.event(item))
        if not events:
            raise NotUnderstood(f"there is no object at {self.items or 'the top'!r}")
        return events

    def event(self, item: dict[str, Any]) -> Event:
        """Return what one object says. Raises NotUnderstood."""
        try:
            said = {name: value(item) for name, value in self.values.items()}
            labels = {name: value(item) for name, value in self.labels.items()}
            more = {name: value(item) for name, value in self.annotations.items()}
        except Broken as error:
            raise NotUnderstood(f"the mapping fails: {error}") from error
        title, key = text(said.get("title")), text(said.get("key"))
        if not title and not key:
            raise NotUnderstood("the mapping finds neither a title nor a key")
        word = text(said.get("severity")).lower()
        status = text(said.get("status")).lower()
        return event(
            SOURCE,
            title=title or key,
            key=key or title,
            firing=not (self.says_status and status in self.over),
            severity=self.severities.get(word) or severities.parse(word),
            labels=labels,
            annotations=more,
            link=said.get("link"),
            image=said.get("image"),
            starts_at=moment(said.get("starts_at")),
            ends_at=moment(said.get("ends_at")),
        )


def compile_mapping(settings: Mapping[str, Any]) -> Compiled:
    """Return the mapping in an integration's settings. Raises BadMapping."""
    return _compiled(msgspec.json.encode(settings, order="deterministic"))


@lru_cache(maxsize=1_000)
def _compiled(written: bytes) -> Compiled:
    settings: dict[str, Any] = msgspec.json.decode(written)
    unknown = sorted(set(settings) - {*SINGLE, *TIMES, *SEVERAL, *WORDS})
    if unknown:
        raise BadMapping(
            _("A mapping has no %(name)s.") % {"name": ", ".join(unknown)[:200]}
        )
    if not settings.get("title") and not settings.get("key"):
        raise BadMapping(_("A mapping needs a title or a key."))
    return Compiled(
        items=as_text(settings, "items"),
        values={
            name: value_of(name, as_text(settings, name))
            for name in (*SINGLE[1:], *TIMES)
            if settings.get(name)
        },
        labels=values_of(settings, "labels"),
        annotations=values_of(settings, "annotations"),
        severities=words_of(settings),
        over=over_of(settings),
        says_status=bool(settings.get("status")),
    )


def as_text(settings: Mapping[str, Any], name: str) -> str:
    value = settings.get(name) or ""
    if not isinstance(value, str) or len(value) > LONGEST_VALUE:
        raise BadMapping(
            _("%(name)s must be a path, a text in quotes or a template.")
            % {"name": name}
        )
    return value.strip()


def value_of(name: str, written: str) -> Value:
    """Return what finds the value in a payload. Raises BadMapping."""
    if "{{" in written or "{%" in written:
        try:
            template = compile_source(written)
        except Broken as error:
            raise BadMapping(f"{name}: {error}") from error
        return lambda item: template.render(item)
    if len(written) >= 2 and written[0] == written[-1] and written[0] in "'\"":
        return lambda _item: written[1:-1]
    return lambda item: at(item, written)


def values_of(settings: Mapping[str, Any], name: str) -> dict[str, Value]:
    found = settings.get(name) or {}
    if not isinstance(found, dict) or len(found) > MOST_VALUES:
        raise BadMapping(
            _("%(name)s must be an object of at most %(most)d names and paths.")
            % {"name": name, "most": MOST_VALUES}
        )
    return {
        label: value_of(f"{name}.{label}", as_text(found, label)) for label in found
    }


def words_of(settings: Mapping[str, Any]) -> dict[str, int]:
    """Return the sender's own words for severities. Raises BadMapping."""
    words = settings.get("severities") or {}
    if not isinstance(words, dict):
        raise BadMapping(_("severities must be an object of words and severities."))
    for ours in words.values():
        if str(ours).lower() not in severities.WORDS:
            raise BadMapping(
                _("%(word)s is not a severity.") % {"word": str(ours)[:40]}
            )
    return {
        str(word).lower(): severities.parse(str(ours)) for word, ours in words.items()
    }


def over_of(settings: Mapping[str, Any]) -> frozenset[str]:
    """Return the words that say it is over. Raises BadMapping."""
    words = settings.get("resolved_when") or OVER
    if isinstance(words, str):
        words = [words]
    if not isinstance(words, list | tuple):
        raise BadMapping(_("resolved_when must be a list of words."))
    return frozenset(str(word).lower() for word in words)
