"""Where is the API described? The OpenAPI document, and a page that shows it.

Both are for everybody and say nothing of any tenant; the page's scripts and
styles are our own files.
"""

from __future__ import annotations

from typing import Any

from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.request import Request
from rest_framework.response import Response

from alertcenter.api.base import DOCUMENTED_POLICY


class DocumentView(SpectacularAPIView):
    """The OpenAPI document."""


class SwaggerView(SpectacularSwaggerSplitView):
    """Swagger UI, which styles its elements in place."""

    url_name = "api:schema"

    def finalize_response(
        self, request: Request, response: Any, *args: Any, **kwargs: Any
    ) -> Response:
        finished = super().finalize_response(request, response, *args, **kwargs)
        finished.headers["Content-Security-Policy"] = DOCUMENTED_POLICY
        return finished
