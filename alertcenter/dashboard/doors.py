"""Who sits behind this socket or request, and may they still?"""

from __future__ import annotations

from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import get_user
from django.http import Http404, HttpRequest

from tenants.access import Membership, membership


def standing(session_key: str | None, slug: str) -> Membership | None:
    """Return the session's place in tenant `slug`, or None.

    Asks the session store and the database anew each time, so that a log-out, a
    changed password or a lost membership is seen. None says the same for a
    tenant that does not exist and for one of other people.
    """
    if not session_key:
        return None
    request = HttpRequest()
    engine: Any = import_module(settings.SESSION_ENGINE)
    request.session = engine.SessionStore(session_key)
    user = get_user(request)
    if not user.is_authenticated:
        return None
    try:
        return membership(user.pk, slug)
    except Http404:
        return None


def same_origin(scope: dict[str, Any]) -> bool:
    """Whether the page that opens the socket came from us.

    Browsers always send Origin; a proxy may rewrite Host, so the configured
    address counts as ours too.
    """
    headers = dict(scope.get("headers", []))
    origin = urlsplit(headers.get(b"origin", b"").decode("latin-1"))
    ours = {
        headers.get(b"host", b"").decode("latin-1"),
        urlsplit(settings.BASE_URL).netloc,
    }
    return bool(origin.netloc) and origin.netloc in ours
