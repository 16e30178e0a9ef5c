"""How bad is it? One scale, and the words of every protocol on it."""

from __future__ import annotations

from collections.abc import Mapping

DEBUG, INFO, WARNING, ERROR, CRITICAL = 1, 2, 3, 4, 5

WORDS: dict[str, int] = {
    "debug": 1, "trace": 1, "none": 1, "verbose": 1, "p5": 1,
    "info": 2, "information": 2, "informational": 2, "notice": 2, "ok": 2,
    "normal": 2, "low": 2, "sev4": 2, "sev5": 2, "p4": 2,
    "warning": 3, "warn": 3, "minor": 3, "medium": 3, "moderate": 3,
    "average": 3, "sev3": 3, "p3": 3,
    "error": 4, "err": 4, "major": 4, "high": 4, "severe": 4, "sev2": 4, "p2": 4,
    "critical": 5, "crit": 5, "emergency": 5, "emerg": 5, "fatal": 5,
    "disaster": 5, "page": 5, "alert": 5, "urgent": 5, "highest": 5,
    "blocker": 5, "sev1": 5, "sev0": 5, "p1": 5, "p0": 5,
}  # fmt: skip
UNKNOWN = WARNING
NAMES = {
    DEBUG: "debug",
    INFO: "info",
    WARNING: "warning",
    ERROR: "error",
    CRITICAL: "critical",
}


def parse(word: str | None) -> int:
    """Return the severity that `word` means; a warning when nobody knows."""
    return WORDS.get((word or "").strip().lower(), UNKNOWN)


def shown(labels: Mapping[str, str], level: int) -> Mapping[str, str]:
    """Return labels as conditions see them: `severity` says what screens show.

    An event may name its severity beside its labels, by another label, or have it
    from a rule; `severity="critical"` must take what everybody sees as critical. A
    label that says the same in its own word ("page") stays as it is.
    """
    word = labels.get("severity")
    if word and parse(word) == level:
        return labels
    return {**labels, "severity": NAMES[level]}
