"""Does an event match? Conditions on labels in Alertmanager's notation.

`name="value"`, `!=`, `=~`, `!~`; a missing label counts as the empty text; regular
expressions are RE2, anchored at both ends (reference/wire-protocols.md 3.1, 3.5).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import re2

LONGEST_PATTERN = 1000
NOTATION = re.compile(r"([A-Za-z_][\w.:/-]*)\s*(=~|!~|!=|=)(.*)", re.S)
# A label's name and value, or a pattern; more fits no label, and each is remembered.
LONGEST_CONDITION = 8_192


class MatcherError(ValueError):
    """A condition that cannot be read; the message says why.

    `code` is notation, too_long or pattern, for whoever says it in another language.
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
        value = self.value.replace("\\", "\\\\").replace('"', '\\"')
        return f'{self.name}{self.operator}"{value}"'


@lru_cache(maxsize=10_000)
def parse(text: str) -> Matcher:
    """Return the matcher that `text` writes. Raises MatcherError."""
    found = NOTATION.fullmatch(text.strip()) if len(text) < LONGEST_CONDITION else None
    if not found:
        message = f'{text[:200]!r} is not a condition such as severity="critical".'
        raise MatcherError("notation", message)
    name, operator, value = found.groups()
    value = unquoted(value.strip())
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


def unquoted(value: str) -> str:
    """Drop the double quotes around `value` and its backslash escapes."""
    if len(value) < 2 or value[0] != '"' or value[-1] != '"':
        return value
    return re.sub(r"\\(.)", lambda m: {"n": "\n"}.get(m[1], m[1]), value[1:-1])


def compiled(pattern: str) -> Any:
    """Return the RE2 program. Raises MatcherError."""
    if len(pattern) > LONGEST_PATTERN:
        message = f"A pattern may have {LONGEST_PATTERN} characters at most."
        raise MatcherError("too_long", message)
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        raise MatcherError(
            "pattern",
            f"{pattern!r} is not a pattern RE2 accepts (no look-around, "
            f"no back-references): {error}",
        ) from error


def all_match(matchers: Iterable[Matcher], labels: Mapping[str, str]) -> bool:
    """Whether every condition holds; true for none at all."""
    return all(matcher.matches(labels) for matcher in matchers)
