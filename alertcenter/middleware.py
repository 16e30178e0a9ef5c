"""What happens to every page request: correlation id, strict policy, language."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils import translation

from alertcenter.common import tracing
from alertcenter.common.http import POLICY

GetResponse = Callable[[HttpRequest], HttpResponseBase]

HEADERS = {
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


class CorrelationMiddleware:
    """Give each request a correlation id and send it back."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get("X-Correlation-Id")
        with tracing.bind(tracing.accepted(given)):
            response = self.get_response(request)
            response["X-Correlation-Id"] = tracing.current()
        return response


class ContentSecurityPolicyMiddleware:
    """Send the strict policy unless a view set one of its own."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response


class MemberLanguageMiddleware:
    """Speak the language the person chose, kept in the session by the login."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        # Only a request that carries a session is worth a look at it.
        if settings.SESSION_COOKIE_NAME not in request.COOKIES:
            return self.get_response(request)
        chosen = request.session.get("language")
        if chosen not in dict(settings.LANGUAGES):
            return self.get_response(request)
        with translation.override(chosen):
            request.LANGUAGE_CODE = chosen
            response = self.get_response(request)
        response.headers.setdefault("Content-Language", chosen)
        return response


def page_context(request: HttpRequest) -> dict[str, Any]:
    """Return what every page template may use."""
    return {"simulation": settings.SIMULATION}
