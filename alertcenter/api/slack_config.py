"""How is a tenant's Slack written down in one YAML text, and made so?

    slack_config:
      default_channel: "#alerts"
      escalation_channel: "#incidents"
      fallback_channel: "#alerts-lost"
      rate_limit: 1
      languages: {"#alerts": de}
      routes:
        - severity: [critical, error]
          environment: [production]
          channel: "#prod-alerts"

It becomes the channels slack-default, slack-escalation and slack-fallback, which routes
and policies then name. `routes` choose, inside slack-default, the place in Slack: the
first that fits. Applied twice, it changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import yaml
from django.utils.translation import gettext as _

from alertcenter.alerts import severity
from notifications.channels.slack import MOST_PLACES
from notifications.models import Channel
from tenants import audit
from tenants.actors import Actor
from tenants.fields import reveal
from tenants.models.tenant import content_languages

LONGEST = 20_000
LONGEST_NAME = 100
FASTEST = 1.0  # https://docs.slack.dev/apis/web-api/rate-limits: one a second a channel
NAMES = {
    "default_channel": "slack-default",
    "escalation_channel": "slack-escalation",
    "fallback_channel": "slack-fallback",
}
KEYS = {*NAMES, "rate_limit", "languages", "routes"}
ROUTE_KEYS = {"severity", "environment", "channel"}

Json = dict[str, Any]


class ConfigError(ValueError):
    """A text that is not taken. `path` says where, `words` why."""

    def __init__(self, path: str, words: str) -> None:
        super().__init__(words)
        self.path = path
        self.words = words


@dataclass(frozen=True)
class Config:
    """What a text asks for: Slack channels by their role, and what holds for them."""

    channels: Mapping[str, str]  # default_channel -> "#alerts"
    rate_limit: float = FASTEST
    languages: Mapping[str, str] = field(default_factory=dict)
    places: list[Json] = field(default_factory=list)


def read(text: str) -> Config:
    """Return what the text asks for. Raises ConfigError."""
    if len(text) > LONGEST:
        raise ConfigError("", _("This text is too long."))
    try:
        found = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ConfigError("", _("This is no YAML.")) from error
    given = mapping("", found).get("slack_config", found)
    given = mapping("slack_config", given)
    known("slack_config", given, KEYS)
    channels = {name: a_channel(name, given[name]) for name in NAMES if name in given}
    if "default_channel" not in channels:
        raise ConfigError("default_channel", _("Name the channel."))
    return Config(
        channels,
        rate(given.get("rate_limit", FASTEST)),
        languages(given.get("languages") or {}, set(channels.values())),
        [place(f"routes[{n}]", one) for n, one in enumerate(routes(given))],
    )


def apply(tenant_id: UUID, config: Config, *, actor: Actor) -> list[Channel]:
    """Make the channels so; return them. Raises ConfigError.

    In the tenant's context and a transaction; whoever calls has asked for permission.
    """
    rows = Channel.objects.select_for_update().filter(
        tenant_id=tenant_id, kind="slack", active=True
    )
    base = rows.exclude(secret=None).order_by("created_at", "id").first()
    if base is None:
        raise ConfigError("", _("Connect Slack first: no channel holds a token."))
    made: dict[str, Channel] = {}
    for role in ("fallback_channel", "default_channel", "escalation_channel"):
        if role not in config.channels:
            continue
        instead = "fallback_channel" if role == "default_channel" else "default_channel"
        fallback = made.get(instead) if role != "fallback_channel" else None
        made[role] = write(tenant_id, config, role, base, fallback, actor)
    return list(made.values())


def write(
    tenant_id: UUID,
    config: Config,
    role: str,
    base: Channel,
    fallback: Channel | None,
    actor: Actor,
) -> Channel:
    """Write one channel; it speaks with the token of `base` unless it has its own."""
    slug, name = NAMES[role], config.channels[role]
    known_row = Channel.objects.filter(tenant_id=tenant_id, slug=slug).first()
    if known_row is not None and known_row.kind != "slack":
        raise ConfigError(
            role, _("A channel of another kind is called %(name)s.") % {"name": slug}
        )
    row = known_row or Channel(tenant_id=tenant_id, slug=slug, kind="slack")
    before = (row.name, row.settings, row.language, row.fallback_id, row.active)
    shared = {k: v for k, v in base.settings.items() if k not in ("usergroups",)}
    row.settings = shared | row.settings | {"channel": name}
    row.settings["rate_limit"] = config.rate_limit
    row.settings["places"] = config.places if role == "default_channel" else []
    row.name, row.active = name, True
    row.fallback = fallback or row.fallback
    row.language = config.languages.get(name, row.language)
    after = (row.name, row.settings, row.language, row.fallback_id, row.active)
    if known_row is not None and before == after:
        return row
    if not row.secret:
        row.secret = reveal(base, "secret")
    row.save()
    audit.record(
        tenant_id,
        actor,
        "channel.configured",
        kind="channel",
        object_id=row.pk,
        slug=slug,
        place=name,
    )
    return row


def written(tenant_id: UUID) -> str:
    """Return the text that stands for the channels as they are; "" for none."""
    rows = Channel.objects.filter(tenant_id=tenant_id, slug__in=NAMES.values())
    by_slug = {row.slug: row for row in rows if row.kind == "slack"}
    found: Json = {
        role: str(by_slug[slug].settings.get("channel") or "")
        for role, slug in NAMES.items()
        if slug in by_slug
    }
    default = by_slug.get(NAMES["default_channel"])
    if default is None:
        return ""
    found["rate_limit"] = default.settings.get("rate_limit", FASTEST)
    spoken = {
        str(row.settings.get("channel")): row.language
        for row in by_slug.values()
        if row.language
    }
    if spoken:
        found["languages"] = spoken
    if places := default.settings.get("places"):
        found["routes"] = [spelled(one) for one in places]
    return yaml.safe_dump({"slack_config": found}, sort_keys=False, allow_unicode=True)


def spelled(one: Mapping[str, Any]) -> Json:
    words = [severity.NAMES[level] for level in one.get("severity") or []]
    found: Json = {"severity": words} if words else {}
    if one.get("environment"):
        found["environment"] = one["environment"]
    return found | {"channel": one["channel"]}


# --- one value each ---


def mapping(path: str, value: Any) -> Json:
    if not isinstance(value, dict):
        raise ConfigError(path, _("Names with values are expected here."))
    return value


def known(path: str, given: Mapping[Any, Any], names: set[str]) -> None:
    for name in given:
        if name not in names:
            words = _("This is not known; there are: %(names)s.") % {
                "names": ", ".join(sorted(names))
            }
            raise ConfigError(f"{path}.{str(name)[:50]}", words)


def a_channel(path: str, value: Any) -> str:
    if not isinstance(value, str) or not 1 < len(value.strip()) <= LONGEST_NAME:
        words = _("A channel is written like “#alerts”, in quotes, or by its id.")
        raise ConfigError(path, words)
    return value.strip()


def rate(value: Any) -> float:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0 < value <= FASTEST:
        words = _("Messages a second: more than 0, and 1 at most, as Slack wants it.")
        raise ConfigError("rate_limit", words)
    return float(value)


def languages(given: Any, channels: set[str]) -> dict[str, str]:
    offered = {code for code, _name in content_languages()}
    found = {}
    for name, code in mapping("languages", given).items():
        path = f"languages.{str(name)[:50]}"
        if name not in channels:
            words = _("Only the default, escalation and fallback channels have one.")
            raise ConfigError(path, words)
        if code not in offered:
            raise ConfigError(path, _("Nothing is written in this language."))
        found[str(name)] = str(code)
    return found


def routes(given: Mapping[str, Any]) -> list[Any]:
    found = given.get("routes") or []
    if not isinstance(found, list) or len(found) > MOST_PLACES:
        words = _("A list is expected here, of %(n)s at most.") % {"n": MOST_PLACES}
        raise ConfigError("routes", words)
    return found


def place(path: str, value: Any) -> Json:
    """Return one route as it is stored: levels are numbers, what is empty fits all."""
    given = mapping(path, value)
    known(path, given, ROUTE_KEYS)
    levels = [level(path, one) for one in texts(f"{path}.severity", given, "severity")]
    return {
        "severity": levels,
        "environment": texts(f"{path}.environment", given, "environment"),
        "channel": a_channel(f"{path}.channel", given.get("channel")),
    }


def texts(path: str, given: Mapping[str, Any], name: str) -> list[str]:
    value = given.get(name) or []
    found = [value] if isinstance(value, str) else value
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise ConfigError(path, _("A word or a list of words is expected here."))
    return found[:MOST_PLACES]


def level(path: str, word: str) -> int:
    found = severity.WORDS.get(word.casefold())
    if found is None:
        words = _("There is no severity “%(word)s”.") % {"word": word[:40]}
        raise ConfigError(f"{path}.severity", words)
    return int(found)
