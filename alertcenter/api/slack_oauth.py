"""How does a tenant add the operator's app to its Slack? OAuth v2.

https://docs.slack.dev/authentication/installing-with-oauth. The `state` is ours, names
the tenant, works once and only in the session that began; the right to configure is
asked again at the end. The token is kept sealed, as the channel's secret.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from alertcenter.api.slack_manifest import SCOPES
from alertcenter.api.slack_signing import clean, part
from notifications.channels.base import DeliveryError
from notifications.channels.slack_api import OFFICIAL, client_at, told_apart
from notifications.models import Channel
from tenants import audit, roles
from tenants.access import Membership, membership, memberships
from tenants.fields import reveal
from tenants.rls import in_tenant

AUTHORIZE = "https://slack.com/oauth/v2/authorize"
API_URL = OFFICIAL
SALT = "slack-oauth"
IN_SESSION = "slack_oauth"
GOOD_FOR = 600
SECONDS = 8.0


@dataclass(frozen=True)
class Grant:
    """What Slack gave for the code."""

    token: str
    team_id: str
    team_name: str
    app_id: str
    bot_user_id: str
    channel: str


class Refused(Exception):
    """The app is not added; the message is for the person."""


def is_offered() -> bool:
    """Whether the operator has named the app."""
    return bool(settings.SLACK_CLIENT_ID and settings.SLACK_CLIENT_SECRET)


@never_cache
@login_required
@require_GET
def start(request: HttpRequest) -> HttpResponse:
    """Lead to Slack's question whether our app may come in."""
    who = membership(request.user.pk, request.GET.get("tenant", ""))
    who.require(roles.CONFIGURE)
    if not is_offered():
        raise Http404
    nonce = secrets.token_urlsafe(24)
    request.session[IN_SESSION] = nonce
    query = {
        "client_id": settings.SLACK_CLIENT_ID,
        "scope": ",".join(SCOPES),
        "redirect_uri": callback_url(),
        "state": signing.dumps([str(who.tenant_id), nonce], salt=SALT),
    }
    return HttpResponseRedirect(f"{AUTHORIZE}?{urlencode(query)}")


@never_cache
@login_required
@require_GET
def callback(request: HttpRequest) -> HttpResponse:
    """Take the code, fetch the token, keep it; lead to the channel's page."""
    who = begun_by(request)
    try:
        if request.GET.get("error"):
            raise Refused(_("Slack was told no; nothing has changed."))
        grant = exchanged(request.GET.get("code", ""))
    except Refused as refusal:
        messages.error(request, str(refusal))
        return HttpResponseRedirect(reverse("admin:slack"))
    with in_tenant(who.tenant_id):
        channel = keep(who, grant)
    if not channel.settings.get("channel"):
        said = _("%(team)s is connected. Name the Slack channel to post in.")
    else:
        said = _("%(team)s is connected.")
    messages.success(request, said % {"team": grant.team_name or grant.team_id})
    page = "admin:notifications_channel_change"
    return HttpResponseRedirect(reverse(page, args=[channel.pk]))


def callback_url() -> str:
    return str(settings.BASE_URL) + reverse("slack-oauth-callback")


def begun_by(request: HttpRequest) -> Membership:
    """Return who began this, in which tenant. Raises Http404, PermissionDenied.

    A state works once, and only in the browser session that it was made for.
    """
    nonce = request.session.pop(IN_SESSION, "")
    try:
        tenant_id, given = signing.loads(
            request.GET.get("state", ""), salt=SALT, max_age=GOOD_FOR
        )
        wanted = UUID(tenant_id)
    except (signing.BadSignature, ValueError, TypeError) as error:
        raise Http404 from error
    if not nonce or not secrets.compare_digest(str(given), str(nonce)):
        raise Http404
    for one in memberships(request.user.pk):
        if one.tenant_id == wanted:
            one.require(roles.CONFIGURE)
            return one
    raise Http404


def exchanged(code: str) -> Grant:
    """Return what Slack gives for the code. Raises Refused; no transaction open."""
    try:
        with told_apart():
            got = client_at(API_URL, None, SECONDS).oauth_v2_access(
                client_id=settings.SLACK_CLIENT_ID,
                client_secret=settings.SLACK_CLIENT_SECRET,
                code=code,
                redirect_uri=callback_url(),
            )
    except DeliveryError as error:
        said = _("Slack refused: %(reason)s") % {"reason": error.reason[:200]}
        raise Refused(said) from error
    data = got.data if isinstance(got.data, dict) else {}
    team, hook = part(data, "team"), part(data, "incoming_webhook")
    grant = Grant(
        token=str(data.get("access_token") or ""),
        team_id=clean(team.get("id")),
        team_name=str(team.get("name") or "")[:80],
        app_id=clean(data.get("app_id")),
        bot_user_id=clean(data.get("bot_user_id")),
        channel=str(hook.get("channel_id") or ""),
    )
    if data.get("expires_in"):
        raise Refused(_("Switch token rotation off in the app's settings at Slack."))
    if data.get("token_type") != "bot" or not grant.token or not grant.team_id:
        raise Refused(_("Slack gave no token for a workspace."))
    return grant


def keep(who: Membership, grant: Grant) -> Channel:
    """Give the token to the tenant's channels of that workspace and app, or make the
    first one; in the tenant's context."""
    rows = Channel.objects.select_for_update().filter(
        tenant_id=who.tenant_id, kind="slack", settings__team_id=grant.team_id
    )
    known = [r for r in rows if r.settings.get("app_id") in ("", None, grant.app_id)]
    for row in known or [fresh(who, grant)]:
        held = json.loads(reveal(row, "secret") or "{}")
        # What `slack_signing` takes as a proof that the workspace is this tenant's.
        proof = {"bot_token": grant.token, "team_id": grant.team_id}
        row.secret = json.dumps(held | proof)
        row.settings = row.settings | {
            "team_id": grant.team_id,
            "team_name": grant.team_name,
            "app_id": grant.app_id,
            "bot_user_id": grant.bot_user_id,
        }
        row.save()
        audit.record(
            who.tenant_id,
            who.actor,
            "channel.connected",
            kind="channel",
            object_id=row.pk,
            team=grant.team_id,
            app=grant.app_id,
        )
        kept = row
    return kept


def fresh(who: Membership, grant: Grant) -> Channel:
    """Return a new channel under a short name that is free."""
    taken = set(Channel.objects.values_list("slug", flat=True))
    slug = next(
        name
        for name in ("slack", *(f"slack-{n}" for n in range(2, 10_000)))
        if name not in taken
    )
    return Channel(
        tenant_id=who.tenant_id,
        kind="slack",
        slug=slug,
        name=grant.team_name or "Slack",
        settings={"channel": grant.channel},
    )
