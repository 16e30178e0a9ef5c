"""Which conditions does a line of alertmanager.yml write, in either notation?

Up to 0.26 there was one notation, called classic since; 0.27 added one that allows all
of UTF-8 in names. Alertmanager tries both, and where they disagree the classic one wins
(matcher/compat/parse.go), as it does here.
"""

from __future__ import annotations

import re

from alertcenter.alerts.matchers import Matcher, MatcherError, parse, quoted

# pkg/labels/parse.go
CLASSIC = re.compile(r"\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(=~|=|!=|!~)\s*(.*?)\s*", re.S)
# matcher/parse/lexer.go
TOKEN = re.compile(
    r"""\s*(?:(?P<quoted>"(?:[^"\\\n]|\\.)*")|(?P<operator>=~|!~|!=|=)"""
    r"""|(?P<plain>[^\s{}!=~,\\"'`]+)|(?P<comma>,))"""
)
# What Go's strconv.Unquote takes in double quotes.
ESCAPE = re.compile(
    r"\\(?:([abfnrtv\\\"])|x([0-9a-fA-F]{2})|([0-7]{3})"
    r"|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.?))",
    re.S,
)
SHORT = dict(zip('abfnrtv\\"', '\a\b\f\n\r\t\v\\"', strict=True))


def matchers_of(text: str) -> list[Matcher]:
    """Return the conditions of one line. Raises MatcherError."""
    try:
        found = classic(text)
    except NotThisNotation:
        try:
            found = in_utf8(text)
        except NotThisNotation as error:
            message = f'{text!r} is not a condition such as severity="critical".'
            raise MatcherError("notation", message) from error
    return [condition(*one) for one in found]


def condition(name: str, operator: str, value: str) -> Matcher:
    """Return one condition. Raises MatcherError."""
    return parse(f"{quoted(name)}{operator}{quoted(value)}")


class NotThisNotation(ValueError):
    """The text is not written so."""


Parts = tuple[str, str, str]


def classic(text: str) -> list[Parts]:
    """Return (name, operator, value) of each condition. Raises NotThisNotation."""
    found = []
    for part in split_at_commas(text.removeprefix("{").removesuffix("}")):
        one = CLASSIC.fullmatch(part)
        if not one:
            raise NotThisNotation
        found.append((one[1], one[2], classic_value(one[3])))
    return found


def split_at_commas(text: str) -> list[str]:
    """Split where a comma is not between double quotes."""
    parts, part, inside, escaped = [], "", False, False
    for letter in text:
        if letter == "," and not inside:
            parts.append(part)
            part = ""
            continue
        if letter == '"' and not escaped:
            inside = not inside
        escaped = letter == "\\" and not escaped
        part += letter
    return [*parts, part] if part else parts


def classic_value(text: str) -> str:
    """Return a value without quotes and escapes; other backslashes stay."""
    inner = text
    if text.startswith('"'):
        if len(text) < 2 or not re.fullmatch(r'"(?:[^"\\]|\\.)*"', text, re.S):
            raise NotThisNotation
        inner = text[1:-1]
    elif re.search(r'(?<!\\)(?:\\\\)*"', text):
        raise NotThisNotation
    plain = {"n": "\n", '"': '"', "\\": "\\"}
    return re.sub(r"\\(.)", lambda m: plain.get(m[1], m[0]), inner, flags=re.S)


def in_utf8(text: str) -> list[Parts]:
    """Return (name, operator, value) of each condition. Raises NotThisNotation."""
    inner = text.strip()
    if inner.startswith("{") != inner.endswith("}"):
        raise NotThisNotation
    if inner.startswith("{"):
        inner = inner[1:-1]
    tokens = tokens_of(inner)
    found = []
    while tokens:
        if [kind for kind, _text in tokens[:3]] != ["text", "operator", "text"]:
            raise NotThisNotation
        found.append((tokens[0][1], tokens[1][1], tokens[2][1]))
        if len(tokens) > 3 and tokens[3][0] != "comma":
            raise NotThisNotation
        tokens = tokens[4:]
    return found


def tokens_of(text: str) -> list[tuple[str, str]]:
    found, place, text = [], 0, text.rstrip()
    while place < len(text):
        token = TOKEN.match(text, place)
        if not token:
            raise NotThisNotation
        place = token.end()
        kind = str(token.lastgroup)
        if kind == "quoted":
            found.append(("text", go_unquoted(token[kind])))
        else:
            found.append(("text" if kind == "plain" else kind, token[kind]))
    return found


def go_unquoted(text: str) -> str:
    """Return what Go's string in double quotes means. Raises NotThisNotation."""

    def letter(found: re.Match[str]) -> str:
        if found[1]:
            return SHORT[found[1]]
        digits, base = (found[3], 8) if found[3] else (found[2] or found[4], 16)
        number = int(digits or found[5] or "-1", base)
        if not 0 <= number <= 0x10FFFF or 0xD800 <= number <= 0xDFFF:
            raise NotThisNotation
        if (found[2] or found[3]) and number > 0x7F:
            raise NotThisNotation  # a lone byte, which is no UTF-8 by itself
        return chr(number)

    return ESCAPE.sub(letter, text[1:-1])
