"""Which alertmanager.yml is a tenant's set-up, secrets hidden?"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings

from alertcenter.alerts import routing
from alertcenter.alerts.am_config import Integration, Told, text_of
from alertcenter.alerts.matchers import MatcherError, parse
from alertcenter.alerts.models import InhibitRule, Route, RouteChannel, TimeInterval
from escalation.models import Policy
from notifications.models import Channel

# What Alertmanager shows in the place of a secret, and takes back again.
HIDDEN = "<secret>"
# Up to 0.25 a webhook's address was no secret there, and had to be one.
HIDDEN_URL = "http://<secret>/"
# Mails leave by this installation's server, which is no tenant's business.
SMARTHOST = "localhost:25"


def config_text(tenant_id: UUID) -> str:
    """Return the configuration as YAML (needs the tenant's context)."""
    own = {"tenant_id": tenant_id}
    channels = Channel.objects.filter(**own, active=True)
    told = Told(
        rows={row.pk: row for row in Route.objects.filter(**own, active=True)},
        intervals=list(TimeInterval.objects.filter(**own)),
        inhibitions=[
            rule
            for rule in InhibitRule.objects.filter(**own, active=True)
            if _readable(rule)
        ],
        integrations={
            channel.pk: found
            for channel in channels
            if (found := integration_of(channel))
        },
        with_channels=set(
            RouteChannel.objects.filter(**own, channel__active=True).values_list(
                "route_id", flat=True
            )
        ),
        policies=dict(Policy.objects.filter(**own).values_list("id", "name")),
    )
    return text_of(routing.load(tenant_id), told)


def integration_of(channel: Channel) -> Integration | None:
    """Return what a channel is in the words of a receiver; None if it has none."""
    words = WORDS.get(channel.kind)
    said = words(channel) if words else {}
    return Integration(f"{channel.kind}_configs", said) if said else None


def _slack(channel: Channel) -> dict[str, Any]:
    place = str(channel.settings.get("channel") or "")
    return {"send_resolved": _resolves(channel), "api_url": HIDDEN, "channel": place}


def _email(channel: Channel) -> dict[str, Any]:
    """Nothing for a channel that only carries members' own mail."""
    addresses = channel.settings.get("to")
    if not addresses:
        return {}
    return {
        "send_resolved": _resolves(channel),
        "to": ", ".join(map(str, addresses)),
        "from": settings.DEFAULT_FROM_EMAIL,
        "smarthost": SMARTHOST,
    }


def _webhook(channel: Channel) -> dict[str, Any]:
    return {"send_resolved": _resolves(channel), "url": HIDDEN_URL}


def _pagerduty(channel: Channel) -> dict[str, Any]:
    said = {"send_resolved": _resolves(channel), "routing_key": HIDDEN}
    region = str(channel.settings.get("region"))
    if region in PAGERDUTY and not channel.settings.get("api_url"):
        said["url"] = PAGERDUTY[region]
    return said


def _opsgenie(channel: Channel) -> dict[str, Any]:
    given = channel.settings
    said: dict[str, Any] = {"send_resolved": _resolves(channel), "api_key": HIDDEN}
    if str(given.get("region")) in OPSGENIE and not given.get("api_url"):
        said["api_url"] = OPSGENIE[str(given["region"])]
    if given.get("tags"):
        said["tags"] = ", ".join(map(str, given["tags"]))
    if given.get("teams"):
        said["responders"] = [{"name": str(n), "type": "team"} for n in given["teams"]]
    return said


def _telegram(channel: Channel) -> dict[str, Any]:
    """Nothing for a chat that is named: Alertmanager takes a number."""
    chat = str(channel.settings.get("chat_id") or "")
    if not chat.lstrip("-").isdigit():
        return {}
    said = {"send_resolved": _resolves(channel), "bot_token": HIDDEN}
    return said | {"chat_id": int(chat)}


def _discord(channel: Channel) -> dict[str, Any]:
    return {"send_resolved": _resolves(channel), "webhook_url": HIDDEN_URL}


# Other regions than the usual one.
PAGERDUTY = {"eu": "https://events.eu.pagerduty.com/v2/enqueue"}
OPSGENIE = {
    "eu": "https://api.eu.opsgenie.com/",
    "jsm": "https://api.atlassian.com/jsm/ops/integration/",
}
# What Alertmanager 0.25 has a section for: Teams' Workflows came with 0.28.
WORDS = {
    "slack": _slack,
    "email": _email,
    "webhook": _webhook,
    "pagerduty": _pagerduty,
    "opsgenie": _opsgenie,
    "telegram": _telegram,
    "discord": _discord,
}


def _resolves(channel: Channel) -> bool:
    return channel.settings.get("send_resolved") is not False


def _readable(rule: InhibitRule) -> bool:
    """Whether its conditions can be read: one that cannot is not in force either."""
    try:
        for text in (*rule.source_matchers, *rule.target_matchers):
            parse(str(text))
    except MatcherError:
        return False
    return True
