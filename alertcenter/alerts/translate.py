"""What does a tool's payload mean? What its adapter says, or else a readable alert.

Nothing that arrives with a valid key is met with silence: a JSON object that its
adapter does not understand becomes a warning that says so and which source to choose.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from alertcenter.alerts import mapping
from alertcenter.alerts.events import Event, Parsed
from alertcenter.alerts.fingerprint import digest
from alertcenter.alerts.severity import WARNING
from alertcenter.alerts.sources import registry
from alertcenter.alerts.sources.adapter import (
    Adapter,
    Incoming,
    NotUnderstood,
    event,
    joined,
)
from alertcenter.alerts.sources.shapes import first

log = logging.getLogger(__name__)

AUTO = "auto"
MAPPED = mapping.SOURCE
# What nobody understood resolves by itself: there is no message that would.
UNKNOWN_SECONDS = 24 * 3600
LONGEST_EXCERPT = 4_000
# Of this thread: of a list that is read one by one, ten thousand items take two.
LONGEST_SECONDS = 5.0
TITLES = (
    "title", "alert_name", "alertname", "name", "summary", "subject", "message",
    "text", "event", "description", "type",
)  # fmt: skip


@dataclass(slots=True)
class Translated:
    """What a payload means: `adapter` names who read it, "" when nobody could, and
    `reason` says why not."""

    parsed: Parsed = field(default_factory=Parsed)
    adapter: str = ""
    reason: str = ""
    not_understood: int = 0


def exists(source: str) -> bool:
    """Whether `source` is a name that `translate` takes."""
    return source in (AUTO, MAPPED) or registry.find(source) is not None


def translate(
    source: str, incoming: Incoming, settings: Mapping[str, Any] | None = None
) -> Translated:
    """Return the events of what was sent to `source`: an adapter's name, "auto", or
    "json" with the mapping in `settings`."""
    translated = Translated()
    try:
        adapter, events = understood(source, incoming, settings or {})
    except NotUnderstood as error:
        if isinstance(incoming.data, list) and not isinstance(error, mapping.TooSlow):
            return one_by_one(source, incoming, settings or {})
        translated.reason = str(error)
        translated.not_understood = 1
        translated.parsed.add(0, unknown(source, incoming, str(error)))
        return translated
    translated.adapter = adapter
    for index, found in enumerate(events):
        translated.parsed.add(index, found)
    return translated


def understood(
    source: str, incoming: Incoming, settings: Mapping[str, Any]
) -> tuple[str, list[Event]]:
    """Return who read the payload, and its events. Raises NotUnderstood."""
    if source == MAPPED and settings:
        try:
            return MAPPED, mapping.compile_mapping(settings).read(incoming.data)
        except mapping.BadMapping as error:
            raise NotUnderstood(str(error)) from error
    if source in (AUTO, MAPPED):
        return recognised(incoming)
    adapter = registry.find(source)
    if adapter is None:
        raise NotUnderstood(f"there is no source {source!r}")
    return adapter.name, list(safely(adapter, incoming))


def recognised(incoming: Incoming) -> tuple[str, list[Event]]:
    """Return the first adapter that knows the payload for its own, and its events."""
    for adapter in candidates(incoming):
        try:
            return adapter.name, list(safely(adapter, incoming))
        except NotUnderstood:
            continue
    raise NotUnderstood("no source recognises it")


def candidates(incoming: Incoming) -> Iterable[Adapter]:
    """Yield the adapters that say a payload is surely theirs."""
    for adapter in registry.adapters().values():
        try:
            if adapter.recognise(incoming):
                yield adapter
        except Exception:
            log.exception("source_failed", extra={"error": adapter.name})


def safely(adapter: Adapter, incoming: Incoming) -> list[Event]:
    """Return the adapter's events. Raises NotUnderstood, and nothing else.

    An adapter's mistake must not lose an alert; it is logged, and the payload is kept.
    """
    try:
        return list(adapter.read(incoming))
    except NotUnderstood:
        raise
    except Exception as error:
        log.exception("source_failed", extra={"error": adapter.name})
        raise NotUnderstood(f"reading it failed: {type(error).__name__}") from error


def one_by_one(
    source: str, incoming: Incoming, settings: Mapping[str, Any]
) -> Translated:
    """Return the events of a list's objects, each read by itself."""
    whole = Translated()
    until = time.thread_time() + LONGEST_SECONDS
    for index, item in enumerate(incoming.data):
        if time.thread_time() > until:
            words = f"reading took too long; item {index} and what follows is not kept"
            whole.parsed.add(index, unknown(source, incoming, words))
            whole.not_understood += 1
            break
        alone = translate(
            source, Incoming(item, incoming.headers, incoming.query), settings
        )
        for found in alone.parsed.events:
            whole.parsed.add(index, found)
        whole.adapter = whole.adapter or alone.adapter
        whole.reason = whole.reason or alone.reason
        whole.not_understood += alone.not_understood
    return whole


# --- what nobody understands ---


def unknown(source: str, incoming: Incoming, reason: str) -> Event:
    """Return a readable alert about a payload that was not understood.

    Payloads of the same shape and title are one alert, so that a chatty sender fills
    no screen.
    """
    data = incoming.data
    title = first(data, *TITLES)
    shape = sorted(data) if isinstance(data, dict) else [type(data).__name__]
    return event(
        source,
        title=f"{title or 'A payload'} (not understood as {source})"[:1000],
        key=joined("not-understood", digest(repr((shape[:100], title[:200])))),
        severity=WARNING,
        labels={"alertname": "PayloadNotUnderstood", "source": source},
        annotations={
            "description": f"{source} did not understand it: {reason}. "
            + advice(incoming),
            "payload": excerpt(data),
        },
        ttl_seconds=UNKNOWN_SECONDS,
    )


def advice(incoming: Incoming) -> str:
    """Return which source to choose."""
    names = [
        f"/in/{adapter.name} ({adapter.title})" for adapter in candidates(incoming)
    ]
    if names:
        return f"It looks like {' or '.join(names[:3])}: send it there."
    return (
        "Choose the source that fits under Integrations, or write a mapping for "
        "plain JSON there; the payload is kept and can be replayed."
    )


def excerpt(data: Any) -> str:
    """Return the beginning of a payload as JSON."""
    try:
        text = msgspec.json.format(msgspec.json.encode(data)).decode()
    except (TypeError, ValueError, RecursionError, UnicodeEncodeError):
        text = repr(data)
    return text[:LONGEST_EXCERPT]
