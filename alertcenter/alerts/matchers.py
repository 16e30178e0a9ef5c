"""Does an event match? Conditions on labels in Alertmanager's notation.

`name="value"`, `!=`, `=~`, `!~`; a name of any other letters in quotes; a missing label
counts as the empty text; regular expressions are RE2, anchored at both ends
(reference/wire-protocols.md 3.1, 3.5).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import re2

LONGEST_PATTERN = 1000
# Instructions of a compiled pattern: RE2 may try each for each character of a value.
# A thousand letters of any script fit; repetitions of repetitions do not.
LARGEST_PROGRAM = 4_000
PLAIN_NAME = r"[A-Za-z_][\w.:/-]*"
QUOTED_NAME = r'"(?:[^"\\]|\\.)+"'
NOTATION = re.compile(rf"({PLAIN_NAME}|{QUOTED_NAME})\s*(=~|!~|!=|=)(.*)", re.S)
ESCAPED = {"n": "\n", '"': '"', "\\": "\\"}
# A label's name and value, or a pattern; more fits no label, and each is remembered.
LONGEST_CONDITION = 8_192


class MatcherError(ValueError):
    """A condition that cannot be read; the message says why.

    `code` is notation, too_long, too_large or pattern, for whoever says it in another
    language.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Matcher:
    """One condition on one label."""

    name: str
    operator: str
    value: str
    test: Callable[[str], bool] = field(compare=False, repr=False)

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether the condition holds for `labels`."""
        return self.test(labels.get(self.name, ""))

    def __str__(self) -> str:
        name = self.name
        if not re.fullmatch(PLAIN_NAME, name):
            name = quoted(name)
        return f"{name}{self.operator}{quoted(self.value)}"


@lru_cache(maxsize=10_000)
def parse(text: str) -> Matcher:
    """Return the matcher that `text` writes. Raises MatcherError."""
    found = NOTATION.fullmatch(text.strip()) if len(text) < LONGEST_CONDITION else None
    if not found:
        message = f'{text[:200]!r} is not a condition such as severity="critical".'
        raise MatcherError("notation", message)
    name, operator, value = found.groups()
    name, value = unquoted(name), unquoted(value.strip())
    if operator in ("=", "!="):
        wanted = operator == "="
        return Matcher(name, operator, value, lambda seen: (seen == value) is wanted)
    pattern = compiled(value)
    wanted = operator == "=~"
    return Matcher(
        name,
        operator,
        value,
        lambda seen: (pattern.fullmatch(seen) is not None) is wanted,
    )


def quoted(text: str) -> str:
    """Return `text` in double quotes, as Alertmanager prints it."""
    for plain, escaped in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n")):
        text = text.replace(plain, escaped)
    return f'"{text}"'


def unquoted(value: str) -> str:
    """Drop the double quotes around `value` and its escapes, as Alertmanager does.

    A backslash before anything else stays: it belongs to a pattern such as `\\d`.
    """
    if len(value) < 2 or value[0] != '"' or value[-1] != '"':
        return value
    return re.sub(r"\\(.)", lambda m: ESCAPED.get(m[1], m[0]), value[1:-1], flags=re.S)


def compiled(pattern: str) -> Any:
    """Return the RE2 program. Raises MatcherError."""
    if len(pattern) > LONGEST_PATTERN:
        message = f"A pattern may have {LONGEST_PATTERN} characters at most."
        raise MatcherError("too_long", message)
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    try:
        program = re2.compile(pattern, options)
    except (re2.error, UnicodeEncodeError) as error:  # half a character is none
        raise MatcherError(
            "pattern",
            f"{pattern!r} is not a pattern RE2 accepts (no look-around, "
            f"no back-references): {error}",
        ) from error
    if program.programsize > LARGEST_PROGRAM:
        message = f"{pattern!r} repeats too much: it would take too long to try."
        raise MatcherError("too_large", message)
    return program


def all_match(matchers: Iterable[Matcher], labels: Mapping[str, str]) -> bool:
    """Whether every condition holds; true for none at all."""
    return all(matcher.matches(labels) for matcher in matchers)
