"""Which of many lists of conditions hold for an alert, without trying each?

A list that demands one of some fixed values of a label (`team="db"`,
`env=~"prod|stage"`) is filed under those values, by its rarest such condition, and
only tried for alerts that have one of them. Verdicts of patterns are remembered.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from alertcenter.alerts.matchers import Matcher

# What means itself in RE2, with bars between.
LITERALS = re.compile(r"[A-Za-z0-9_ :/@-]+(?:\|[A-Za-z0-9_ :/@-]+)*")
# Verdicts of one pattern, and of all of an index together, whatever is in it.
MOST_REMEMBERED = 10_000
MOST_IN_ALL = 1_000_000

PATTERNS = ("=~", "!~")

Key = tuple[str, str]
Test = tuple[str, Callable[[str], bool]]


class MatcherIndex:
    """Lists of conditions, found by an alert's labels."""

    def __init__(self, lists: Iterable[Sequence[Matcher]]) -> None:
        given = list(lists)
        patterns = sum(m.operator in PATTERNS for one in given for m in one)
        most = min(MOST_REMEMBERED, MOST_IN_ALL // max(patterns, 1))
        self._tests: list[list[Test]] = [[_test(m, most) for m in one] for one in given]
        self._filed: dict[str, dict[str, list[int]]] = {}
        self._unfiled: list[int] = []
        choices = [[keys for m in one if (keys := literal_keys(m))] for one in given]
        crowd = Counter(key for one in choices for keys in one for key in keys)
        for number, one in enumerate(choices):
            if not one:
                self._unfiled.append(number)
                continue
            for name, value in min(one, key=lambda keys: max(crowd[k] for k in keys)):
                by_value = self._filed.setdefault(name, {})
                by_value.setdefault(value, []).append(number)

    def __len__(self) -> int:
        return len(self._tests)

    def matching(self, labels: Mapping[str, str]) -> list[int]:
        """Return the numbers of the lists that hold, in order."""
        found = [n for n in self._unfiled if self.holds(n, labels)]
        for name, by_value in self._filed.items():
            value = labels.get(name)
            if value is not None and value in by_value:
                found += [n for n in by_value[value] if self.holds(n, labels)]
        if len(found) > 1:
            found.sort()
        return found

    def holds(self, number: int, labels: Mapping[str, str]) -> bool:
        """Whether all conditions of one list hold."""
        for name, test in self._tests[number]:  # noqa: SIM110 - the hot loop
            if not test(labels.get(name, "")):
                return False
        return True


def literal_keys(matcher: Matcher) -> list[Key]:
    """Return (name, value) pairs of which a matching alert has one; else nothing."""
    if matcher.operator == "=" and matcher.value:
        return [(matcher.name, matcher.value)]
    if matcher.operator == "=~" and LITERALS.fullmatch(matcher.value):
        return [(matcher.name, one) for one in set(matcher.value.split("|"))]
    return []


def _test(matcher: Matcher, most: int) -> Test:
    if matcher.operator not in PATTERNS or not most:
        return matcher.name, matcher.test
    known: dict[str, bool] = {}

    def remembered(seen: str) -> bool:
        verdict = known.get(seen)
        if verdict is None:
            if len(known) >= most:
                known.clear()
            verdict = known[seen] = matcher.test(seen)
        return verdict

    return matcher.name, remembered
