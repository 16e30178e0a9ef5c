"""How do facts become words? The tenant's template, in the reader's language.

Languages are tried in order: the reader's, its base ("pt" of "pt-br"), the tenant's,
English; then our own wordings. A broken template never stops a page: then the plain
facts are said.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.utils.translation import gettext as _

from alertcenter.common.sandbox import Broken, Compiled, compile_source
from notifications import localize, telemetry
from notifications.channels.registry import channels
from notifications.default_templates import WORDINGS, Wording
from notifications.message import AlertLine, Message
from notifications.samples import sample

log = logging.getLogger(__name__)

LONGEST_VALUE = 4_000
FIELDS = ("title", "body")


@dataclass(frozen=True)
class Words:
    """A message in words; `problem` says why the template was not used."""

    title: str
    body: str
    problem: str = ""


@dataclass(frozen=True)
class Source:
    """One field of a template in one language; the key of what is compiled."""

    template: str
    revision: int
    language: str
    field: str
    text: str


def words(
    tenant_id: UUID,
    message: Message,
    *,
    channel_kind: str,
    language: str,
    fallback: str,
    time_zone: str,
) -> Words:
    """Return the message in words; needs the tenant's context.

    `fallback` is the tenant's language.
    """
    row = _row(tenant_id, message.kind, channel_kind)
    languages = list(chain(language, fallback))
    title, body = (
        _source(row, (channel_kind, message.kind), languages, field) for field in FIELDS
    )
    try:
        facts = context(message, language, time_zone)
        said = Words(_one_line(_render(title, facts)), _tidy(_render(body, facts)))
    except Broken as broken:
        log.warning("template_broken: %s", broken.reason, extra={"tenant": tenant_id})
        telemetry.TEMPLATE_FALLBACKS.labels(channel_kind).inc()
        return plain(message, language, time_zone, problem=broken.reason)
    return said if said.title else Words(_one_line(message.title), said.body)


def plain(
    message: Message, language: str, time_zone: str, *, problem: str = ""
) -> Words:
    """Return the facts without any template."""
    body = [
        f"{localize.severity_word(message.severity, language)} · "
        f"{localize.state_word(message.state, language)}",
        localize.moment(message.opened_at, language, time_zone),
        *(f"- {line.title} {line.summary}".rstrip() for line in message.alerts),
    ]
    return Words(_one_line(message.title), _tidy("\n".join(body)), problem)


def validate_template(source: str) -> str | None:
    """Return why `source` cannot be saved as a template, None when it can."""
    try:
        compiled = compile_source(source)
        for kind in ("firing", "resolved", "storm", "digest", "reminder"):
            compiled.render(context(sample(kind), "en", "UTC"))
    except Broken as broken:
        return broken.reason
    return None


def preview(
    title: str,
    body: str,
    *,
    kind: str,
    language: str,
    time_zone: str,
    message: Message | None = None,
) -> Words:
    """Return what unsaved sources would say about `message`, or about an example."""
    message = message or sample(kind)
    try:
        facts = context(message, language, time_zone)
        said = [compile_source(source).render(facts) for source in (title, body)]
    except Broken as broken:
        return plain(message, language, time_zone, problem=broken.reason)
    return Words(_one_line(said[0]), _tidy(said[1]))


# --- which source ---


def chain(language: str, fallback: str) -> Iterator[str]:
    """Yield the languages to try, each once."""
    wanted = (language, base(language), fallback, base(fallback), "en")
    yield from dict.fromkeys(code for code in wanted if code)


def base(language: str) -> str:
    return language.split("-")[0]


def _row(tenant_id: UUID, kind: str, channel_kind: str) -> dict[str, Any] | None:
    with connection.cursor() as cursor:
        cursor.execute(_texts(), [tenant_id, kind, channel_kind])
        found = cursor.fetchone()
        names = [column.name for column in cursor.description]
    return dict(zip(names, found, strict=True)) if found else None


@lru_cache(maxsize=1)
def _texts() -> str:
    """Return the query of all languages' texts: by objects it is ten times dearer."""
    columns = [
        column_of(field, language)
        for field in FIELDS
        for language in settings.CONTENT_LANGUAGES
    ]
    return (
        f"SELECT id, revision, {', '.join(columns)} FROM message_template "
        "WHERE tenant_id = %s AND kind = %s AND channel_kind = %s"
    )


def column_of(field: str, language: str) -> str:
    """Return modeltranslation's column: title_pt_br."""
    return f"{field}_{language.replace('-', '_')}"


def _source(
    row: dict[str, Any] | None,
    occasion: tuple[str, str],
    languages: Iterable[str],
    field: str,
) -> Source:
    """Return the first text in the order of `languages`; ours where there is none."""
    for language in languages:
        text = (row or {}).get(column_of(field, language)) or ""
        if row and text.strip():
            return Source(str(row["id"]), row["revision"], language, field, text)
    ours = WORDINGS.get(occasion) or _alike(occasion)
    for language in languages:
        if language in ours:
            text = ours[language][FIELDS.index(field)]
            return Source("built-in", 0, language, field, text)
    return Source("built-in", 0, "", field, "{{ title }}" if field == "title" else "")


def _alike(occasion: tuple[str, str]) -> Mapping[str, Wording]:
    """Return the wordings of the kind that speaks in the same way."""
    kind, event = occasion
    module = channels().get(kind)
    return WORDINGS.get((module.SPEC.words_like, event), {}) if module else {}


@lru_cache(maxsize=1024)
def _compiled(source: Source) -> Compiled:
    return compile_source(source.text)


def _render(source: Source, facts: dict[str, Any]) -> str:
    return _compiled(source).render(facts)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _tidy(text: str) -> str:
    """Return `text` without blanks at line ends and without runs of empty lines."""
    lines = [line.rstrip() for line in text.strip().splitlines()]
    kept = [
        line for at, line in enumerate(lines) if line or (at and lines[at - 1] != "")
    ]
    return "\n".join(kept)


# --- what a template may say ---


def context(message: Message, language: str, time_zone: str) -> dict[str, Any]:
    """Return the facts as plain values, worded for the reader."""

    def at(iso: str | None) -> str:
        return localize.moment(iso, language, time_zone)

    ended = message.resolved_at or message.changed_at
    return {
        "title": _cut(message.title),
        "tenant": message.tenant,
        "number": message.number,
        "url": message.url,
        "severity": severity(message.severity, language),
        "state": {
            "name": message.state,
            "label": localize.state_word(message.state, language),
        },
        "labels": {_cut(k): _cut(v) for k, v in message.labels.items()},
        "alerts": [_alert(line, language, time_zone) for line in message.alerts],
        "alert_count": message.alert_count,
        "firing_count": message.firing_count,
        "opened_at": at(message.opened_at),
        "changed_at": at(message.changed_at),
        "resolved_at": at(message.resolved_at),
        "snooze_until": at(message.snooze_until),
        "duration": localize.between(message.opened_at, ended, language),
        "actor": _cut(message.actor),
        "route": _cut(message.storm.route) if message.storm else "",
        "groups": message.storm.groups if message.storm else 0,
        "open_groups": message.storm.open_groups if message.storm else 0,
        "top_labels": [
            {"label": _cut(label), "groups": count}
            for label, count in (message.storm.top if message.storm else ())
        ],
        "silence": _cut(message.hush.name) if message.hush else "",
        "comment": _cut(message.hush.comment) if message.hush else "",
        "conditions": _cut(message.hush.conditions) if message.hush else "",
        "ends_at": at(message.hush.ends_at) if message.hush else "",
        "next_at": localize.clock(message.next_at, language, time_zone),
        "next_who": _cut(message.next_who),
        "service": _cut(message.service),
        "service_owner": _cut(message.service_owner),
        "runbook": _cut(message.runbook),
        "priority": message.priority,
        "note": localize.note_line(message.note, language, time_zone)
        if message.note
        else "",
    }


def severity(level: int, language: str) -> dict[str, Any]:
    return {
        "level": level,
        "label": localize.severity_word(level, language),
    }


def _alert(line: AlertLine, language: str, time_zone: str) -> dict[str, Any]:
    return {
        "title": _cut(line.title),
        "severity": severity(line.severity, language),
        "state": {
            "name": line.state,
            "label": localize.state_word(line.state, language),
        },
        "labels": {_cut(k): _cut(v) for k, v in line.labels.items()},
        "summary": _cut(line.summary),
        "description": _cut(line.description),
        "link": line.link,
        "starts_at": localize.moment(line.starts_at, language, time_zone),
    }


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"


def variables() -> list[tuple[str, str]]:
    """Return (name, what it is) of what templates may say, for the person writing."""
    return [
        ("title", _("the group's title")),
        ("number", _("the group's number")),
        ("tenant", _("the tenant's name")),
        ("url", _("the group's page")),
        ("severity.label", _("the severity in words")),
        ("severity.level", _("the severity, 1 to 5")),
        ("state.label", _("the state in words")),
        ("labels.<name>", _("a label of the group")),
        ("alerts", _("the alerts, at most ten: title, summary, labels …")),
        ("alert_count", _("how many alerts there are")),
        ("firing_count", _("how many alerts still fire")),
        ("opened_at", _("since when it fires")),
        ("resolved_at", _("when it was resolved")),
        ("duration", _("how long it has lasted")),
        ("snooze_until", _("until when it is snoozed")),
        ("actor", _("who acknowledged it")),
        ("route", _("in a storm: its route")),
        ("groups, open_groups", _("in a storm: how many groups, and how many fire")),
        ("top_labels", _("in a storm: label and groups of the most frequent ones")),
        ("silence, comment", _("of a silence that ends: its name and its reason")),
        ("conditions, ends_at", _("of a silence that ends: its conditions, its end")),
        ("next_at, next_who", _("who is told next, and when")),
        ("service, service_owner", _("the service in trouble, and who answers for it")),
        ("runbook", _("the address of the service's runbook")),
        ("priority", _("how urgent it is, 1 (most) to 5")),
    ]
