"""What does the app show of itself in Slack: its home, and what its links mean?

Both are drawn anew each time and change nothing, so they need no row: what Slack asks
for twice is drawn twice. The network is used with no transaction open.
https://docs.slack.dev/surfaces/app-home
https://docs.slack.dev/messaging/unfurling-links-in-messages
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import Q
from django.utils import translation
from django.utils.translation import gettext as _

from alertcenter.alerts import lifecycle
from alertcenter.alerts.models import Group
from alertcenter.api.slack_commands import Asked, about, shift
from alertcenter.api.slack_dialogs import client_of
from alertcenter.api.slack_people import Stranger, invitation, member_of
from alertcenter.api.slack_said import lines, safe, sign_of
from alertcenter.api.slack_signing import Payload, Sender, part, user_of
from escalation import oncall
from notifications import localize
from notifications.channels.base import DeliveryError
from notifications.channels.block_kit import HEADER_CHARS, mrkdwn, plain
from notifications.channels.slack_api import told_apart
from notifications.models import Delivery
from tenants.models import Member, Tenant
from tenants.rls import in_tenant

MOST_MINE = 20
MOST_PAGES = 200
SECTION_CHARS = 3_000
# https://docs.slack.dev/reference/events/link_shared
MOST_LINKS = 10
PATH = re.compile(r"/t/([a-z0-9-]{1,63})/groups/([0-9]{1,12})/?")

Json = dict[str, Any]


def show_home(sender: Sender, payload: Payload) -> None:
    """Draw the home of whoever has opened it."""
    user_id = user_of(payload)
    with in_tenant(sender.tenant_id):
        client = client_of(sender)
        view = home(sender, user_id)
    if client is None:
        return
    try:
        with told_apart():
            client.views_publish(user_id=user_id, view=view)
    except DeliveryError:
        return  # opened again, it is drawn again


def home(sender: Sender, user_id: str) -> Json:
    """Return who is on call, and what is mine."""
    tenant = Tenant.objects.get(pk=sender.tenant_id)
    member = member_of(sender.tenant_id, user_id)
    if member is None:
        with translation.override(tenant.language):
            stranger = Stranger(sender.tenant_id, user_id, "", "")
            return {"type": "home", "blocks": [section(invitation(stranger))]}
    with translation.override(member.language):
        return {"type": "home", "blocks": list(blocks(tenant, member))}


def blocks(tenant: Tenant, member: Member) -> Iterator[Json]:
    asked = Asked(tenant, member, "", 0)
    yield header(_("On call"))
    orders = oncall.everyone_on_call(tenant.pk, lifecycle.database_time())
    said = lines(shift(one, member) for one in orders)
    yield section(said or _("There is no schedule yet."))
    yield {"type": "divider"}
    yield header(_("My alerts"))
    mine = list(groups_of(member))
    yield section(
        lines(about(asked, group) for group in mine)
        or _("Nothing that you were called for is open.")
    )
    open_ones = Group.objects.filter(tenant_id=tenant.pk).exclude(state="resolved")
    count = {"n": open_ones.count(), "url": asked.url("")}
    yield section(_("%(n)s open in all: <%(url)s|dashboard>") % count)


def groups_of(member: Member) -> Any:
    """Return what is open and was given to the member, or what he was paged for."""
    pages = Delivery.objects.filter(
        tenant_id=member.tenant_id, member_id=member.pk, kind="page"
    ).exclude(group_id=None)
    recent = list(pages.order_by("-id").values_list("group_id", flat=True)[:MOST_PAGES])
    rows = Group.objects.filter(tenant_id=member.tenant_id).exclude(state="resolved")
    mine = rows.filter(Q(assignee_id=member.pk) | Q(pk__in=recent))
    return mine.order_by("-severity", "-opened_at")[:MOST_MINE]


# --- links ---


def unfurl(sender: Sender, payload: Payload) -> None:
    """Say what is behind the links to groups that a member has posted."""
    event = part(payload, "event")
    with in_tenant(sender.tenant_id):
        client = client_of(sender)
        member = member_of(sender.tenant_id, user_of(payload))
        found = member and dict(cards(sender, event, member))
    if client is None or not found:
        return
    try:
        with told_apart():
            client.chat_unfurl(unfurls=found, **place_of(event))
    except DeliveryError:
        return  # the link stays what it is


def place_of(event: Payload) -> Json:
    """Return which message it is about; one still being written has an id instead."""
    if event.get("unfurl_id") and event.get("source"):
        return {"unfurl_id": event["unfurl_id"], "source": event["source"]}
    return {"channel": event.get("channel"), "ts": event.get("message_ts")}


def cards(sender: Sender, event: Payload, member: Member) -> Iterator[tuple[str, Json]]:
    """Yield each link with what it means, for links to groups of this tenant."""
    tenant = Tenant.objects.get(pk=sender.tenant_id)
    links = event.get("links")
    for link in (links if isinstance(links, list) else [])[:MOST_LINKS]:
        url = str(link.get("url") or "") if isinstance(link, dict) else ""
        number = number_of(url, tenant.slug)
        rows = Group.objects.filter(tenant_id=tenant.pk, number=number or 0)
        if number and (group := rows.first()):
            with translation.override(tenant.language):
                yield url, {"blocks": [section(card(group, tenant.language))]}


def number_of(url: str, slug: str) -> int | None:
    """Return the number of the group that a link of ours leads to."""
    parts, ours = urlsplit(url), urlsplit(settings.BASE_URL)
    found = PATH.fullmatch(parts.path)
    same = (parts.scheme, parts.netloc) == (ours.scheme, ours.netloc)
    return int(found[2]) if found and same and found[1] == slug else None


def card(group: Group, language: str) -> str:
    """Return a group in two lines."""
    severity = localize.severity_word(group.severity, language)
    state = localize.state_word(group.state, language)
    who = f" · {safe(group.acked_by, 60)}" if group.acked_by else ""
    return (
        f"{sign_of(group)} *#{group.number} {safe(group.title)}*\n"
        f"{severity} · {state}{who} · {group.firing_count}/{group.alert_count}"
    )


def section(text: str) -> Json:
    return {"type": "section", "text": mrkdwn(text[:SECTION_CHARS])}


def header(text: str) -> Json:
    return {"type": "header", "text": plain(text, HEADER_CHARS)}
