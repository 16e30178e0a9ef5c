"""How is a template compiled and run, so that it reaches plain values only?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import BuiltinMethodType
from typing import Any

from django.utils.translation import gettext as _
from jinja2 import ChainableUndefined, Template, TemplateError, nodes
from jinja2.runtime import LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment

from alertcenter.common.sandbox.filters import FILTERS, INNER, joined, show
from alertcenter.common.sandbox.inspection import ALLOWED_TESTS, Inspector, Metering
from alertcenter.common.sandbox.meter import (
    LONGEST_TEXT,
    Broken,
    Exhausted,
    bounded,
    limited,
    metered,
    spend,
)

LONGEST_SOURCE = 16 * 1024
ALLOWED_METHODS: Mapping[type, frozenset[str]] = {
    str: frozenset({"startswith", "endswith", "upper", "lower", "title", "strip"}),
    dict: frozenset({"get", "items", "keys", "values"}),
}
LOOP_ATTRIBUTES = frozenset(
    {"index", "index0", "first", "last", "length", "revindex", "depth"}
)


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
        self.filters = FILTERS | INNER
        self.tests = {k: v for k, v in self.tests.items() if k in ALLOWED_TESTS}

    def _parse(
        self, source: str, name: str | None, filename: str | None
    ) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        Inspector().inspect(tree)
        paying: nodes.Template = Metering().visit(tree)
        return paying

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
            return bounded(super().call_binop(context, operator, left, right))
        except ZeroDivisionError:
            return 0


ENVIRONMENT = Sandbox()


@dataclass(frozen=True)
class Compiled:
    """A template that passed inspection."""

    template: Template

    def render(self, context: Mapping[str, Any]) -> str:
        """Return the text. Raises Broken when it asks for too much or fails."""
        try:
            with metered():
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
