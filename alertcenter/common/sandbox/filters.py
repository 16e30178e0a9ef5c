"""What can a template do with values? Each filter pays for what it does."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from math import isfinite
from typing import Any
from urllib.parse import quote

from django.utils.translation import gettext as _
from jinja2 import Undefined

from alertcenter.common.sandbox.meter import (
    LONGEST_TEXT,
    Broken,
    Exhausted,
    bounded,
    limited,
    spend,
)

DEEPEST_JSON = 20

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
        items = (pick(item, attribute) for item in items)
    return glue(map(show, items), show(separator))


def pick(item: Any, attribute: str) -> Any:
    return item.get(attribute) if isinstance(item, dict) else None


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
        return show(pick(item, attribute) if attribute else item)

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
            return bounded(convert(show(value)[:40]))
        except (ValueError, OverflowError):
            return default

    return inner


def _round(value: Any, digits: int = 0) -> Any:
    return round(float(value), max(0, min(int(digits), 6)))


def _text(convert: Callable[[str], str]) -> Callable[[Any], str]:
    return lambda value: limited(convert(show(value)))


def _json(value: Any) -> str:
    """Return a value as JSON, as it stands in a body: quotes and all."""
    return glue(_pieces(value, 0))


def _pieces(value: Any, depth: int) -> Iterator[str]:
    if depth > DEEPEST_JSON:
        raise Exhausted
    if value is None or isinstance(value, Undefined):
        yield "null"
    elif isinstance(value, Mapping):
        yield "{"
        for number, (name, inner) in enumerate(value.items()):
            yield f"{', ' if number else ''}{json.dumps(show(name))}: "
            yield from _pieces(inner, depth + 1)
        yield "}"
    elif isinstance(value, Iterable) and not isinstance(value, str):
        yield "["
        for number, inner in enumerate(value):
            yield ", " if number else ""
            yield from _pieces(inner, depth + 1)
        yield "]"
    elif isinstance(value, float) and not isfinite(value):
        yield "null"
    else:
        yield json.dumps(
            value if isinstance(value, bool | int | float) else show(value)
        )


def _quoted(value: Any) -> str:
    """Return a text as a part of an address: nothing in it divides or leads on."""
    return limited(quote(show(value), safe=""))


FILTERS: dict[str, Callable[..., Any]] = {
    "upper": _text(str.upper),
    "lower": _text(str.lower),
    "title": _text(str.title),
    "capitalize": _text(str.capitalize),
    "trim": _text(str.strip),
    "string": show,
    "tojson": _json,
    "urlencode": _quoted,
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
# What the compiler puts around parts of a template; no template can name them.
INNER: dict[str, Callable[..., Any]] = {
    "_each": each,
    "_joined": joined,
    "_flat": flat,
}
