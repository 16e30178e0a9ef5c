"""What does a signed link in a message do? It asks, and acts when a person says yes.

GET and HEAD change nothing, so that a program that looks at links (mail filters, chat
previews) acknowledges nobody's alert; the page that they get has a button, and what it
posts goes through the one door, `escalation.actions`. No login is needed: the link
itself is the proof (notifications/signing.py), and a session that the browser may have
does not matter. A link does what it says once; after that it only tells.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from alertcenter.alerts.models import Group
from alertcenter.common.http import client_address
from alertcenter.common.shared_buckets import SharedBuckets
from alertcenter.dashboard.build import build_hash
from escalation import actions
from notifications import localize, signing
from notifications.holders import Holder, holder_of
from notifications.models import UsedLink
from notifications.signing import ActLink, BadLink
from tenants.models import Tenant
from tenants.rls import in_tenant

# Who guesses at links; and how often one link is pressed.
GUESSES = SharedBuckets("link-guesses", rate=1 / 3, burst=60)
PRESSES = SharedBuckets("link-presses", rate=1 / 5, burst=20)
GONE, FORBIDDEN, TOO_MANY = 410, 403, 429


@dataclass(frozen=True)
class Told:
    """What the page says: a state that has its own words, and perhaps a button."""

    state: str  # ask | done | used | already | resolved | expired | refused
    words: str
    status: int = 200


@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def act(request: HttpRequest, token: str) -> HttpResponse:
    """Offer what the link says, or do it. Raises Http404."""
    try:
        link = signing.read_act(token)
    except BadLink as error:
        return guessed(request, error)
    if wait := PRESSES.wait(token):
        return too_many(wait)
    if request.method == "POST":
        PRESSES.take(token)
    with in_tenant(link.tenant_id):
        return answer(request, link, token)


def answer(request: HttpRequest, link: ActLink, token: str) -> HttpResponse:
    """Return the page; in the link's tenant, and in its transaction."""
    if not Tenant.objects.filter(pk=link.tenant_id).exists():
        raise Http404
    holder = holder_of(link)
    language = holder.language if holder else translation.get_language() or "en"
    with translation.override(localize.interface_language(language)):
        group = group_of(link)
        if group is None:
            raise Http404
        used = used_link(link, token)
        told = verdict(link, holder, group, used)
        if told.state == "ask" and request.method == "POST" and holder is not None:
            told = perform(link, holder, group, token)
        return show(request, link, holder, group, told)


def group_of(link: ActLink) -> Group | None:
    rows = Group.objects.filter(tenant_id=link.tenant_id, pk=link.group_id)
    return rows.select_related("service").first()


def used_link(link: ActLink, token: str) -> UsedLink | None:
    rows = UsedLink.objects.filter(tenant_id=link.tenant_id, digest=digest_of(token))
    return rows.first()


def digest_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def verdict(
    link: ActLink, holder: Holder | None, group: Group, used: UsedLink | None
) -> Told:
    """Return what is to be said before anything is done; "ask" offers the button."""
    if holder is None:
        words = _("This link no longer acts: who got it may not do this any more.")
        return Told("refused", words, FORBIDDEN)
    if used is not None:
        at = localize.moment(used.at.isoformat(), holder.language, holder.time_zone)
        words = _("This link was used on %(when)s. Nothing has changed now.")
        return Told("used", words % {"when": at})
    if group.state == "resolved":
        return Told("resolved", _("This is resolved already. Nothing has changed."))
    if already(link.act, group):
        return Told("already", already_words(group))
    if link.expired:
        words = _("This link has expired. Please act on the group's own page.")
        return Told("expired", words, GONE)
    return Told("ask", "")


def already(name: str, group: Group) -> bool:
    wanted = {"acknowledge": "acknowledged", "unacknowledge": "firing"}
    return wanted.get(name) == group.state


def already_words(group: Group) -> str:
    if group.state == "acknowledged" and group.acked_by:
        words = _("%(who)s has acknowledged this already. Nothing has changed.")
        return words % {"who": group.acked_by}
    return _("This is so already. Nothing has changed.")


USE = """
INSERT INTO used_link (tenant_id, digest, group_id, act, actor_label)
VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (tenant_id, digest) DO NOTHING RETURNING id
"""


def perform(link: ActLink, holder: Holder, group: Group, token: str) -> Told:
    """Act, and write down that the link was used; both or nothing.

    Of two presses at once the second waits at the unique key and finds it used.
    """
    digest = digest_of(token)
    row: list[Any] = [
        link.tenant_id,
        digest,
        group.pk,
        link.act,
        holder.actor.label[:200],
    ]
    with connection.cursor() as cursor:
        cursor.execute(USE, row)
        first = cursor.fetchone() is not None
    if not first:
        return verdict(link, holder, group, used_link(link, token))
    extra: dict[str, Any] = {}
    if link.act == "snooze":
        extra["seconds"] = signing.SNOOZE_SECONDS
    (outcome,) = actions.DO[link.act](
        link.tenant_id, [group.pk], actor=holder.actor, **extra
    )
    group.refresh_from_db()
    if outcome.done:
        return Told("done", _("Done."))
    # Somebody else was faster; the link did nothing and is not used up.
    UsedLink.objects.filter(tenant_id=link.tenant_id, digest=digest).delete()
    return verdict(link, holder, group, None)


# --- answers ---


def show(
    request: HttpRequest,
    link: ActLink,
    holder: Holder | None,
    group: Group,
    told: Told,
) -> HttpResponse:
    """Return the page. Who may not act sees no more than that."""
    tenant = Tenant.objects.get(pk=link.tenant_id)
    language = holder.language if holder else tenant.language
    context = {
        "told": told,
        "holder": holder,
        "group": group if holder else None,
        "tenant": tenant,
        "act": link.act,
        "label": localize.action_label(link.act, language),
        "severity": localize.severity_word(group.severity, language),
        "state": localize.state_word(group.state, language),
        "url": f"{settings.BASE_URL}/t/{tenant.slug}/groups/{group.number}",
    }
    return signed_page(request, "dashboard/signed.html", context, told.status)


def signed_page(
    request: HttpRequest, template: str, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    """Render a page whose address is a secret: nobody is told it, nothing keeps it."""
    page = render(request, template, context | {"build": build_hash()}, status=status)
    page.headers["Referrer-Policy"] = "no-referrer"
    page.headers["X-Robots-Tag"] = "noindex, nofollow"
    return page


def guessed(request: HttpRequest, error: BadLink) -> HttpResponse:
    """Answer for a link that nobody here made. Raises Http404."""
    address = client_address(
        request.META.get("REMOTE_ADDR", ""),
        [request.META.get("HTTP_X_FORWARDED_FOR", "")],
        settings.TRUSTED_PROXIES,
    )
    if wait := GUESSES.wait(address):
        return too_many(wait)
    GUESSES.take(address)
    raise Http404 from error


def too_many(wait: float) -> HttpResponse:
    words = _("Too many requests. Please wait a moment.")
    answered = HttpResponse(words, status=TOO_MANY, content_type="text/plain")
    answered.headers["Retry-After"] = str(int(wait) + 1)
    return answered
