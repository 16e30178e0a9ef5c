"""Which page of the dashboard and the simulation has which address?"""

from __future__ import annotations

from django.contrib.auth.views import LogoutView
from django.urls import path

from alertcenter.dashboard import (
    mailing,
    me,
    on_call,
    push,
    signed,
    silence_views,
    views,
)
from alertcenter.dashboard.simulation import slack_server
from alertcenter.dashboard.simulation import views as simulation

urlpatterns = [
    path("", views.home, name="home"),
    path("login/", views.Login.as_view(), name="login"),
    path("logout/", LogoutView.as_view(next_page="/"), name="logout"),
    path("language/", views.language, name="language"),
    path("switch/", views.switch, name="switch"),
    path("t/<slug:slug>/", views.dashboard, name="dashboard"),
    path("t/<slug:slug>/groups/<int:number>", views.group, name="group"),
    path("t/<slug:slug>/groups/<int:number>/why", views.why, name="why"),
    path("t/<slug:slug>/silences", silence_views.silences, name="silences"),
    path(
        "t/<slug:slug>/silences/proposal",
        silence_views.proposal,
        name="silence-proposal",
    ),
    path(
        "t/<slug:slug>/silences/preview", silence_views.preview, name="silence-preview"
    ),
    path("t/<slug:slug>/silences/new", silence_views.create, name="silence-new"),
    path(
        "t/<slug:slug>/silences/<uuid:pk>/expire",
        silence_views.expire,
        name="silence-expire",
    ),
    path(
        "t/<slug:slug>/silences/<uuid:pk>/extend",
        silence_views.extend,
        name="silence-extend",
    ),
    path("t/<slug:slug>/explain", views.explain, name="explain"),
    path("t/<slug:slug>/more/", views.more, name="more"),
    path("t/<slug:slug>/pulse/", views.pulse, name="pulse"),
    path("t/<slug:slug>/act/", views.act, name="act"),
    path("t/<slug:slug>/first-key/", views.first_key, name="first-key"),
    path("t/<slug:slug>/push/", push.subscription, name="push"),
    # --- a member's own page ---
    path("t/<slug:slug>/me/", me.show, name="me"),
    path("t/<slug:slug>/me/swaps/", me.ask, name="my-swap"),
    path(
        "t/<slug:slug>/me/swaps/<uuid:swap>/<slug:action>/",
        me.answer,
        name="my-swap-answer",
    ),
    path("t/<slug:slug>/me/absences/", me.add_absence, name="my-absence"),
    path(
        "t/<slug:slug>/me/absences/<uuid:absence>/remove/",
        me.remove_absence,
        name="my-absence-remove",
    ),
    path("t/<slug:slug>/me/hours/", me.set_hours, name="my-hours"),
    path("me/", me.lead, name="my-page"),
    path("push-worker.js", push.worker, name="push-worker"),
    # --- links in messages ---
    path("a/<str:token>", signed.act, name="signed-act"),
    path("u/<str:token>", mailing.subscription, name="mail-subscription"),
    path("o/<str:token>.gif", mailing.opened, name="mail-opened"),
    path("on-call/<str:token>", on_call.show, name="on-call"),
    # --- the simulation ---
    path("outbox/", simulation.outbox, name="outbox"),
    path("outbox/messages/", simulation.messages, name="outbox-messages"),
    path("outbox/mail/<int:number>/", simulation.mail, name="outbox-mail"),
    path("outbox/press/", simulation.press_button, name="outbox-press"),
    path("outbox/phone/", simulation.answer_phone, name="outbox-phone"),
    path("outbox/form/<int:number>/", simulation.form, name="outbox-form"),
    path("outbox/storm/", simulation.storm, name="storm"),
    path("outbox/storm/start/", simulation.start_storm, name="storm-start"),
    path("outbox/storm/stop/", simulation.stop_storm, name="storm-stop"),
    path("outbox/slack/<uuid:tenant>/api/<str:method>", slack_server.api),
    path("outbox/slack/<uuid:tenant>/response/<str:ticket>", slack_server.response_url),
]
