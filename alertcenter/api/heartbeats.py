"""How do jobs say that they are alive? `/h/<token>`, as on healthchecks.io.

https://healthchecks.io/docs/http_api/ - success at the address itself; `/start`,
`/fail`, `/log` and `/<exit code>` behind it; GET, HEAD and POST, whose body is kept.
The token is as good as a password: it is written to no log (common/logs.py).
"""

from __future__ import annotations

import logging
import re
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from alertcenter.alerts import heartbeats
from alertcenter.alerts.heartbeats import Overtaken, Ping
from alertcenter.alerts.models.heartbeat import LONGEST_BODY, PingKind
from alertcenter.api import limits, refusals, telemetry
from alertcenter.api.errors import DATABASE_AWAY
from alertcenter.common.buckets import MOST_BUCKETS
from alertcenter.common.errors import Refused
from tenants.apikeys import lookup_hash

log = logging.getLogger(__name__)

NAME = "heartbeat"
METHODS = ("GET", "HEAD", "POST")
PLACE = re.compile(r"([0-9a-f]{32})(?:/([a-z]+|\d{1,3}))?/?")
KINDS = {
    None: PingKind.SUCCESS,
    "start": PingKind.START,
    "fail": PingKind.FAIL,
    "log": PingKind.LOG,
}
MOST_EXIT = 255

# Whose token was right once: a neighbour's wrong guesses are not held against them.
_known: set[str] = set()


@csrf_exempt
def ping(request: HttpRequest, place: str) -> HttpResponse:
    """Answer one ping in words."""
    try:
        take(request, place)
        response = plain("OK", 200)
    except Refused as refused:
        response = plain(str(refused.message), refused.status, refused.headers)
    telemetry.requests(NAME, response.status_code).inc()
    return response


def plain(
    words: str, status: int, headers: dict[str, str] | None = None
) -> HttpResponse:
    response = HttpResponse(
        words, status=status, content_type="text/plain; charset=utf-8", headers=headers
    )
    response.headers["Cache-Control"] = "no-store"
    # Django would log the path of a refusal, and with it the token.
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


def take(request: HttpRequest, place: str) -> None:
    """Commit the ping. Raises Refused."""
    if request.method not in METHODS:
        raise refusals.not_allowed(str(request.method), ", ".join(METHODS))
    token, said = understood(request, place)
    try:
        tenant_id, heartbeat_id = opened(token, limits.address_of_request(request))
        if refused := limits.LIMITS.ping(heartbeat_id):
            raise refused
        if not heartbeats.ping(tenant_id, heartbeat_id, said):
            raise refusals.not_found()
    except (*DATABASE_AWAY, Overtaken) as error:
        raise refusals.away() from error
    except Refused:
        raise
    except Exception as error:
        # Django's own report would name the path.
        log.exception("ping_failed")
        raise Refused(500, "failed", "Something went wrong here.") from error


def understood(request: HttpRequest, place: str) -> tuple[str, Ping]:
    """Return the token and what is said of it. Raises Refused."""
    found = PLACE.fullmatch(place)
    if found is None:
        raise refusals.not_found()
    token, word = found.groups()
    body = heartbeats.excerpt(body_of(request))
    if word is not None and word.isdigit():
        if int(word) > MOST_EXIT:
            raise refusals.not_found()
        return token, Ping(PingKind.EXIT, int(word), body)
    if word not in KINDS:
        raise refusals.not_found()
    return token, Ping(KINDS[word], None, body)


def body_of(request: HttpRequest) -> bytes:
    """Return the beginning of what was sent; nothing if the sender hung up meanwhile.

    Not `request.body`, which refuses what is longer than a form.
    """
    try:
        return request.read(LONGEST_BODY)
    except OSError:
        return b""


def opened(token: str, address: str) -> tuple[UUID, UUID]:
    """Return the tenant and the heartbeat of this token. Raises Refused."""
    digest = lookup_hash(token)
    if digest not in _known and (refused := limits.LIMITS.stranger(address)):
        raise refused
    found = heartbeats.find(token)
    if found is None:
        _known.discard(digest)
        limits.LIMITS.failed(address)
        raise refusals.not_found()
    if len(_known) >= MOST_BUCKETS:
        _known.clear()
    _known.add(digest)
    return found
