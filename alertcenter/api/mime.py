"""What is in a mail? Its headers and its parts, read in a time that its size bounds.

Not by the standard library's parser alone: a megabyte that is made for it, of addresses
or of parts within parts, keeps it busy for minutes (RFC 5322, RFC 2046).
"""

from __future__ import annotations

import email
import re
from collections.abc import Iterator
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from itertools import islice

from alertcenter.alerts.sources.bodies import as_text
from alertcenter.alerts.sources.shapes import plain

LONGEST_HEAD = 64 * 1024
LONGEST_HEADER = 2_000
LONGEST_PART = 256 * 1024
LONGEST_TEXT = 30_000
DEEPEST = 5
MOST_PARTS = 50
BLANK = re.compile(rb"\r?\n\r?\n")
NEXT_HEADER = re.compile(r"\r?\n(?![ \t])")

Part = tuple["Message[str, str]", bytes]


def fields_of(content: bytes, envelope_from: str) -> dict[str, str]:
    """Return the parts of a mail that its adapter looks at; files by name only."""
    top, _body = split(content)
    parts = list(islice(parts_of(content), MOST_PARTS))
    found = {"from": header(top, "From") or envelope_from}
    for name in ("To", "Subject", "Date", "Message-ID", "References"):
        found[name.lower()] = header(top, name)
    found["X-Priority"] = header(top, "X-Priority")
    found["text"] = text_of(parts)[:LONGEST_TEXT]
    found["attachments"] = ", ".join(filter(None, (file_of(part) for part, _ in parts)))
    return {name: value for name, value in found.items() if value}


def parts_of(content: bytes, depth: int = 0) -> Iterator[Part]:
    """Yield the parts that are no containers themselves."""
    top, body = split(content)
    boundary = top.get_boundary()
    if top.get_content_maintype() != "multipart" or not boundary or depth >= DEEPEST:
        yield top, body
        return
    line = b"\n--" + boundary.encode("utf-8", "replace")
    for piece in (b"\n" + body).split(line, MOST_PARTS)[1:]:
        if piece.startswith(b"--"):
            break
        yield from parts_of(piece.partition(b"\n")[2], depth + 1)


def split(content: bytes) -> Part:
    """Return the headers, none too long, and what follows them."""
    if content[:1] in (b"\n", b"\r"):  # a part without headers
        return email.message_from_string(""), content
    head, *rest = BLANK.split(content, maxsplit=1)
    lines = NEXT_HEADER.split(as_text(head[:LONGEST_HEAD]))
    cut = "\n".join(line[:LONGEST_HEADER] for line in lines)
    return email.message_from_string(cut + "\n\n"), rest[0] if rest else b""


def header(top: Message[str, str], name: str) -> str:
    """Return a header in one line, its encoded words as people read them."""
    value = " ".join(str(top.get(name, "")).split())
    return decoded(value)[:LONGEST_HEADER]


def decoded(value: str) -> str:
    if "=?" not in value:
        return value
    try:
        return str(make_header(decode_header(value)))
    except (HeaderParseError, LookupError, ValueError):
        return value


def file_of(part: Message[str, str]) -> str:
    """Return the name of the file that a part is, or ""."""
    return decoded(part.get_filename() or "")


def text_of(parts: list[Part]) -> str:
    """Return the words: the plain part, else the HTML without its tags."""
    words = {"text/plain": "", "text/html": ""}
    for part, body in parts:
        kind = part.get_content_type()
        if kind in words and not words[kind] and not part.get_filename():
            part.set_payload(body[:LONGEST_PART].decode("ascii", "surrogateescape"))
            told = part.get_payload(decode=True)
            words[kind] = as_text(told) if isinstance(told, bytes) else ""
    return words["text/plain"].strip() or plain(words["text/html"])
