"""How is a JSON body read without trusting it?"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from alertcenter.alerts.events import HALF, BadBody, BadItem, Event, Parsed

MOST_ITEMS = 10_000
# Every escaped surrogate, whose backslash is none that is itself escaped (group 1: the
# backslashes before it); group 2 holds one that has no other half. A body may consist
# of escapes: the others are passed over by the pattern alone.
SURROGATES = re.compile(
    rb"(?<!\\)((?:\\\\)*)\\u"
    rb"(?:[dD][89abAB]..\\u[dD][c-fC-F]..|([dD][89a-fA-F][0-9a-fA-F]{2}))",
    re.DOTALL,
)
MARK = b"\\u%04x" % ord(HALF)

T = TypeVar("T")


def decode(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """Decode, turning every complaint into BadBody; types pass as ValidationError.

    What the type does not name is skipped, not built; msgspec bounds its depth.
    """
    try:
        return decoder.decode(body)
    except msgspec.ValidationError:
        raise
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        marked = with_halves_marked(body)
        if marked != body:
            return decode(decoder, marked)
        raise BadBody(f"the body is not JSON: {error}") from error
    except RecursionError as error:
        raise BadBody("the JSON is nested too deeply") from error


def with_halves_marked(body: bytes) -> bytes:
    """Replace escaped half surrogates by HALF, which no check lets pass.

    msgspec refuses the whole body for one; marked, only its item is refused.
    """
    return SURROGATES.sub(lambda found: found[1] + MARK if found[2] else found[0], body)


def each(
    items: list[T], to_event: Callable[[T], Event], parsed: Parsed | None = None
) -> Parsed:
    """Turn items into events; what cannot be kept is named by its index."""
    parsed = parsed or Parsed()
    for index, item in enumerate(items):
        try:
            parsed.add(index, to_event(item))
        except BadItem as error:
            parsed.refuse(index, str(error))
    return parsed


def each_raw(
    raws: list[msgspec.Raw],
    decoder: msgspec.json.Decoder[T],
    to_event: Callable[[T], Event],
) -> Parsed:
    """As `each`, decoding item by item: the road for bodies with a wrong type."""
    parsed = Parsed()
    for index, raw in enumerate(raws):
        try:
            parsed.add(index, to_event(decode(decoder, bytes(raw))))
        except (BadItem, BadBody, msgspec.ValidationError) as error:
            parsed.refuse(index, str(error))
    return parsed


RAW_LIST = msgspec.json.Decoder(list[msgspec.Raw])


def parse_list(
    body: bytes,
    all_at_once: msgspec.json.Decoder[list[Any]],
    one: msgspec.json.Decoder[Any],
    to_event: Callable[[Any], Event],
) -> Parsed:
    """Parse a JSON array of items, quickly when all are well typed.

    Raises BadBody when the body is no JSON array, too deep or too long.
    """
    try:
        items = decode(all_at_once, body)
    except msgspec.ValidationError:
        return each_raw(raw_list(body), one, to_event)
    if len(items) > MOST_ITEMS:
        raise BadBody(f"more than {MOST_ITEMS} items")
    return each(items, to_event)


def raw_list(body: bytes) -> list[msgspec.Raw]:
    """Return the items of a JSON array, undecoded. Raises BadBody."""
    try:
        raws = decode(RAW_LIST, body)
    except msgspec.ValidationError as error:
        raise BadBody("the body must be a JSON array") from error
    if len(raws) > MOST_ITEMS:
        raise BadBody(f"more than {MOST_ITEMS} items")
    return raws
