"""What is an adapter? A pure function from what a tool sent to events.

Each file of this room that has an `ADAPTER` is one. It may trust nothing it is given:
the readers of sources/shapes.py never raise, and `event` cuts what is too long and
drops what cannot be stored, because a page too many beats a page lost.
docs/adding-a-source.md shows how one is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import isfinite
from typing import Any

from alertcenter.alerts import severity as severities
from alertcenter.alerts.events import (
    LONGEST_ANNOTATION,
    LONGEST_KEY,
    LONGEST_NAME,
    LONGEST_TITLE,
    LONGEST_VALUE,
    MOST_ANNOTATIONS,
    MOST_LABELS,
    SURROGATE,
    Event,
    clean_link,
    clean_time,
)
from alertcenter.alerts.fingerprint import digest
from alertcenter.alerts.sources.shapes import flat, text

Data = dict[str, Any]


class NotUnderstood(ValueError):
    """The payload is not of this adapter's kind; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """One request's content.

    `data` is the decoded body: a JSON object or list, the fields of a form, or
    `{"text": ...}` for plain text where the adapter takes that. `headers` have
    lower-case names and hold only those that some adapter asks for; `query` is what
    stood behind the question mark.
    """

    data: Any
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)

    def header(self, name: str) -> str:
        """Return the header with this lower-case name, or ""."""
        return self.headers.get(name, "")


@dataclass(frozen=True, slots=True)
class Adapter:
    """One kind of sender.

    `read` returns the events of a payload, none for one that says nothing worth an
    alert (a test ping, a change of no state), and raises NotUnderstood for a payload
    of another kind. `recognise` says for /in/auto whether a payload is surely of this
    kind; it looks at what no other sender has. `steps` tell a person how to set the
    sender up, `example` is a body it might send.
    """

    name: str
    title: str
    read: Callable[[Incoming], Iterable[Event]]
    recognise: Callable[[Incoming], bool]
    example: Data | list[Any] | str
    steps: Sequence[str] = ()
    docs: str = ""
    snippet: str = ""
    headers: Sequence[str] = ()
    example_headers: Mapping[str, str] = field(default_factory=dict)
    takes_text: bool = False
    takes_get: bool = False


def marked(words: str) -> str:
    """Return `words`, which the catalogues collect and a page translates."""
    return words


def as_object(incoming: Incoming) -> Data:
    """Return the payload if it is a JSON object. Raises NotUnderstood."""
    if not isinstance(incoming.data, dict):
        raise NotUnderstood("the payload is no JSON object")
    return incoming.data


def as_objects(value: Any) -> list[Data]:
    """Return the objects of a list, or the one object in a list of its own."""
    if isinstance(value, dict):
        return [value]
    return [one for one in value if isinstance(one, dict)] if is_list(value) else []


def is_list(value: Any) -> bool:
    return isinstance(value, list)


def event(
    source: str,
    *,
    title: Any,
    key: Any,
    firing: bool = True,
    severity: str | int = "",
    labels: Mapping[str, Any] | None = None,
    annotations: Mapping[str, Any] | None = None,
    link: Any = "",
    image: Any = "",
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
    ttl_seconds: int | None = None,
) -> Event:
    """Return an event that can be stored, whatever is in the values.

    `key` names the alert among those of its sender, and is the same in what fires and
    what resolves it; "" leaves it to the labels (senders of Prometheus' kind only).
    `severity` is a word or a number of alerts.severity. `labels` and `annotations` may
    hold anything; nested values become several, as `a_b`. `starts_at` is when this
    firing began, `ends_at` when it ended; None where the sender does not say.
    """
    named = clean(labels or {}, MOST_LABELS, LONGEST_VALUE)
    told = clean(annotations or {}, MOST_ANNOTATIONS, LONGEST_ANNOTATION)
    picture = clean_link(storable(text(image)))
    if picture and len(told) < MOST_ANNOTATIONS:
        told["image_url"] = picture
    starts_at, ends_at = clean_time(starts_at), clean_time(ends_at)
    if starts_at and ends_at and ends_at < starts_at:
        ends_at = None
    name = short_key(key)
    if not name and not named:
        name = one_line(title) or source
    return Event(
        labels=named,
        title=one_line(title) or named.get("alertname", "")[:LONGEST_TITLE] or source,
        severity=severity
        if isinstance(severity, int)
        else severities.parse(severity or named.get("severity")),
        source=source,
        firing=firing,
        annotations=told,
        key=name or None,
        starts_at=starts_at,
        ends_at=None if firing else ends_at,
        ttl_seconds=ttl_seconds,
        link=clean_link(storable(text(link))),
    )


def clean(values: Mapping[str, Any], most: int, longest: int) -> dict[str, str]:
    """Return at most `most` texts that are not empty, cut at `longest`."""
    kept: dict[str, str] = {}
    for name, value in values.items():
        if len(kept) >= most:
            break
        if type(value) is str:
            pairs: Iterable[tuple[str, str]] = ((name, value),)
        else:
            pairs = flat(value, str(name), most)
        for key, words in pairs:
            key, words = storable(str(key))[:LONGEST_NAME], storable(words[:longest])
            if key and words and len(kept) < most:
                kept[key] = words
    return kept


def storable(words: str) -> str:
    """Return `words` without what PostgreSQL cannot store, or a page cannot show."""
    if "\0" in words:
        words = words.replace("\0", "")
    return words if words.isascii() else SURROGATE.sub("\ufffd", words)


def storable_data(value: Any) -> Any:
    """Return what JSON may hold without what PostgreSQL's jsonb may not."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, dict):
        return {storable(str(k)): storable_data(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [storable_data(one) for one in value]
    return value


def one_line(value: Any) -> str:
    """Return a title: one line, not too long."""
    words = text(value)
    if "\n" in words or "\r" in words or "\t" in words:
        words = " ".join(words[: 2 * LONGEST_TITLE].split())
    words = storable(words.strip())
    return words if len(words) <= LONGEST_TITLE else words[: LONGEST_TITLE - 1] + "…"


def short_key(value: Any) -> str:
    """Return a key: what is too long is known by its beginning and its hash."""
    words = storable(text(value))
    if len(words) <= LONGEST_KEY:
        return words
    return words[: LONGEST_KEY - 33] + "~" + digest(words)


def joined(*parts: Any) -> str:
    """Return a key of several parts, none of which can be taken for two."""
    return "|".join(text(part).replace("|", "\\|") for part in parts)
