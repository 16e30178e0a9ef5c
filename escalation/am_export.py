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


WORDS = {
    "slack": _slack,
    "email": _email,
    "webhook": _webhook,
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
