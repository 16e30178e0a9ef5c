"""What does a stranger's YAML file say, in texts, lists and mappings?

Every scalar is a text or None: what `09:00` or `on` mean depends on the setting, and
Go's reader does not guess as YAML 1.1 does. Size, depth and what aliases amount to are
bounded while reading, so that no file keeps us busy.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml
from django.utils.translation import gettext as _

LARGEST = 1_000_000
DEEPEST = 100
MOST_NODES = 50_000
NULLS = ("", "~", "null", "Null", "NULL")
MERGE = "<<"
CORE = "tag:yaml.org,2002:"
TAGS = {"!", *(CORE + name for name in ("str", "int", "float", "bool", "seq", "map"))}
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Path = tuple[str | int, ...]


class YamlError(ValueError):
    """A file that is refused as a whole; the message says why and where."""


@dataclass
class Node:
    """One value with its line (from 1) and what it amounts to, aliases resolved."""

    value: str | list[Node] | dict[str, Node] | None
    line: int
    size: int = 1
    depth: int = 1


@dataclass(frozen=True)
class Document:
    """What a file says."""

    root: Node

    @property
    def value(self) -> Any:
        """The whole as plain values."""
        return plain(self.root)

    def line(self, path: Path) -> int:
        """Return the line of what `path` leads to, as far as it leads."""
        node = self.root
        for step in path:
            inner: Any = node.value
            if isinstance(inner, dict) and step in inner:
                node = inner[step]
            elif isinstance(inner, list) and isinstance(step, int):
                node = inner[step] if step < len(inner) else node
            else:
                break
        return node.line


def spelled(path: Path) -> str:
    """Return a path as people write it, such as route.routes[2].match."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return text.lstrip(".")


def plain(node: Node) -> Any:
    """Return a node as texts, lists and mappings."""
    if isinstance(node.value, dict):
        return {key: plain(inner) for key, inner in node.value.items()}
    if isinstance(node.value, list):
        return [plain(inner) for inner in node.value]
    return node.value


def read(body: bytes) -> Document:
    """Read a file of one document. Raises YamlError."""
    if len(body) > LARGEST:
        raise YamlError(_("The file is larger than 1 MB."))
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise YamlError(_("The file is not in UTF-8.")) from error
    try:
        return Document(Composer(yaml.parse(text, Loader=LOADER)).document())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        words = error.problem or error.context or _("this is no YAML")
        raise YamlError(at(mark.line + 1 if mark else 1, words)) from error
    except yaml.YAMLError as error:
        words = str(error).splitlines()[0][:200] if str(error) else ""
        raise YamlError(at(1, words or _("this is no YAML"))) from error


def at(line: int, words: str) -> str:
    """Return `words` with their line."""
    return _("Line %(line)d: %(words)s") % {"line": line, "words": words}


class Composer:
    """Makes nodes of the parser's events, and gives up where there is too much."""

    def __init__(self, events: Iterator[Any]) -> None:
        self.events = events
        self.anchors: dict[str, Node | None] = {}  # None: not at its end yet
        self.total = 0

    def document(self) -> Node:
        """Return the only document's root."""
        root: Node | None = None
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    raise YamlError(at(line_of(event), _("there is a second document")))
                root = self.node(next(self.events), 1)
        if root is None:
            raise YamlError(_("The file is empty."))
        return root

    def node(self, event: Any, depth: int) -> Node:
        line = line_of(event)
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event, line)
        self.total += 1
        if depth > DEEPEST:
            raise YamlError(at(line, _("this is nested too deeply")))
        if self.total > MOST_NODES:
            raise YamlError(at(line, _("there are too many values")))
        if event.tag and event.tag not in TAGS and event.tag != CORE + "null":
            raise YamlError(at(line, _("tags such as !name are not read")))
        if event.anchor:
            self.anchors[event.anchor] = None
        made = self.made(event, line, depth)
        if event.anchor:
            self.anchors[event.anchor] = made
        return made

    def alias(self, event: Any, line: int) -> Node:
        if event.anchor not in self.anchors:
            words = _("there is no anchor %(name)s") % {"name": event.anchor}
            raise YamlError(at(line, words))
        found = self.anchors[event.anchor]
        if found is None:
            words = _("the alias %(name)s contains itself") % {"name": event.anchor}
            raise YamlError(at(line, words))
        return found

    def made(self, event: Any, line: int, depth: int) -> Node:
        if isinstance(event, yaml.ScalarEvent):
            return Node(scalar(event), line)
        if isinstance(event, yaml.SequenceStartEvent):
            return measured(Node(self.sequence(depth), line))
        return measured(Node(self.mapping(depth), line))

    def sequence(self, depth: int) -> list[Node]:
        found = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            found.append(self.node(event, depth + 1))
        return found

    def mapping(self, depth: int) -> dict[str, Node]:
        found: dict[str, Node] = {}
        merged: dict[str, Node] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            line = line_of(event)
            key = self.node(event, depth + 1).value
            value = self.node(next(self.events), depth + 1)
            if not isinstance(key, str):
                raise YamlError(at(line, _("a name must be a text")))
            if key == MERGE and not getattr(event, "style", None):
                for name, inner in pairs_of(value):
                    merged.setdefault(name, inner)
            elif key in found:
                words = _("%(name)s is there twice") % {"name": key}
                raise YamlError(at(line, words))
            else:
                found[key] = value
        return merged | found


def scalar(event: Any) -> str | None:
    """Return a scalar's text; None for YAML's null."""
    value: str = event.value
    unquoted = not event.style and event.tag is None  # libyaml: "" if plain
    if event.tag == CORE + "null" or (unquoted and value in NULLS):
        return None
    return value


def pairs_of(node: Node) -> Iterator[tuple[str, Node]]:
    """Yield what a merge key brings in. Raises YamlError."""
    for one in node.value if isinstance(node.value, list) else [node]:
        if not isinstance(one.value, dict):
            raise YamlError(at(node.line, _("only mappings can be merged")))
        yield from one.value.items()


def measured(node: Node) -> Node:
    """Note what a node amounts to. Raises YamlError where that is too much."""
    inner: Any = node.value
    children = inner.values() if isinstance(inner, dict) else inner
    for child in children:
        node.size += child.size
        node.depth = max(node.depth, child.depth + 1)
    if node.size > MOST_NODES:
        raise YamlError(at(node.line, _("the aliases amount to too many values")))
    if node.depth > DEEPEST:
        raise YamlError(at(node.line, _("this is nested too deeply")))
    return node


def line_of(event: Any) -> int:
    line: int = event.start_mark.line
    return line + 1
