"""How does a calendar client read shifts? `/calendar/<token>.ics`.

The token is as good as a password: it is written to no log (common/logs.py), and what
it opens is for its holder only.
"""

from __future__ import annotations

import re

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from alertcenter.api import limits, refusals
from alertcenter.api.errors import DATABASE_AWAY
from alertcenter.common.errors import Refused
from alertcenter.common.shared_buckets import SharedBuckets
from escalation import calendar_words, feeds
from escalation.feeds import Feed
from tenants.apikeys import lookup_hash
from tenants.rls import in_tenant

METHODS = ("GET", "HEAD")
PLACE = re.compile(r"([A-Za-z0-9_-]{43})(?:\.ics)?")
TYPE = "text/calendar; charset=utf-8"
# Clients ask each quarter of an hour at most; several may share an address.
RATE, BURST = 1 / 10, 30.0
READINGS = SharedBuckets("calendar-readings", RATE, BURST)


@csrf_exempt
def show(request: HttpRequest, place: str) -> HttpResponse:
    """Answer with the calendar, or in words why not."""
    try:
        feed = opened(request, place)
    except Refused as refused:
        return closed(
            HttpResponse(
                str(refused.message),
                status=refused.status,
                content_type="text/plain; charset=utf-8",
                headers=refused.headers,
            )
        )
    tag = feed.tag
    if tag in given_tags(request):
        return closed(HttpResponse(status=304, headers={"ETag": tag}))
    response = HttpResponse(feed.text(), content_type=TYPE, headers={"ETag": tag})
    response.headers["Content-Disposition"] = 'inline; filename="on-call.ics"'
    return closed(response)


def closed(response: HttpResponse) -> HttpResponse:
    """Let nobody in between keep it, and no log name where it was asked for."""
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["X-Robots-Tag"] = "noindex"
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


def given_tags(request: HttpRequest) -> set[str]:
    """Return what the client has already; proxies make tags weak when they pack."""
    tags = request.headers.get("If-None-Match", "").split(",")
    return {tag.strip().removeprefix("W/") for tag in tags}


def opened(request: HttpRequest, place: str) -> Feed:
    """Return what the address shows. Raises Refused."""
    if request.method not in METHODS:
        raise refusals.not_allowed(str(request.method), ", ".join(METHODS))
    found = PLACE.fullmatch(place)
    if found is None:
        raise refusals.not_found()
    address = limits.address_of_request(request)
    if refused := limits.LIMITS.stranger(address):
        raise refused
    try:
        return looked_up(found[1], address, gaps=request.GET.get("gaps") == "1")
    except DATABASE_AWAY as error:
        raise refusals.away() from error


def looked_up(token: str, address: str, *, gaps: bool) -> Feed:
    ids = feeds.find(token)
    if ids is None:
        limits.LIMITS.failed(address)
        raise refusals.not_found()
    digest = lookup_hash(token)
    if wait := READINGS.wait(digest):
        raise limits.refused("reading", RATE, BURST, wait)
    READINGS.take(digest)
    with in_tenant(ids[0]):
        feed = feeds.opened(*ids)
        if feed is None:
            raise refusals.not_found()
        try:
            return feeds.show(feed, gaps=gaps)
        except feeds.TooMuch as error:
            raise Refused(422, "too_much", calendar_words.too_much()) from error
