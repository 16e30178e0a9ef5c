"""How do words written by a tenant become text without harm? Jinja2, metered.

Jinja2's own sandbox keeps templates from Python's insides, not from time and memory:
`'x' * 10**9`, nested loops and wide padding run in it. So here every loop, joining and
filter pays from a budget, texts have a greatest length, and all that is not on a list
is refused when a template is saved, and again when it is compiled.
Background: CVE-2016-10745, CVE-2019-10906, CVE-2024-56326, CVE-2025-27516.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from types import BuiltinMethodType
from typing import Any

from django.utils.translation import gettext as _
from jinja2 import ChainableUndefined, Template, TemplateError, Undefined, nodes
from jinja2.runtime import LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

LONGEST_SOURCE = 16 * 1024
LONGEST_TEXT = 64 * 1024  # of any value on the way, and of the result
MOST_NODES = 4_000
DEEPEST = 40
DEEPEST_LOOPS = 4
FUEL = 20_000
CPU_SECONDS = 0.1  # of this thread: a busy machine does not break a template
LARGEST_NUMBER = 2**63

ALLOWED_METHODS: Mapping[type, frozenset[str]] = {
    str: frozenset({"startswith", "endswith", "upper", "lower", "title", "strip"}),
    dict: frozenset({"get", "items", "keys", "values"}),
}
LOOP_ATTRIBUTES = frozenset(
    {"index", "index0", "first", "last", "length", "revindex", "depth"}
)
ALLOWED_TESTS = frozenset(
    [
        "defined",
        "undefined",
        "none",
        "string",
        "number",
        "mapping",
        "sequence",
        "iterable",
        "even",
        "odd",
        "divisibleby",
        "equalto",
        "eq",
        "ne",
        "lt",
        "le",
        "gt",
        "ge",
        "in",
        "true",
        "false",
        "lower",
        "upper",
    ]
)
ALLOWED_NODES: tuple[type[nodes.Node], ...] = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.For, nodes.If,
    nodes.Assign, nodes.With, nodes.Name, nodes.NSRef, nodes.Const, nodes.Tuple,
    nodes.List, nodes.Dict, nodes.Pair, nodes.Keyword, nodes.CondExpr, nodes.Filter,
    nodes.Test, nodes.Call, nodes.Getitem, nodes.Getattr, nodes.Concat, nodes.Compare,
    nodes.Operand, nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv,
    nodes.Mod, nodes.Neg, nodes.Pos, nodes.Not, nodes.And, nodes.Or,
)  # fmt: skip


class Broken(Exception):
    """The template cannot be used; `reason` is a sentence for its author."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Exhausted(Exception):
    """The template asks for too much."""


class Meter:
    """What one rendering may still spend."""

    def __init__(self) -> None:
        self.fuel = FUEL
        self.deadline = time.thread_time() + CPU_SECONDS

    def spend(self, amount: int = 1) -> None:
        self.fuel -= amount
        if self.fuel < 0 or time.thread_time() > self.deadline:
            raise Exhausted


_meter: ContextVar[Meter | None] = ContextVar("meter", default=None)


def spend(amount: int = 1) -> None:
    """Pay; nothing metered runs outside a rendering, so no constant is folded."""
    meter = _meter.get()
    if meter is None:
        raise Exhausted
    meter.spend(amount)


def limited(text: str) -> str:
    """Return `text` if it is short enough, having paid for its length."""
    spend(1 + len(text) // 256)
    if len(text) > LONGEST_TEXT:
        raise Exhausted
    return text


# --- what values look like ---


def show(value: Any) -> str:
    """Return the text of a value; of lists and dicts, that of their scalars."""
    if value is None or isinstance(value, Undefined):
        return ""
    if isinstance(value, str):
        return limited(value)
    if isinstance(value, bool | int | float):
        return str(value)
    if isinstance(value, Mapping):
        return glue((f"{show(k)}={_flat(v)}" for k, v in value.items()), ", ")
    if isinstance(value, Iterable):
        return glue(map(_flat, value), ", ")
    return ""


def _flat(value: Any) -> str:
    return "…" if isinstance(value, Mapping | list | tuple) else show(value)


def glue(parts: Iterable[str], separator: str = "") -> str:
    """Join `parts`, counting as it grows."""
    found: list[str] = []
    length = 0
    for part in parts:
        spend()
        length += len(part) + len(separator)
        if length > LONGEST_TEXT:
            raise Exhausted
        found.append(part)
    return limited(separator.join(found))


def each(value: Any) -> Iterator[Any]:
    """Yield what may be looped over: not the letters of a text."""
    if isinstance(value, Undefined) or value is None:
        return
    if isinstance(value, str | bytes | int | float):
        raise Broken(_("Only lists can be looped over."))
    for item in value:
        spend()
        yield item


def flat(value: Any) -> Any:
    """Return a list or dict that the template wrote, unless it holds others.

    `{% set a = [a, a] %}` forty times over is a terabyte to whoever compares two of
    them: Python does that in one step, which no meter can stop.
    """
    for item in value.values() if isinstance(value, dict) else value:
        if isinstance(item, Iterable) and not isinstance(item, str | Undefined):
            raise Broken(_("Lists cannot be put into lists."))
    return value


def joined(values: Sequence[Any]) -> str:
    return glue(map(show, values))


# --- filters ---


def _replace(value: Any, old: Any, new: Any, count: int = -1) -> str:
    text, old, new = show(value), show(old), show(new)
    times = text.count(old) if count < 0 else min(text.count(old), int(count))
    if len(text) + times * max(0, len(new) - len(old)) > LONGEST_TEXT:
        raise Exhausted
    return limited(text.replace(old, new, times))


def _truncate(value: Any, length: int = 255, end: str = "…") -> str:
    text, end = show(value), show(end)
    length = max(0, min(int(length), LONGEST_TEXT))
    if len(text) <= length:
        return text
    return text[: max(0, length - len(end))].rstrip() + end


def _join(value: Any, separator: Any = "", attribute: str | None = None) -> str:
    items = each(value)
    if attribute:
        items = (ENVIRONMENT.getitem(item, attribute) for item in items)
    return glue(map(show, items), show(separator))


def _default(value: Any, other: Any = "", falsy: bool = False) -> Any:
    missing = isinstance(value, Undefined) or (falsy and not value)
    return other if missing else value


def _length(value: Any) -> int:
    return 0 if value is None or isinstance(value, Undefined) else len(value)


def _first(value: Any) -> Any:
    return next(iter(value), "") if not isinstance(value, Undefined) else ""


def _last(value: Any) -> Any:
    return value[-1] if isinstance(value, list | tuple | str) and value else ""


def _sort(value: Any, reverse: bool = False, attribute: str | None = None) -> list[Any]:
    def key(item: Any) -> str:
        return show(ENVIRONMENT.getitem(item, attribute) if attribute else item)

    return sorted(each(value), key=key, reverse=bool(reverse))


def _dictsort(value: Any) -> list[tuple[Any, Any]]:
    if not isinstance(value, Mapping):
        return []
    return sorted(each(value.items()), key=lambda pair: show(pair[0]))


def _unique(value: Any) -> list[Any]:
    return list({show(item): item for item in each(value)}.values())


def _number(convert: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    def inner(value: Any, default: Any = 0) -> Any:
        try:
            return _bounded(convert(show(value)[:40]))
        except (ValueError, OverflowError):
            return default

    return inner


def _round(value: Any, digits: int = 0) -> Any:
    return round(float(value), max(0, min(int(digits), 6)))


def _text(convert: Callable[[str], str]) -> Callable[[Any], str]:
    return lambda value: limited(convert(show(value)))


FILTERS: dict[str, Callable[..., Any]] = {
    "upper": _text(str.upper),
    "lower": _text(str.lower),
    "title": _text(str.title),
    "capitalize": _text(str.capitalize),
    "trim": _text(str.strip),
    "string": show,
    "replace": _replace,
    "truncate": _truncate,
    "join": _join,
    "default": _default,
    "d": _default,
    "length": _length,
    "count": _length,
    "first": _first,
    "last": _last,
    "sort": _sort,
    "dictsort": _dictsort,
    "unique": _unique,
    "int": _number(lambda text: int(float(text))),
    "float": _number(float),
    "round": _round,
    "abs": lambda value: abs(value) if isinstance(value, int | float) else 0,
}


def _bounded(value: Any) -> Any:
    if isinstance(value, int | float) and abs(value) > LARGEST_NUMBER:
        raise Exhausted
    return value


class Sandbox(ImmutableSandboxedEnvironment):
    """The environment: nothing but what is listed above."""

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%", "**"})

    def __init__(self) -> None:
        super().__init__(
            undefined=ChainableUndefined,
            autoescape=False,  # each channel escapes the whole result its own way
            optimized=False,
            finalize=show,
            cache_size=0,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.globals.clear()
        inner = {"_each": each, "_joined": joined, "_flat": flat}
        self.filters = dict(FILTERS) | inner
        self.tests = {k: v for k, v in self.tests.items() if k in ALLOWED_TESTS}

    def _parse(
        self, source: str, name: str | None, filename: str | None
    ) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        Inspector().inspect(tree)
        metered: nodes.Template = Metering().visit(tree)
        return metered

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        if isinstance(obj, LoopContext):
            return attr in LOOP_ATTRIBUTES
        return attr in ALLOWED_METHODS.get(type(obj), ())

    def getattr(self, obj: Any, attribute: str) -> Any:
        # Labels may be called "pop" or "copy": only the listed methods go before.
        if type(obj) is dict and attribute not in ALLOWED_METHODS[dict]:
            return obj.get(attribute, self.undefined(name=attribute))
        return super().getattr(obj, attribute)

    def is_safe_callable(self, obj: Any) -> bool:
        return isinstance(
            obj, BuiltinMethodType
        ) and obj.__name__ in ALLOWED_METHODS.get(type(obj.__self__), ())

    def wrap_str_format(self, value: Any) -> None:
        """No format at all: its widths make gigabytes."""
        return

    # The names are Jinja2's: keyword arguments of the template must not meet them.
    def call(__self, __context: Any, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805
        result = super().call(__context, __obj, *args, **kwargs)
        return limited(result) if isinstance(result, str) else result

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        numbers = all(isinstance(side, int | float) for side in (left, right))
        if operator == "+" and isinstance(left, str) and isinstance(right, str):
            return joined([left, right])
        if operator == "**" or not numbers:
            raise Broken(
                _("Only numbers can be calculated with; texts are joined with ~.")
            )
        try:
            return _bounded(super().call_binop(context, operator, left, right))
        except ZeroDivisionError:
            return 0


class Metering(NodeTransformer):
    """Makes loops and joinings pay."""

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802 - jinja2's name
        self.generic_visit(node)
        node.iter = _filtered(node.iter, "_each")
        return node

    def visit_List(self, node: nodes.List) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _filtered(node, "_flat")

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        # `for key, value in …` is a tuple as well, one that is written to.
        return _filtered(node, "_flat") if node.ctx == "load" else node

    def visit_Dict(self, node: nodes.Dict) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _filtered(node, "_flat")

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _filtered(nodes.List(node.nodes, lineno=node.lineno), "_joined")


def _filtered(node: nodes.Node, name: str) -> nodes.Filter:
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)


class Inspector:
    """Refuses what is not on the lists."""

    def __init__(self) -> None:
        self.nodes = 0

    def inspect(self, node: nodes.Node, depth: int = 0, loops: int = 0) -> None:
        """Raise Broken at the first thing that is not allowed."""
        self.nodes += 1
        if self.nodes > MOST_NODES or depth > DEEPEST:
            raise Broken(_("The template is too complicated."))
        self.check(node)
        loops += isinstance(node, nodes.For)
        if loops > DEEPEST_LOOPS:
            raise Broken(_("Loops may be nested %(n)d deep.") % {"n": DEEPEST_LOOPS})
        for child in node.iter_child_nodes():
            self.inspect(child, depth + 1, loops)

    def check(self, node: nodes.Node) -> None:
        words = {"line": getattr(node, "lineno", 1)}
        if type(node) not in ALLOWED_NODES or getattr(node, "recursive", False):
            words["what"] = type(node).__name__.lower()
            raise Broken(
                _("Line %(line)d: “%(what)s” is not available in templates.") % words
            )
        if isinstance(node, nodes.Filter) and node.name not in FILTERS:
            words["what"] = node.name
            raise Broken(_("Line %(line)d: there is no filter “%(what)s”.") % words)
        if isinstance(node, nodes.Test) and node.name not in ALLOWED_TESTS:
            words["what"] = node.name
            raise Broken(_("Line %(line)d: there is no test “%(what)s”.") % words)
        name = getattr(node, "attr", getattr(node, "name", ""))
        if isinstance(name, str) and name.startswith("_"):
            words["what"] = name
            raise Broken(_("Line %(line)d: “%(what)s” cannot be used.") % words)


ENVIRONMENT = Sandbox()


@dataclass(frozen=True)
class Compiled:
    """A template that passed inspection."""

    template: Template

    def render(self, context: Mapping[str, Any]) -> str:
        """Return the text. Raises Broken when it asks for too much or fails."""
        token = _meter.set(Meter())
        try:
            return self._collect(context)
        except Broken:
            raise
        except (Exhausted, RecursionError, MemoryError) as error:
            raise Broken(_("The template asks for too much work or text.")) from error
        except (TemplateError, *FAULTS) as error:
            text = str(error)[:200] or type(error).__name__
            raise Broken(
                _("The template fails: %(error)s") % {"error": text}
            ) from error
        finally:
            _meter.reset(token)

    def _collect(self, context: Mapping[str, Any]) -> str:
        pieces: list[str] = []
        length = 0
        for piece in self.template.generate(dict(context)):
            spend()
            length += len(piece)
            if length > LONGEST_TEXT:
                raise Exhausted
            pieces.append(piece)
        return "".join(pieces)


# What an expression over strange values can raise.
FAULTS = (TypeError, ValueError, KeyError, AttributeError, ArithmeticError, LookupError)


def compile_source(source: str) -> Compiled:
    """Return the compiled template. Raises Broken with the reason."""
    if len(source.encode(errors="replace")) > LONGEST_SOURCE:
        limit = {"n": LONGEST_SOURCE // 1024}
        raise Broken(_("The template is longer than %(n)d KB.") % limit)
    try:
        return Compiled(ENVIRONMENT.from_string(source))
    except (RecursionError, MemoryError, Exhausted) as error:
        raise Broken(_("The template is too complicated.")) from error
    except TemplateError as error:
        words = {"line": getattr(error, "lineno", None) or 1, "error": error.message}
        raise Broken(_("Line %(line)d: %(error)s") % words) from error
    except (SyntaxError, *FAULTS) as error:
        words = {"error": str(error)[:200]}
        raise Broken(_("The template cannot be read: %(error)s") % words) from error
