"""What does an alertmanager.yml of 0.20 to 0.28 mean? Plain values become its parts.

Source: config/config.go and docs/configuration.md of these versions. What Alertmanager
itself would refuse is an error here too; every error and remark names its place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from alertcenter.alerts import intervals
from alertcenter.alerts.am_notation import condition, matchers_of
from alertcenter.alerts.am_parts import (
    Config,
    ReadInhibition,
    ReadInterval,
    ReadReceiver,
    ReadRoute,
    Remark,
)
from alertcenter.alerts.am_yaml import Path
from alertcenter.alerts.durations import DurationError, milliseconds
from alertcenter.alerts.matchers import Matcher, MatcherError
from alertcenter.alerts.models.conditions import explained
from alertcenter.alerts.models.route import LONGEST_SECONDS
from alertcenter.alerts.routing import DEEPEST, EVERY_LABEL

MOST_ROUTES = 2_000
LONGEST_RECEIVER, LONGEST_INTERVAL = 200, 100
# Alertmanager's own defaults (config.go, DefaultGlobalConfig and Route).
WAIT, INTERVAL, REPEAT = 30, 5 * 60, 4 * 3600
TRUE = ("true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON", "y", "Y")
FALSE = ("false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF", "n", "N")
TOP = (
    "global",
    "templates",
    "route",
    "receivers",
    "inhibit_rules",
    "mute_time_intervals",
    "time_intervals",
    "tracing",
)
ROUTE = (
    "receiver",
    "group_by",
    "match",
    "match_re",
    "matchers",
    "mute_time_intervals",
    "active_time_intervals",
    "continue",
    "routes",
    "group_wait",
    "group_interval",
    "repeat_interval",
    "labels",
)
INHIBITION = (
    "name",
    "source_match",
    "source_match_re",
    "source_matchers",
    "target_match",
    "target_match_re",
    "target_matchers",
    "equal",
)
ONLY_BELOW = ("match", "match_re", "matchers", "continue")
NOT_ABOVE = ("mute_time_intervals", "active_time_intervals")


def read_config(value: Any) -> Config:
    """Return what the plain values of a file mean."""
    return Reading().config_of(value)


class Reading:
    """Reads one file, and notes all that is wrong instead of the first thing only."""

    def __init__(self) -> None:
        self.config = Config()
        self.routes = 0

    def config_of(self, value: Any) -> Config:
        config = self.config
        top = self.mapping(value, (), TOP)
        config.settings = self.mapping(top.get("global"), ("global",), None)
        for section in ("mute_time_intervals", "time_intervals"):
            for number, one in enumerate(self.list_of(top, section, ())):
                self.time_interval(one, (section, number))
        for number, one in enumerate(self.list_of(top, "receivers", ())):
            self.receiver(one, ("receivers", number))
        for number, one in enumerate(self.list_of(top, "inhibit_rules", ())):
            self.inhibition(one, ("inhibit_rules", number))
        if top.get("route") is None:
            self.error(("route",), _("There is no route."))
        else:
            config.route = self.route(top["route"], ("route",), 1)
            self.root()
        self.noted(top)
        return config

    def noted(self, top: Mapping[str, Any]) -> None:
        """Remark on what has no counterpart here."""
        if top.get("templates"):
            text = _("Not carried over: message templates here are AlertCenter's own.")
            self.remark(("templates",), text)
        if top.get("tracing"):
            self.remark(("tracing",), _("Not carried over: it is about the server."))
        if "resolve_timeout" in self.config.settings:
            text = _("Not carried over: here it is five minutes for every tenant.")
            self.remark(("global", "resolve_timeout"), text)

    # --- routes ---

    def root(self) -> None:
        """Check what is forbidden in the root alone, and give it the defaults."""
        root = self.config.route
        if not root.receiver:
            self.error((*root.path, "receiver"), _("The root needs a receiver."))
        root.group_by = root.group_by or []
        root.wait = WAIT if root.wait is None else root.wait
        root.interval = INTERVAL if root.interval is None else root.interval
        root.repeat = REPEAT if root.repeat is None else root.repeat

    def route(self, value: Any, path: Path, depth: int) -> ReadRoute:
        given = self.mapping(value, path, ROUTE)
        self.routes += 1
        if self.routes == MOST_ROUTES + 1:
            words = _("A tree may have %(n)d routes at most.") % {"n": MOST_ROUTES}
            self.error(path, words)
        if depth == 1:
            for name in (*ONLY_BELOW, *NOT_ABOVE):
                if given.get(name) not in (None, [], {}, *FALSE):
                    words = _("The root takes every alert, always: no %(name)s here.")
                    self.error((*path, name), words % {"name": name})
        route = ReadRoute(
            path,
            self.receiver_name(given, path),
            self.matchers(given, path, ""),
            self.group_by(given, path),
            self.seconds(given, "group_wait", path, least=0),
            self.seconds(given, "group_interval", path),
            self.seconds(given, "repeat_interval", path),
            self.flag(given, "continue", path),
            self.interval_names(given, "mute_time_intervals", path),
            self.interval_names(given, "active_time_intervals", path),
            self.texts(given.get("labels"), (*path, "labels")),
        )
        children = self.list_of(given, "routes", path)
        if children and depth >= DEEPEST:
            words = _("Routes may be nested %(n)d deep at most.") % {"n": DEEPEST}
            self.error((*path, "routes"), words)
        elif self.routes <= MOST_ROUTES:
            route.children = [
                self.route(one, (*path, "routes", number), depth + 1)
                for number, one in enumerate(children)
            ]
        return route

    def receiver_name(self, given: Mapping[str, Any], path: Path) -> str:
        name = self.text(given.get("receiver"), (*path, "receiver"))
        if name and name not in self.config.receivers:
            words = _("There is no receiver %(name)s.") % {"name": name}
            self.error((*path, "receiver"), words)
        return name

    def group_by(self, given: Mapping[str, Any], path: Path) -> list[str] | None:
        if given.get("group_by") is None:
            return None
        names = self.names(given, "group_by", path)
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            words = _("The label %(name)s is there twice.") % {"name": twice}
            self.error((*path, "group_by"), words)
        if EVERY_LABEL in names and len(names) > 1:
            words = _("Three dots mean all labels: no other may stand beside them.")
            self.error((*path, "group_by"), words)
        return names

    def interval_names(
        self, given: Mapping[str, Any], name: str, path: Path
    ) -> list[str]:
        names = self.names(given, name, path)
        for one in names:
            if one not in self.config.intervals:
                words = _("There is no time interval %(name)s.") % {"name": one}
                self.error((*path, name), words)
        return names

    # --- the other parts ---

    def receiver(self, value: Any, path: Path) -> None:
        given = self.mapping(value, path, None)
        name = self.text(given.pop("name", None), (*path, "name"))
        given.pop("labels", None)
        if not name or len(name) > LONGEST_RECEIVER:
            words = _("A receiver needs a name of at most %(n)d letters.")
            self.error((*path, "name"), words % {"n": LONGEST_RECEIVER})
        if name in self.config.receivers:
            words = _("The receiver %(name)s is there twice.") % {"name": name}
            self.error((*path, "name"), words)
        sections = {}
        for section in given:
            if not section.endswith("_configs"):
                self.error((*path, section), _("Alertmanager knows no such setting."))
                continue
            sections[section] = [
                self.mapping(one, (*path, section, number), None)
                for number, one in enumerate(self.list_of(given, section, path))
            ]
        self.config.receivers.setdefault(name, ReadReceiver(path, name, sections))

    def inhibition(self, value: Any, path: Path) -> None:
        given = self.mapping(value, path, INHIBITION)
        self.config.inhibitions.append(
            ReadInhibition(
                path,
                self.text(given.get("name"), (*path, "name")),
                self.matchers(given, path, "source_"),
                self.matchers(given, path, "target_"),
                self.names(given, "equal", path),
            )
        )

    def time_interval(self, value: Any, path: Path) -> None:
        given = self.mapping(value, path, ("name", "time_intervals"))
        name = self.text(given.get("name"), (*path, "name"))
        if not name or len(name) > LONGEST_INTERVAL:
            words = _("A time interval needs a name of at most %(n)d letters.")
            self.error((*path, "name"), words % {"n": LONGEST_INTERVAL})
        if name in self.config.intervals:
            words = _("The time interval %(name)s is there twice.") % {"name": name}
            self.error((*path, "name"), words)
        times = []
        for number, one in enumerate(self.list_of(given, "time_intervals", path)):
            where = (*path, "time_intervals", number)
            entry = self.mapping(one, where, None)
            times.append({key: inner for key, inner in entry.items() if inner})
            try:
                intervals.parse([entry])
            except intervals.IntervalError as error:
                self.error(where, str(error))
        self.config.intervals.setdefault(name, ReadInterval(path, name, times))

    def matchers(self, given: Mapping[str, Any], path: Path, side: str) -> list[str]:
        """Return the conditions that the three settings of a side write."""
        found: list[Matcher] = []
        for name, operator in (("match", "="), ("match_re", "=~")):
            where = (*path, side + name)
            for label, value in self.texts(given.get(side + name), where).items():
                text = f"{label}{operator}{value}"
                parts = (label, operator, value)
                found += self.tried((*where, label), text, one_condition, *parts)
        lines = self.names(given, side + "matchers", path)
        for number, line in enumerate(lines):
            where = (*path, side + "matchers", number)
            found += self.tried(where, line, matchers_of, line)
        return list(dict.fromkeys(map(str, found)))

    def tried(
        self, path: Path, text: str, read: Callable[..., list[Matcher]], *given: str
    ) -> list[Matcher]:
        """Return what `read` makes of `given`; note it if that is nothing."""
        try:
            return read(*given)
        except MatcherError as error:
            self.error(path, explained(error) % {"condition": text})
            return []

    # --- values ---

    def error(self, path: Path, text: str) -> None:
        self.config.errors.append(Remark(path, text))

    def remark(self, path: Path, text: str) -> None:
        self.config.remarks.append(Remark(path, text))

    def mapping(
        self, value: Any, path: Path, known: tuple[str, ...] | None
    ) -> dict[str, Any]:
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.error(path, _("This must be a mapping."))
            return {}
        for name in value:
            if known is not None and name not in known:
                self.error((*path, name), _("Alertmanager knows no such setting."))
        return dict(value)

    def list_of(self, given: Mapping[str, Any], name: str, path: Path) -> list[Any]:
        value = given.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            self.error((*path, name), _("This must be a list."))
            return []
        return value

    def names(self, given: Mapping[str, Any], name: str, path: Path) -> list[str]:
        """Return a list of texts."""
        found = []
        for number, one in enumerate(self.list_of(given, name, path)):
            if not isinstance(one, str):
                self.error((*path, name, number), _("This must be a text."))
                continue
            found.append(one)
        return found

    def texts(self, value: Any, path: Path) -> dict[str, str]:
        """Return a mapping of text to text; nothing is the empty text."""
        found = {}
        for name, one in self.mapping(value, path, None).items():
            found[name] = self.text(one, (*path, name))
        return found

    def text(self, value: Any, path: Path) -> str:
        if value is None:
            return ""
        if not isinstance(value, str):
            self.error(path, _("This must be a text."))
            return ""
        return value

    def flag(self, given: Mapping[str, Any], name: str, path: Path) -> bool:
        value = given.get(name)
        if value is not None and value not in (*TRUE, *FALSE):
            self.error((*path, name), _("This must be true or false."))
        return value in TRUE

    def seconds(
        self, given: Mapping[str, Any], name: str, path: Path, *, least: int = 1
    ) -> int | None:
        """Return a length of time in whole seconds, not below what the file says."""
        text = self.text(given.get(name), (*path, name))
        if not text:
            return None
        try:
            found = milliseconds(text)
        except DurationError as error:
            self.error((*path, name), str(error))
            return None
        if found < least:
            self.error((*path, name), _("This must be longer than nothing."))
            return None
        seconds = -(-found // 1000)
        if seconds * 1000 != found:
            words = _("Carried over as %(n)d s: whole seconds only.") % {"n": seconds}
            self.remark((*path, name), words)
        if seconds > LONGEST_SECONDS:
            words = _("Carried over as 366 days, the longest time here.")
            self.remark((*path, name), words)
        return min(seconds, LONGEST_SECONDS)


def one_condition(name: str, operator: str, value: str) -> list[Matcher]:
    """Return what `match` and `match_re` write. Raises MatcherError."""
    return [condition(name, operator, value)]
