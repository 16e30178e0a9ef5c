"""How does Slack's mrkdwn look? As spans of plain text with a style each.

https://docs.slack.dev/messaging/formatting-message-text: three characters are
escaped, links are `<url|text>`, mentions `<@U1>`, `<#C1|name>`, `<!here>`.
The browser puts spans on the page as text, so no markup survives from a payload.
"""

from __future__ import annotations

import re
from typing import Any

Span = dict[str, Any]

ESCAPES = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))
PIECES = re.compile(
    r"```(?P<pre>.+?)```"
    r"|`(?P<code>[^`\n]+)`"
    r"|<(?P<link>[^<>\n]+)>"
    r"|(?<![\w*])\*(?P<b>[^*\n]+)\*(?![\w*])"
    r"|(?<![\w_])_(?P<i>[^_\n]+)_(?![\w_])"
    r"|(?<![\w~])~(?P<s>[^~\n]+)~(?![\w~])"
    r"|:(?P<emoji>[a-z0-9_+-]+):",
    re.S,
)
SAFE_LINKS = ("http://", "https://", "mailto:")
EMOJI = {
    "rotating_light": "🚨", "warning": "⚠️", "white_check_mark": "✅", "fire": "🔥",
    "red_circle": "🔴", "large_orange_circle": "🟠", "large_yellow_circle": "🟡",
    "large_blue_circle": "🔵", "white_circle": "⚪", "large_green_circle": "🟢",
    "zzz": "💤", "eyes": "👀", "bell": "🔔", "no_bell": "🔕", "wave": "👋",
    "arrow_up": "⬆️", "information_source": "ℹ️", "hourglass": "⌛", "x": "❌",
}  # fmt: skip
MOST_DEPTH = 3


def spans(text: str, depth: int = 0) -> list[Span]:
    """Return the pieces of `text`: {"text": ..., "b" | "i" | "s" | "code" | "pre":
    true, "href": ...}."""
    found: list[Span] = []
    position = 0
    for match in PIECES.finditer(text):
        found += _plain(text[position : match.start()])
        found += _piece(match, depth)
        position = match.end()
    return found + _plain(text[position:])


def plain(text: str) -> str:
    """Return `text` with its three escapes undone."""
    for escape, character in ESCAPES:
        text = text.replace(escape, character)
    return text


def _plain(text: str) -> list[Span]:
    return [{"text": plain(text)}] if text else []


def _piece(match: re.Match[str], depth: int) -> list[Span]:
    kind, inner = next((k, v) for k, v in match.groupdict().items() if v is not None)
    if kind in ("pre", "code"):
        return [{"text": plain(inner), kind: True}]
    if kind == "link":
        return [_link(inner)]
    if kind == "emoji":
        return [{"text": EMOJI.get(inner, match.group(0))}]
    if depth >= MOST_DEPTH:
        return _plain(inner)
    return [span | {kind: True} for span in spans(inner, depth + 1)]


def _link(inner: str) -> Span:
    target, _, label = inner.partition("|")
    if target.startswith("!date^"):
        return {"text": plain(label)}
    if target[:1] in "@#!":
        return {"text": plain(target[0].replace("!", "@") + (label or target[1:]))}
    span: Span = {"text": plain(label or target)}
    if target.startswith(SAFE_LINKS):
        span["href"] = plain(target)
    return span
