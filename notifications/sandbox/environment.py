"""How is a template compiled and run, so that it can reach plain values only?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

import jinja2
from jinja2 import nodes, pass_context
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment

from notifications.sandbox import filters
from notifications.sandbox.checking import check
from notifications.sandbox.meter import (
    LONGEST_SOURCE,
    Refused,
    check_length,
    metered,
    spend,
    text_of,
)

LOOP = frozenset(
    {
        *("index", "index0", "first", "last", "length"),
        *("revindex", "revindex0", "previtem", "nextitem"),
    }
)
# What compiling or running a stranger's template may raise, besides Refused.
WRONG = (
    jinja2.TemplateError,
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
    SyntaxError,
    RecursionError,
    MemoryError,
)


@pass_context
def _printed(_context: Context, value: Any) -> str:
    """What `{{ }}` writes. Wanting the context, it also stops the compiler from
    working out constant expressions, which no meter would see."""
    return text_of(value)


class Sandbox(ImmutableSandboxedEnvironment):
    """Knows the listed filters and tests, no globals, no functions."""

    intercepted_binops = frozenset(filters.OPERATORS)

    def __init__(self) -> None:
        super().__init__(
            trim_blocks=True,
            lstrip_blocks=True,
            optimized=False,
            finalize=_printed,
            cache_size=0,
        )
        self.globals.clear()
        self.filters = filters.FILTERS | filters.INNER
        self.tests = dict(filters.TESTS)

    def _parse(
        self, source: str, name: str | None, filename: str | None
    ) -> nodes.Template:
        return check(super()._parse(source, name, filename))

    def getattr(self, obj: Any, attribute: str) -> Any:
        """`labels.job` is a key, never an attribute of Python's object."""
        spend(1)
        if isinstance(obj, dict):
            return obj[attribute] if attribute in obj else self.undefined(name=attribute)
        if isinstance(obj, LoopContext) and attribute in LOOP:
            return getattr(obj, attribute)
        return self.undefined(name=attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """`labels["job"]`, `alerts[0]`."""
        spend(1)
        if isinstance(obj, dict) and isinstance(argument, str):
            return obj.get(argument, self.undefined(name=argument))
        if isinstance(obj, list | tuple | str) and isinstance(argument, int):
            inside = -len(obj) <= argument < len(obj)
            return obj[argument] if inside else self.undefined(name=str(argument))
        return self.undefined(name="?")

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Arithmetic within bounds."""
        spend(1)
        return filters.OPERATORS[operator](left, right)

    # Positional-only names of Jinja2's own signature.
    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> NoReturn:  # noqa: N805, E501
        raise Refused("no_functions")


SANDBOX = Sandbox()


class Template:
    """A compiled template; may be rendered from several threads at once."""

    def __init__(self, compiled: jinja2.Template) -> None:
        self._compiled = compiled

    def render(self, values: Mapping[str, Any]) -> str:
        """Return the text. Raises Refused. `values`: plain dicts, lists, scalars."""
        pieces: list[str] = []
        size = 0
        try:
            with metered():
                for piece in self._compiled.generate(values):
                    size += len(piece)
                    check_length(size)
                    pieces.append(piece)
        except WRONG as error:
            raise _refused(error) from error
        return "".join(pieces)


def compile_template(source: str) -> Template:
    """Return the template. Raises Refused with the reason."""
    if len(source) > LONGEST_SOURCE:
        raise Refused("source_too_long", str(LONGEST_SOURCE))
    try:
        return Template(SANDBOX.from_string(source))
    except WRONG as error:
        raise _refused(error) from error


def _refused(error: BaseException) -> Refused:
    if isinstance(error, jinja2.TemplateSyntaxError):
        return Refused("syntax", error.message or "", error.lineno)
    if isinstance(error, RecursionError | MemoryError | SyntaxError):
        return Refused("too_deep")
    return Refused("failed", str(error))
