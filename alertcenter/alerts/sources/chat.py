"""What does a chat message say about an alert? For adapters of chat-style webhooks.

Tools write for people: the state is a word, a colour or an emoji, and the title of what
is over differs from that of what began by just this.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

OVER = re.compile(
    r"\b(resolved?|recovered|recovery|ok|cleared?|closed|healthy|is up|back (?:up|online)|succeeded|success|normal|fixed)\b"
    r"|^\W*up(?=\W*[\]:–-])|:white_check_mark:|:large_green_circle:|✅|🟢|💚",
    re.IGNORECASE,
)
BEGUN = re.compile(
    r"\b(firing|triggered|alerting|critical|down|failed|failing|failure|problem|error|warning|unhealthy|not ok|not resolved)\b"
    r"|🔴|🚨|🔥|:fire:|:red_circle:|:rotating_light:|❌",
    re.IGNORECASE,
)
SEVERITIES = re.compile(
    r"\b(critical|crit|fatal|disaster|emergency|error|high|major|warning|warn|minor|info|notice)\b",
    re.IGNORECASE,
)
# A text names many words; only what stands behind one of these is its severity.
SAID = re.compile(r"\b(?:severity|priority|urgency|level)\W{1,6}(\w+)", re.IGNORECASE)
# Looked for last: "p1" is also what people call a replica.
LEVELS = re.compile(r"\b(p[1-5]|sev-?[0-5])\b", re.IGNORECASE)
# Surely the end of something, also beside a word for its beginning: "Recovered: ...
# was down for 5 minutes". "Success" and "ok" are not: "success rate is critical".
SURELY = re.compile(
    r"\b(?<!not )(?:resolved|recovered|recovery|is up|back (?:up|online|to normal))\b"
    r"|:white_check_mark:|:large_green_circle:|✅|🟢|💚",
    re.IGNORECASE,
)
ENDS = re.compile(
    r"(?<!not )\b(?:resolved|recovered|back to normal|is (?:now )?(?:ok|normal|healthy)|fixed|cleared)\W*$"
    r"|(?:->|→|\bto)\s+(?:ok|normal|up|healthy)\b",
    re.IGNORECASE,
)
# What begins a title and says its state: "[FIRING:2]", "RESOLVED:", "✅ Recovered -".
STATE = re.compile(
    r"^(?:\W*\[[^\]]{1,40}\]|\W*monitor is (?:up|down)\b|\W*(?:alert|alarm)\s*(?=:)"
    r"|\W*:[a-z_]{2,30}:|\W*(?:alert\s+)?(?:firing|resolved|triggered|recovered|recovery|alerting|problem|critical|closed|opened|cleared?)\b"
    r"|\W*(?:ok|down|up|warning|error|open|info)(?=\W*[:|–-]))\W*",
    re.IGNORECASE,
)
# A run of what is no word is looked at once, from its beginning: `(?<!\W)`.
TAIL = re.compile(
    r"(?<!\W)\W*\b(?:is |has |was )?(?:now )?(?:firing|resolved|triggered|recovered|alerting|ok|down|up|critical|warning|unknown|unreachable|degraded|healthy|unhealthy|failed|failing|fixed|cleared|(?:back to )?normal|succeeded|passed|broken)\W*$",
    re.IGNORECASE,
)
# What differs from message to message about one object: a build's number, how long.
PASSING = re.compile(
    r"(?<!\s)\s+-\s+#\d+\s.*$|(?<![\s.])[\s.]+It was down for .*$"
    r"|(?<!\s)\s*(?:state )?changed from \w+ to \w+",
    re.IGNORECASE,
)
SYMBOLS = re.compile(r"^[^\w(\[/~#@$%]+")
LONGEST = 500
LONGEST_LIST = 20_000
COLOURS = {
    "good": "over", "ok": "over", "green": "over", "warning": "warning",
    "yellow": "warning", "orange": "warning", "danger": "critical", "red": "critical",
    "attention": "critical", "accent": "info", "blue": "info",
}  # fmt: skip
# Which fields of a message name what it is about.
OBJECTS = (
    "instance", "host", "hostname", "in host", "server", "node", "pod", "resource",
    "object", "entity", "service", "monitor", "job", "namespace", "container",
)  # fmt: skip
BEFORE = ("severity", "priority", "level", "urgency")
HEADINGS = {"firing": True, "alerts firing": True, "resolved": False,
            "alerts resolved": False}  # fmt: skip
ADDRESSES = {"Source": "generatorURL", "Silence": "silence_url",
             "Dashboard": "dashboard_url", "Panel": "panel_url"}  # fmt: skip


def is_over(title: str, words: str = "") -> bool:
    """Whether a message says that something is over; its title goes before its text."""
    for told in (title[:LONGEST], words[:LONGEST]):
        begun, over = BEGUN.search(told), OVER.search(told)
        if begun is None and over is None:
            continue
        if begun is None:
            return True
        surely = SURELY.search(told)
        if surely and surely.start() < begun.start():
            return True
        if told == title and ENDS.search(told):
            return True
        # "[OK] HostDown" names what failed: the beginning decides.
        head = STATE.match(told)
        return bool(
            head and OVER.search(head.group()) and not BEGUN.search(head.group())
        )
    return False


def bare(title: str) -> str:
    """Return the title without its state, the same in what fires and what resolves."""
    found = PASSING.sub("", title[:LONGEST].strip())
    for _time in range(2):
        shorter = STATE.sub("", found, count=1)
        found = shorter if len(shorter) > 2 else found
    shorter = TAIL.sub("", found)
    found = SYMBOLS.sub("", found) or found
    shorter = SYMBOLS.sub("", shorter)
    # "(lab p1 critical)" is a list of labels, not a state.
    whole = len(shorter) > 2 and shorter.count("(") == shorter.count(")")
    return shorter.strip() if whole else found


def shown(title: str) -> str:
    """Return the title without "[FIRING:2]", which is untrue after the next message."""
    head = STATE.match(title) if title.startswith("[") else None
    rest = title[head.end() :].strip() if head else ""
    return rest if len(rest) > 2 else title


def meaning(colour: Any) -> str:
    """Return "over" or a severity for a colour: a word, "#rrggbb" or a number; or ""."""
    if type(colour) is float and colour.is_integer():
        colour = int(colour)
    if type(colour) is str:
        word = colour.strip().lower().lstrip("#")
        if word in COLOURS:
            return COLOURS[word]
        if len(word) == 3:
            word = "".join(2 * one for one in word)
        try:
            colour = int(word, 16) if len(word) == 6 else int(word)
        except ValueError:
            return ""
    if type(colour) is not int or not 0 < colour <= 0xFFFFFF:
        return ""
    red, green, blue = colour >> 16, colour >> 8 & 0xFF, colour & 0xFF
    if green > 96 and green > 1.4 * red and green >= blue:
        return "over"
    if red > 110 and green < 0.5 * red and blue < 0.6 * red:
        return "critical"
    if red > 150 and green <= 1.1 * red and blue < 0.6 * red:
        return "warning"
    return "info" if blue > 1.3 * red and blue > 96 else ""


def over_by_field(fields: Mapping[str, str]) -> bool | None:
    """Return what a field named status says; None where none does."""
    for name in ("status", "state", "alert state"):
        if word := fields.get(name, ""):
            if OVER.search(word[:LONGEST]) and not BEGUN.search(word[:LONGEST]):
                return True
            if BEGUN.search(word[:LONGEST]):
                return False
    return None


def severity_of(fields: Mapping[str, str], title: str, colour: str, *texts: str) -> str:
    """Return a severity: what a field says, the title, the colour, or the text."""
    for name in BEFORE:
        if word := fields.get(name, ""):
            return severity_in(word) or word
    if found := severity_in(title):
        return found
    for words in texts:
        if (said := SAID.search(words[:LONGEST])) and severity_in(said[1]):
            return severity_in(said[1])
    return colour if colour not in ("", "over") else "warning"


def subject(fields: Mapping[str, str]) -> str:
    """Return the fields that tell messages of the same title apart, or ""."""
    return " ".join(fields[name] for name in OBJECTS if fields.get(name))


def listed(words: str) -> list[dict[str, Any]]:
    """Return the alerts that Alertmanager's and Grafana's default texts list.

    They are what a webhook of those would have sent, but for the times. An alert whose
    labels are cut off is left out: it would be another alert.
    """
    found: list[dict[str, Any]] = []
    if "Labels:" not in words:
        return found
    status, value, last = "firing", "", ""
    place: dict[str, str] | None = None
    for line in words[:LONGEST_LIST].split("\n"):
        told = line.strip().strip("*#").strip()
        low = told.rstrip(":").lower()
        if told.startswith(("- ", "* ")) and place is not None:
            name, _sign, rest = told[2:].partition(" = ")
            last = name.strip(" *`\\")
            place[last] = rest.strip()
        elif low in HEADINGS:
            status, place = "firing" if HEADINGS[low] else "resolved", None
        elif low == "labels":
            place = {}
            found.append({"status": status, "labels": place, "annotations": {}})
            if value:
                found[-1]["annotations"]["value"] = value
            value = ""
        elif low == "annotations" and found:
            place = found[-1]["annotations"]
        elif told:
            name, _colon, rest = told.partition(": ")
            if name == "Value":
                value = rest.strip()
            elif name in ADDRESSES and found:
                where = ADDRESSES[name]
                place = None
                (found[-1] if where == "generatorURL" else found[-1]["annotations"])[
                    where
                ] = rest.strip()
            elif place is not None and last in place:
                place[last] += "\n" + told
    if found and place is found[-1]["labels"] and words.rstrip().endswith(("…", "...")):
        found.pop()
    return [one for one in found if one["labels"]]


def severity_in(*told: str) -> str:
    """Return the first word for a severity in the texts, or ""."""
    for pattern in (SEVERITIES, LEVELS):
        for words in told:
            found = pattern.search(words[:LONGEST])
            if found:
                return found.group().lower().replace("-", "")
    return ""
