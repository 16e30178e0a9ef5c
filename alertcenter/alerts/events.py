"""What arrived? Events as plain values, before any database."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec

from alertcenter.alerts import severity

# Limits of one event; beyond them an item is refused with a sentence.
MOST_LABELS = 64
LONGEST_NAME = 200
LONGEST_VALUE = 4_096
MOST_ANNOTATIONS = 64
LONGEST_ANNOTATION = 32_768
LONGEST_TITLE = 1_024
LONGEST_KEY = 512
LONGEST_LINK = 2_048
# Stands for half of a surrogate pair (sources.reading): a Unicode noncharacter,
# which no text may carry between programs.
HALF = "\ufdd0"
SURROGATE = re.compile(f"[\ud800-\udfff{HALF}]")


class BadBody(ValueError):
    """The body as a whole cannot be read; the message is for its sender."""


class BadItem(ValueError):
    """One item cannot be kept; the message is for its sender."""


# A dataclass of this size takes five times as long to make.
class Event(msgspec.Struct, frozen=True):
    """One thing a source said.

    `firing` None leaves it to the database's clock: resolved once `ends_at` has
    passed. `starts_at` and `ends_at` are the source's own times; a firing alert
    unseen by `ends_at`, or by `ttl_seconds` after receipt, expires. `key` names
    the alert for keyed sources; without it the labels are its identity.
    """

    labels: dict[str, str]
    title: str
    severity: int
    source: str
    firing: bool | None = None
    annotations: dict[str, str] = {}
    key: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    ttl_seconds: int | None = None
    link: str = ""


@dataclass(frozen=True, slots=True)
class ItemError:
    """Which item of a body was not kept, and why."""

    index: int
    reason: str


@dataclass(slots=True)
class Parsed:
    """What a source's parser made of a body; `indexes` gives each event's place."""

    events: list[Event] = field(default_factory=list)
    errors: list[ItemError] = field(default_factory=list)
    indexes: list[int] = field(default_factory=list)

    def add(self, index: int, event: Event) -> None:
        """Keep `event`, which stood at `index`."""
        self.events.append(event)
        self.indexes.append(index)

    def refuse(self, index: int, reason: str) -> None:
        """Note that item `index` is not kept."""
        self.errors.append(ItemError(index, reason))


def clean_time(moment: datetime | None) -> datetime | None:
    """Return `moment` in UTC; Go's zero time and earlier count as absent.

    A time without a zone is taken as UTC. PostgreSQL knows no zone further than 16
    hours from Greenwich. Raises BadItem.
    """
    if moment is None or moment.year < 1971:
        return None
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise BadItem("a time lies behind the last year") from error


def clean_link(link: str) -> str:
    """Return `link` if a browser may safely follow it, else ""."""
    if len(link) > LONGEST_LINK or "\0" in link:
        return ""
    return link if link.lower().startswith(("http://", "https://")) else ""


def check_labels(labels: dict[str, str]) -> dict[str, str]:
    """Return the labels without empty values. Raises BadItem."""
    if "" in labels.values():
        labels = {name: value for name, value in labels.items() if value != ""}
    if len(labels) > MOST_LABELS:
        raise BadItem(f"more than {MOST_LABELS} labels")
    if is_plain(labels):
        return labels
    for name, value in labels.items():
        if not name:
            raise BadItem("a label has an empty name")
        if len(name) > LONGEST_NAME:
            raise BadItem(f"a label's name is longer than {LONGEST_NAME} characters")
        if len(value) > LONGEST_VALUE:
            raise BadItem(
                f"label {name[:40]!r} is longer than {LONGEST_VALUE} characters"
            )
        check_text(name, "a label's name")
        check_text(value, "a label")
    return labels


def is_plain(texts: dict[str, str]) -> bool:
    """Whether a glance at all of them together finds nothing to object to."""
    names = "".join(texts)
    values = "".join(texts.values())
    return (
        len(names) <= LONGEST_NAME
        and len(values) <= LONGEST_VALUE
        and "" not in texts
        and names.isascii()
        and values.isascii()
        and "\0" not in names
        and "\0" not in values
    )


def check_annotations(annotations: dict[str, str]) -> dict[str, str]:
    """Return the annotations. Raises BadItem."""
    if len(annotations) > MOST_ANNOTATIONS:
        raise BadItem(f"more than {MOST_ANNOTATIONS} annotations")
    if is_plain(annotations):
        return annotations
    for name, value in annotations.items():
        if len(name) > LONGEST_NAME or len(value) > LONGEST_ANNOTATION:
            raise BadItem(f"annotation {name[:40]!r} is too long")
        check_text(name, "an annotation's name")
        check_text(value, "an annotation")
    return annotations


def check_text(text: str, what: str) -> None:
    """Raise BadItem for what PostgreSQL cannot store: NUL and lone surrogates."""
    if "\0" in text:
        raise BadItem(f"{what} contains a NUL character")
    if not text.isascii() and SURROGATE.search(text):
        raise BadItem(f"{what} contains half of a surrogate pair")


def title_of(labels: dict[str, str], annotations: dict[str, str]) -> str:
    """Return the words a person sees first: summary, else the alert's name."""
    for text in (
        annotations.get("summary"),
        annotations.get("title"),
        labels.get("alertname"),
        annotations.get("description"),
    ):
        if text:
            return text[:LONGEST_TITLE]
    if not labels:
        return "alert"
    return ", ".join(f"{k}={v}" for k, v in sorted(labels.items()))[:LONGEST_TITLE]


def severity_of(labels: dict[str, str]) -> int:
    """Return the severity that the labels name; a warning when they do not."""
    return severity.parse(labels.get("severity") or labels.get("priority"))
