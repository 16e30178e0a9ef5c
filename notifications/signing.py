"""With which secret does Slack sign what it sends about a channel?"""

from __future__ import annotations

import json

from django.conf import settings

from alertcenter.common.crypto import keyed_hash
from notifications.models import Channel
from tenants.fields import reveal


def signing_secret(channel: Channel) -> str:
    """Return the channel's own secret, else SLACK_SIGNING_SECRET, else "".

    In simulation, where nobody has to enter one, each channel has a secret that only
    this installation can compute. Needs the tenant's context.
    """
    stored = json.loads(reveal(channel, "secret") or "{}").get("signing_secret")
    if stored:
        return str(stored)
    if settings.SLACK_SIGNING_SECRET:
        return str(settings.SLACK_SIGNING_SECRET)
    if settings.SIMULATION:
        return keyed_hash(settings.SECRET_KEY.encode(), f"slack|{channel.pk}")
    return ""
