"""Which URL leads where?"""

from __future__ import annotations

from importlib.util import find_spec

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from alertcenter import health
from alertcenter.api import slack

urlpatterns: list[URLPattern | URLResolver] = [
    path("livez", health.livez),
    path("readyz", health.readyz),
    path("metrics", health.metrics),
    path("i18n/", include("django.conf.urls.i18n")),
    path("slack/interactions", slack.interactions, name="slack-interactions"),
    path("slack/events", slack.events, name="slack-events"),
    path("admin/", admin.site.urls),
    path("", include("alertcenter.api.urls")),
]
if find_spec("alertcenter.dashboard.urls"):
    urlpatterns.append(path("", include("alertcenter.dashboard.urls")))
