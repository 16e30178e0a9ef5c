"""What can a template do with a value? Each function pays for its work.

Methods (`name.upper()`, `labels.items()`) are read as these filters, so nothing of
Python's own objects is ever called from a template.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from jinja2 import Undefined

from notifications.sandbox.meter import (
    CHARACTERS_A_UNIT,
    Refused,
    bounded,
    check_length,
    is_container,
    items_of,
    number_of,
    spend,
    text_of,
)

MOST_DECIMALS = 10
LONGEST_NUMERAL = 40

# --- texts ---


def upper(value: Any) -> str:
    return bounded(text_of(value).upper())


def lower(value: Any) -> str:
    return bounded(text_of(value).lower())


def title(value: Any) -> str:
    return bounded(text_of(value).title())


def capitalize(value: Any) -> str:
    """Only the first letter changes: the rest may hold names."""
    text = text_of(value)
    return bounded(text[:1].upper() + text[1:])


def trim(value: Any, characters: Any = None) -> str:
    return text_of(value).strip(characters and text_of(characters))


def lstrip(value: Any, characters: Any = None) -> str:
    return text_of(value).lstrip(characters and text_of(characters))


def rstrip(value: Any, characters: Any = None) -> str:
    return text_of(value).rstrip(characters and text_of(characters))


def startswith(value: Any, start: Any) -> bool:
    return text_of(value).startswith(text_of(start))


def endswith(value: Any, end: Any) -> bool:
    return text_of(value).endswith(text_of(end))


def replace(value: Any, old: Any, new: Any) -> str:
    text, old, new = text_of(value), text_of(old), text_of(new)
    if not old:
        raise Refused("nothing_to_replace")
    check_length(len(text) + text.count(old) * (len(new) - len(old)))
    return text.replace(old, new)


def truncate(value: Any, length: Any = 255, end: Any = "…") -> str:
    """At most `length` characters, `end` included."""
    text, end, length = text_of(value), text_of(end), int(number_of(length))
    if len(text) <= length:
        return text
    return text[: max(0, length - len(end))].rstrip() + end


def split(value: Any, separator: Any = None) -> list[str]:
    text = text_of(value)
    parts = text.split(None if separator is None else text_of(separator))
    spend(len(parts))
    return parts


def urlencode(value: Any) -> str:
    return bounded(quote(text_of(value).encode("utf-8", "replace"), safe=""))


def wordcount(value: Any) -> int:
    return len(split(value))


def join(value: Any, separator: Any = "", attribute: Any = None) -> str:
    between = text_of(separator)
    rows = items_of(value) if attribute is None else pick(value, attribute)
    parts = [text_of(row) for row in rows]
    check_length(sum(map(len, parts)) + len(between) * max(0, len(parts) - 1))
    return between.join(parts)


def concat(values: list[Any]) -> str:
    """The operator `~`."""
    return join(values)


# --- numbers ---


def absolute(value: Any) -> int | float:
    return abs(number_of(value))


def to_int(value: Any, default: Any = 0) -> int | float:
    return _number(value, int, default)


def to_float(value: Any, default: Any = 0.0) -> int | float:
    return _number(value, float, default)


def _number(
    value: Any, kind: Callable[[Any], int | float], default: Any
) -> int | float:
    if isinstance(value, str | Undefined) or value is None:
        value = text_of(value)[:LONGEST_NUMERAL]
    else:
        value = number_of(value)
    try:
        return kind(value)
    except (ValueError, OverflowError):
        return number_of(default)


def rounded(value: Any, decimals: Any = 0) -> int | float:
    places = min(MOST_DECIMALS, max(0, int(number_of(decimals))))
    return round(number_of(value), places)


# --- lists and dicts ---


def length(value: Any) -> int:
    if is_container(value) or isinstance(value, str | Undefined):
        return len(value)
    raise Refused("not_a_list")


def first(value: Any) -> Any:
    return next(iter(items_of(value)), "")


def last(value: Any) -> Any:
    return next(reversed(items_of(value)), "")


def plain(value: Any) -> list[Any]:
    """A list whose items can be compared cheaply."""
    found = items_of(value)
    for item in found:
        compared(item)
    return found


def ordered(value: Any, reverse: Any = False, attribute: Any = None) -> list[Any]:
    rows = items_of(value)
    keys = plain(rows if attribute is None else pick(rows, attribute))
    order = sorted(range(len(rows)), key=keys.__getitem__, reverse=bool(reverse))
    return [rows[index] for index in order]


def unique(value: Any) -> list[Any]:
    return list(dict.fromkeys(plain(value)))


def backwards(value: Any) -> Any:
    return text_of(value)[::-1] if isinstance(value, str) else items_of(value)[::-1]


def smallest(value: Any) -> Any:
    return min(plain(value), default="")


def largest(value: Any) -> Any:
    return max(plain(value), default="")


def total(value: Any) -> int | float:
    return number_of(sum(number_of(item) for item in items_of(value)))


def pick(value: Any, attribute: Any) -> list[Any]:
    """`alerts | map(attribute="title")`."""
    name = text_of(attribute)
    return [
        row.get(name, "") if isinstance(row, dict) else "" for row in items_of(value)
    ]


def get(value: Any, key: Any, default: Any = "") -> Any:
    spend(1)
    return value.get(text_of(key), default) if isinstance(value, dict) else default


def items(value: Any) -> list[tuple[Any, Any]]:
    items_of(value)
    return list(value.items()) if isinstance(value, dict) else []


def dictsort(value: Any) -> list[tuple[Any, Any]]:
    return sorted(items(value), key=lambda pair: text_of(pair[0]))


def values(value: Any) -> list[Any]:
    return [inner for _key, inner in items(value)]


def default(value: Any, instead: Any = "", when_empty: Any = False) -> Any:
    missing = isinstance(value, Undefined) or (when_empty and not value)
    return instead if missing else value


# --- what the compiler puts around parts of a template ---


def each(value: Any, weight: int) -> list[Any]:
    """What `for` runs over: paid for in full before the first turn."""
    found = items_of(value)
    spend(weight * len(found))
    return found


def compared(value: Any) -> Any:
    """An operand of a comparison; two nested lists would be compared in depth."""
    if is_container(value):
        raise Refused("lists_compared")
    if isinstance(value, str):
        spend(1 + len(value) // CHARACTERS_A_UNIT)
    return value


def searched(value: Any) -> Any:
    """The right side of `in`."""
    if is_container(value):
        spend(1 + len(value))
        return value
    return text_of(value)


def cut(value: Any) -> Any:
    """What a slice is taken of."""
    return items_of(value) if is_container(value) else text_of(value)


FILTERS: dict[str, Callable[..., Any]] = {
    "abs": absolute,
    "capitalize": capitalize,
    "count": length,
    "d": default,
    "default": default,
    "dictsort": dictsort,
    "first": first,
    "float": to_float,
    "int": to_int,
    "items": items,
    "join": join,
    "last": last,
    "length": length,
    "list": items_of,
    "lower": lower,
    "map": pick,
    "max": largest,
    "min": smallest,
    "replace": replace,
    "reverse": backwards,
    "round": rounded,
    "sort": ordered,
    "string": text_of,
    "sum": total,
    "title": title,
    "trim": trim,
    "truncate": truncate,
    "unique": unique,
    "upper": upper,
    "urlencode": urlencode,
    "wordcount": wordcount,
}
METHODS: dict[str, Callable[..., Any]] = {
    "capitalize": capitalize,
    "endswith": endswith,
    "get": get,
    "items": items,
    "keys": items_of,
    "lower": lower,
    "lstrip": lstrip,
    "replace": replace,
    "rstrip": rstrip,
    "split": split,
    "startswith": startswith,
    "strip": trim,
    "title": title,
    "upper": upper,
    "values": values,
}
# Their names hold a dot, so that no template can write them.
INNER: dict[str, Callable[..., Any]] = {
    "inner.concat": concat,
    "inner.each": each,
    "inner.compared": compared,
    "inner.searched": searched,
    "inner.cut": cut,
} | {f"method.{name}": function for name, function in METHODS.items()}

TESTS: dict[str, Callable[[Any], bool]] = {
    "boolean": lambda value: isinstance(value, bool),
    "defined": lambda value: not isinstance(value, Undefined),
    "even": lambda value: number_of(value) % 2 == 0,
    "false": lambda value: value is False,
    "mapping": lambda value: isinstance(value, dict),
    "none": lambda value: value is None,
    "number": lambda value: isinstance(value, int | float),
    "odd": lambda value: number_of(value) % 2 == 1,
    "sequence": lambda value: is_container(value) or isinstance(value, str),
    "string": lambda value: isinstance(value, str),
    "true": lambda value: value is True,
    "undefined": lambda value: isinstance(value, Undefined),
}


# --- operators ---


def add(left: Any, right: Any) -> Any:
    """Two numbers, or two texts."""
    if isinstance(left, str) and isinstance(right, str):
        return concat([left, right])
    return number_of(number_of(left) + number_of(right))


def remainder(left: Any, right: Any) -> Any:
    """Of numbers only: on a text, `%` would be formatting of any width."""
    return number_of(left) % number_of(right)


OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": add,
    "-": lambda left, right: number_of(number_of(left) - number_of(right)),
    "*": lambda left, right: number_of(number_of(left) * number_of(right)),
    "/": lambda left, right: number_of(left) / number_of(right),
    "//": lambda left, right: number_of(left) // number_of(right),
    "%": remainder,
}
