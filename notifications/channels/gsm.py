"""How much does a text message cost, and how is it cut to what may be spent?

A message of more than one segment is sent, and paid for, in parts (3GPP TS 23.038 and
23.040; https://www.twilio.com/docs/glossary/what-sms-character-limit): 160 septets
alone or 153 in each part; with one letter that the GSM alphabet lacks, 70 or 67
UTF-16 units.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = frozenset("\f^{}\\[~]|€")  # an escape and a septet each
GSM_ALONE, GSM_PART = 160, 153
UCS2_ALONE, UCS2_PART = 70, 67
MOST_SEGMENTS = 3
DOTS = "..."
# What word processors and our own texts use and the GSM alphabet lacks: one such sign
# would halve the room.
TYPEWRITER = str.maketrans({
    "…": "...", "–": "-", "—": "-", "‐": "-", "‑": "-", "−": "-", "·": "-", "•": "-",
    "‘": "'", "’": "'", "‚": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"',
    "\u00a0": " ", "\u202f": " ", "\u2009": " ", "\t": " ", "`": "'", "→": "->",
})  # fmt: skip


def plain(text: str) -> str:
    """Return `text` in a typewriter's signs, without what only steers a screen."""
    kept = text.translate(TYPEWRITER)
    return "".join(
        sign
        for sign in unicodedata.normalize("NFC", kept)
        if sign == "\n" or not unicodedata.category(sign).startswith("C")
    )


def segments(text: str) -> int:
    """Return in how many parts `text` is sent."""
    if all(sign in BASIC or sign in EXTENDED for sign in text):
        return _parts([2 if s in EXTENDED else 1 for s in text], GSM_ALONE, GSM_PART)
    return _parts([2 if s > "\uffff" else 1 for s in text], UCS2_ALONE, UCS2_PART)


def _parts(widths: list[int], alone: int, part: int) -> int:
    """No sign is torn over two parts."""
    if sum(widths) <= alone:
        return 1
    count, used = 1, 0
    for width in widths:
        if used + width > part:
            count, used = count + 1, 0
        used += width
    return count


def fitted(title: str, body: str, tail: list[str], most: int = MOST_SEGMENTS) -> str:
    """Return title, body and tail, a line each, in at most `most` segments.

    The body gives way first, then the end of the title; then the last lines of the
    tail, of which the first is the most important.
    """
    shown = longest(body, most, lambda cut: _lines(title, cut, *tail))
    if not shown:
        shown = longest(title, most, lambda cut: _lines(cut, *tail))
    if not shown and tail:
        return fitted(title, "", tail[:-1], most)
    return shown


def longest(text: str, most: int, write: Callable[[str], str]) -> str:
    """Return what `write` makes of as much of `text` as fits; "" if nothing does."""
    if segments(whole := write(text)) <= most:
        return whole
    if segments(write("")) > most:
        return ""
    fits, too_long = 0, len(text)
    while too_long - fits > 1:
        middle = (fits + too_long) // 2
        if segments(write(_cut(text, middle))) <= most:
            fits = middle
        else:
            too_long = middle
    return write(_cut(text, fits))


def _cut(text: str, length: int) -> str:
    return text[:length].rstrip() + DOTS if length else ""


def _lines(*lines: str) -> str:
    return "\n".join(line for line in lines if line)
