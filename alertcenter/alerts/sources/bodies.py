"""What did a sender mean by these bytes? JSON, a form, or plain text."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from alertcenter.alerts.events import BadBody
from alertcenter.alerts.sources.reading import MOST_ITEMS, with_halves_marked

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
MOST_FIELDS = 1_000
BOUNDARY = re.compile(r'boundary="?([^";,]{1,200})', re.IGNORECASE)
BLANK = re.compile(rb"\r?\n\r?\n")
# Of a part's head: name="..." and filename="...", with or without quotes.
NAMES = re.compile(rb'[;\s](name|filename)=(?:"([^"\r\n]*)"|([^";\s]+))')
LONGEST_HEAD = 4_096
# Senders that put JSON into a form put it into one of these.
JSON_FIELDS = ("payload", "json", "data")

ANYTHING = msgspec.json.Decoder()


def decode(body: bytes, content_type: str, *, takes_text: bool) -> Any:
    """Return a JSON object or list, a form's fields, or `{"text": ...}`.

    What looks like JSON is read as JSON whatever its type says, because senders that
    set no type, or a wrong one, are many. Raises BadBody.
    """
    kind = content_type.partition(";")[0].strip().lower()
    body = body.removeprefix(b"\xef\xbb\xbf")
    start = body.lstrip()[:1]
    if start in (b"{", b"["):
        return checked(from_json(body))
    if kind == FORM:
        return unfolded(from_form(body))
    if kind == MULTIPART:
        return unfolded(from_multipart(body, content_type))
    if takes_text and body.strip():
        return {"text": as_text(body)}
    raise BadBody("the body must be a JSON object or a list of objects")


def from_json(body: bytes) -> Any:
    """Return what the JSON says, forgiving raw line breaks in its texts."""
    try:
        return ANYTHING.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        problem = error
    except RecursionError as error:
        raise BadBody("the JSON is nested too deeply") from error
    marked = with_halves_marked(body)
    try:
        return json.loads(as_text(marked), strict=False, parse_constant=_nothing)
    except RecursionError as error:
        raise BadBody("the JSON is nested too deeply") from error
    except ValueError as error:
        raise BadBody(f"the body is not JSON: {problem}") from error


def _nothing(_word: str) -> None:
    """NaN and Infinity are no numbers that anything of ours could keep."""


def checked(data: Any) -> Any:
    """Return an object, or a list that is not too long. Raises BadBody."""
    if isinstance(data, list):
        if len(data) > MOST_ITEMS:
            raise BadBody(f"more than {MOST_ITEMS} items")
        if not all(isinstance(one, dict) for one in data):
            raise BadBody("the list must hold objects only")
    return data


def from_form(body: bytes) -> dict[str, Any]:
    try:
        fields = parse_qsl(
            as_text(body), keep_blank_values=True, max_num_fields=MOST_FIELDS
        )
    except ValueError as error:
        raise BadBody(f"more than {MOST_FIELDS} fields") from error
    return dict(fields)


def from_multipart(body: bytes, content_type: str) -> dict[str, Any]:
    """Return the fields of a form that may have files; of those, the names.

    RFC 7578, whose parts neither nest nor fold. Not the standard library's parser of
    mails, which takes minutes for a megabyte that is made for it.
    """
    boundary = BOUNDARY.search(content_type)
    if boundary is None:
        raise BadBody("the form names no boundary")
    line = b"\n--" + boundary[1].encode("latin-1", "replace")
    parts = (b"\n" + body).split(line, MOST_FIELDS + 2)[1:]
    if len(parts) > MOST_FIELDS + 1:
        raise BadBody(f"more than {MOST_FIELDS} fields")
    fields: dict[str, Any] = {}
    for part in parts:
        head, *rest = BLANK.split(part, maxsplit=1)
        head = head[:LONGEST_HEAD]
        names = {name: quoted or bare for name, quoted, bare in NAMES.findall(head)}
        if rest and b"name" in names:
            told = names.get(b"filename") or rest[0].removesuffix(b"\r")
            fields[as_text(names[b"name"])] = as_text(told)
    if not fields:
        raise BadBody("the form has no fields")
    return fields


def unfolded(fields: dict[str, Any]) -> Any:
    """Return the JSON in a form's field, if that is where the sender put it."""
    for name in JSON_FIELDS:
        words = fields.get(name)
        if isinstance(words, str) and words.lstrip()[:1] in ("{", "["):
            return checked(from_json(words.encode("utf-8", "replace")))
    if len(fields) == 1:
        ((name, words),) = fields.items()
        # A JSON body sent as a form, as curl -d does, is one name without a value.
        if name.lstrip()[:1] in ("{", "["):
            text = f"{name}={words}" if words else name
            return checked(from_json(text.encode("utf-8", "replace")))
    return fields


def as_text(body: bytes) -> str:
    """Return the text; what is no UTF-8 is taken as Latin-1, which takes anything."""
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body.decode("latin-1")
