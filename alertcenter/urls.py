"""Which URL leads where? Events come in before this, by `alertcenter.asgi`."""

from __future__ import annotations

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from alertcenter import health
from alertcenter.api import slack, slack_connect, slack_oauth, twilio

urlpatterns: list[URLPattern | URLResolver] = [
    path("livez", health.livez),
    path("readyz", health.readyz),
    path("metrics", health.metrics),
    path("i18n/", include("django.conf.urls.i18n")),
    path("slack/interactions", slack.interactions, name="slack-interactions"),
    path("slack/commands", slack.commands, name="slack-commands"),
    path("slack/events", slack.events, name="slack-events"),
    path("slack/oauth/start", slack_oauth.start, name="slack-oauth-start"),
    path("slack/oauth/callback", slack_oauth.callback, name="slack-oauth-callback"),
    path("slack/connect/<str:ticket>", slack_connect.connect, name="slack-connect"),
    path("twilio/status/<str:token>", twilio.status, name="twilio-status"),
    path("twilio/sms/<str:token>", twilio.sms, name="twilio-sms"),
    path("twilio/voice/<str:token>", twilio.voice, name="twilio-voice"),
    path("admin/", admin.site.urls),
    path("", include("alertcenter.api.urls")),
    path("", include("alertcenter.dashboard.urls")),
]
