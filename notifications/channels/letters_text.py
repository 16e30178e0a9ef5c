"""What of a text from outside may stand in a mail, and how much of it?

Titles, labels and notes are written by whoever can send an alert. Control characters
begin headers or hide text, bidirectional overrides make it read as something else
(https://www.unicode.org/reports/tr9/), and a title may be 100 kB long.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit, urlunsplit

from django.utils.encoding import punycode

CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
# All but line feed and tab, which a text of several lines needs.
CONTROLS_IN_TEXT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]+")
# Embeddings, overrides and isolates; also what has no width and so is seen by nobody.
HIDDEN = re.compile("[\u202a-\u202e\u2066-\u2069\u200b\u2060\ufeff\u00ad]+")
UNFIT_FOR_IDS = re.compile(r"[^A-Za-z0-9_.-]+")
SURROGATES = re.compile("[\ud800-\udfff]+")

LONGEST_URL = 2_000
# Beyond 102 kB Gmail shows only the beginning of a mail
# (https://www.litmus.com/blog/how-to-keep-gmail-from-clipping-your-emails); escaped
# for HTML a character becomes six, so these are small.
ID_CHARS = 100
TITLE_CHARS = 300
NAME_CHARS = 120
SUMMARY_CHARS = 400
BODY_CHARS = 6_000


def one_line(text: str, most: int = 0) -> str:
    """Return `text` on one line; a line break would begin another header."""
    return cut(" ".join(shown(CONTROLS.sub(" ", text)).split()), most)


def in_header(text: str, most: int = 0) -> str:
    """Return `text` as a header bears it.

    Python's email package takes what looks like an encoded word (RFC 2047) for one,
    decodes it when the header is set, and a line break in it begins another header.
    """
    return cut(one_line(text).replace("=?", "= ?"), most)


def in_id(text: str) -> str:
    """Return what of `text` may stand in a Message-ID (RFC 5322 3.6.4)."""
    return UNFIT_FOR_IDS.sub("", text)[:ID_CHARS]


def lines(text: str, most: int = 0) -> str:
    """Return a text of several lines."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return cut(shown(CONTROLS_IN_TEXT.sub("", text)), most)


def shown(text: str) -> str:
    return SURROGATES.sub("\ufffd", HIDDEN.sub("", text))


def cut(text: str, most: int) -> str:
    """Return `text` with `most` characters at most; 0: as it is."""
    return text if not most or len(text) <= most else text[: most - 1].rstrip() + "…"


def web_address(url: str) -> str:
    """Return `url` if it leads to a web page, else "".

    Its host is written in ASCII, so that a look-alike in other letters is seen.
    """
    url = url.strip()
    if len(url) > LONGEST_URL or shown(CONTROLS.sub(" ", url)) != url or " " in url:
        return ""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        host = host if host.isascii() else punycode(host)
    except (ValueError, UnicodeError):
        return ""
    if parts.scheme not in ("http", "https") or not host or parts.username:
        return ""
    host = f"[{host}]" if ":" in host else host
    where = f"{host}:{port}" if port else host
    return urlunsplit(parts._replace(netloc=where))


def mail_address(address: str) -> str:
    """Return `address` with its domain in ASCII, as every server understands it and
    as a look-alike is seen. Raises ValueError."""
    name, _at, domain = address.rpartition("@")
    if domain.isascii():
        return address
    try:
        return f"{name}@{punycode(domain)}"
    except UnicodeError as error:
        raise ValueError("this is no domain") from error
