"""What does a chat message say about an alert? For adapters of chat-style webhooks.

Tools write for people: the state is a word, a colour or an emoji, and the title of what
is over differs from that of what began by just this.
"""

from __future__ import annotations

import re

OVER = re.compile(
    r"\b(resolved?|recovered|recovery|ok|cleared?|closed|healthy|is up|back (?:up|online)|succeeded|success|normal|fixed)\b"
    r"|:white_check_mark:|:large_green_circle:|✅|🟢|💚",
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
# Looked for last: "p1" is also what people call a replica.
LEVELS = re.compile(r"\b(p[1-5]|sev-?[0-5])\b", re.IGNORECASE)
# What begins a title and says its state: "[FIRING:2]", "RESOLVED:", "✅ Recovered -".
STATE = re.compile(
    r"^(?:\W*\[[^\]]{1,40}\]|\W*(?:alert\s+)?(?:firing|resolved|triggered|recovered|recovery|alerting|problem|ok|down|up|critical|warning|error|closed|open(?:ed)?|cleared?)\b)\W*",
    re.IGNORECASE,
)
TAIL = re.compile(
    r"\W*\b(?:is |has |was )?(?:now )?(?:firing|resolved|triggered|recovered|alerting|ok|down|up|critical|healthy|unhealthy|failed|failing|fixed|back to normal)\W*$",
    re.IGNORECASE,
)
LONGEST = 500


def is_over(title: str, words: str = "") -> bool:
    """Whether a message says that something is over; its title goes before its text."""
    for told in (title[:LONGEST], words[:LONGEST]):
        if BEGUN.search(told):
            # "[RESOLVED] HostDown" names what failed: the beginning decides.
            head = STATE.match(told)
            return bool(
                head and OVER.search(head.group()) and not BEGUN.search(head.group())
            )
        if OVER.search(told):
            return True
    return False


def bare(title: str) -> str:
    """Return the title without its state, the same in what fires and what resolves."""
    found = title[:LONGEST].strip()
    for _time in range(2):
        shorter = STATE.sub("", found, count=1)
        found = shorter if len(shorter) > 2 else found
    shorter = TAIL.sub("", found)
    return shorter.strip() if len(shorter) > 2 else found


def severity_in(*told: str) -> str:
    """Return the first word for a severity in the texts, or ""."""
    for pattern in (SEVERITIES, LEVELS):
        for words in told:
            found = pattern.search(words[:LONGEST])
            if found:
                return found.group().lower().replace("-", "")
    return ""
