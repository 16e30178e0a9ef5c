"""How is a value found in a payload that may hold anything anywhere?

None of these raises, none of them loops longer than its input.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from html import unescape
from typing import Any

import msgspec

DEEPEST = 4
# Later than any clock: what is larger counts milli-, micro- or nanoseconds.
LATEST = 32503680000.0  # the year 3000, in seconds

NUMBER = re.compile(r"-?[0-9]{1,19}(\.[0-9]{1,9})?")
FORMATS = (
    "%Y-%m-%d %H:%M:%S %z",
    "%Y-%m-%d %H:%M:%S UTC",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S.%f%z",
    "%Y-%m-%dT%H:%M:%S%z",
    "%Y-%m-%d %H:%M:%S.%f",
    "%Y-%m-%d %H:%M",
    "%Y/%m/%d %H:%M:%S",
    "%Y.%m.%d %H:%M:%S",
    "%Y%m%dT%H%M%S%z",
    "%d-%m-%Y %H:%M:%S",
    "%a %b %d %H:%M:%S %Y",
    "%a %b %d %H:%M:%S %Z %Y",
    "%b %d, %Y %H:%M:%S",
    "%m/%d/%Y %H:%M:%S",
)
LONGEST_MOMENT = 64
TAGS = re.compile(r"<[^<>]{0,2000}>")
BREAKS = re.compile(r"<(?:br|/p|/div|/li|/tr|/h[1-6])\b[^<>]{0,200}>", re.IGNORECASE)


def at(data: Any, path: str) -> Any:
    """Return what stands at the dotted `path`, or None; numbers index lists.

    A key that has dots itself is found when it stands alone: at({"a.b": 1}, "a.b").
    """
    if type(data) is dict and path in data:
        return data[path]
    for name in path.split("."):
        if type(data) is dict:
            data = data.get(name)
        elif type(data) is list and name.isdecimal() and len(name) < 6:
            place = int(name)
            data = data[place] if place < len(data) else None
        else:
            return None
    return data


def first(data: Any, *paths: str) -> str:
    """Return the first text that is not empty at one of the dotted paths, or ""."""
    for path in paths:
        found = at(data, path)
        if found is not None and (words := text(found)):
            return words
    return ""


def part(data: Any, path: str) -> dict[str, Any]:
    """Return the object at `path`; an empty one if there is none."""
    found = at(data, path)
    return found if type(found) is dict else {}


def parts(data: Any, path: str) -> list[Any]:
    """Return the list at `path`; an empty one if there is none."""
    found = at(data, path)
    return found if type(found) is list else []


def objects(data: Any, path: str) -> list[dict[str, Any]]:
    """Return the objects in the list at `path`."""
    return [one for one in parts(data, path) if type(one) is dict]


def text(value: Any) -> str:
    """Return `value` as people write it: "" for nothing, JSON for what is nested."""
    if type(value) is str:
        return value.strip()
    if value is None or value == [] or value == {}:
        return ""
    if value is True:
        return "true"
    if value is False:
        return "false"
    if type(value) is float and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if type(value) is int or type(value) is float:
        return repr(value)
    try:
        return msgspec.json.encode(value).decode()
    except (TypeError, ValueError, RecursionError, OverflowError):
        return ""


def number(value: Any) -> float | None:
    """Return a number, also from a text; None for all else."""
    if type(value) is int or type(value) is float:
        return float(value) if abs(value) < 1e300 else None
    words = text(value)
    return float(words) if NUMBER.fullmatch(words) else None


def flat(value: Any, name: str, most: int, depth: int = 0) -> Iterator[tuple[str, str]]:
    """Yield at most `most` pairs of name and text: nested objects as `name_key`."""
    if type(value) is dict and depth < DEEPEST and most > 0:
        for key, inner in list(value.items())[:most]:
            joined = f"{name}_{key}" if name else str(key)
            yield from flat(inner, joined, most, depth + 1)
    elif type(value) is list and all(type(one) is not dict for one in value):
        yield name, ", ".join(filter(None, map(text, value[:100])))
    else:
        yield name, text(value)


def pairs(items: Any, key: str = "key", value: str = "value") -> dict[str, str]:
    """Return a list of {key, value} objects, or of "key:value" texts, as one object.

    A text without a colon stands for itself, with the value "true".
    """
    found: dict[str, str] = {}
    for item in items if type(items) is list else ():
        if type(item) is dict:
            if name := text(item.get(key)):
                found[name] = text(item.get(value))
        elif type(item) is str and item:
            name, colon, words = item.partition(":")
            if name.strip():
                found[name.strip()] = words.strip() if colon else "true"
    return found


def tags(words: Any, separator: str = ",") -> dict[str, str]:
    """Return "a:b,c:d" as pairs; a list of such texts too."""
    if type(words) is str:
        return pairs([word.strip() for word in words.split(separator)][:200])
    return pairs(words)


def moment(value: Any) -> datetime | None:
    """Return a time in UTC: RFC 3339, RFC 2822, what vendors write beside them, or
    seconds, milli-, micro- or nanoseconds since 1970. None for all else.

    A time without a zone is taken as UTC.
    """
    if value is None or value == "":
        return None
    if type(value) is int or type(value) is float:
        return since_1970(float(value)) if abs(value) < 1e20 else None
    words = text(value)
    if not words or len(words) > LONGEST_MOMENT:
        return None
    if NUMBER.fullmatch(words):
        return since_1970(float(words))
    # "Fri, 20 Nov 2026 ..." is of no other kind, and the others would cost most.
    mail = words[3:4] == ","
    readers = (parsedate_to_datetime,) if mail else (datetime.fromisoformat, _by_format)
    for read in readers:
        try:
            found = read(words)
            if found.tzinfo is None:
                found = found.replace(tzinfo=UTC)
            found = found.astimezone(UTC)
        except (ValueError, OverflowError, TypeError, IndexError):
            continue
        return found if found.year >= 1971 else None
    return None


def since_1970(count: float) -> datetime | None:
    """Return the time so many seconds, or smaller units, after 1970."""
    for _unit in range(3):
        if count > LATEST:
            count /= 1000
    if not 31536000 <= count <= LATEST:  # before 1971 it means "never"
        return None
    return datetime.fromtimestamp(count, UTC)


def _by_format(words: str) -> datetime:
    # Ten of these would cost as much as all the rest: only what starts so is tried.
    for form in FORMATS:
        if (form[1] in "YdmH") is words[0].isdigit():
            try:
                return datetime.strptime(words, form)  # noqa: DTZ007
            except ValueError:
                continue
    raise ValueError(words)


def plain(words: Any) -> str:
    """Return HTML without its tags, for a title or a description."""
    told = text(words)
    if "<" in told:
        told = TAGS.sub("", BREAKS.sub("\n", told[:20_000]))
    return unescape(told).strip() if "&" in told else told.strip()


def without(data: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Return `data` but for these names."""
    return {key: value for key, value in data.items() if key not in names}
