"""Which URL of the documented API leads where?"""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path, re_path

from alertcenter.api import alertmanager_more as more
from alertcenter.api import alertmanager_silences as am_silences
from alertcenter.api import (
    calendar,
    calendar_feeds,
    heartbeats,
    pagerduty,
    personal,
    policies,
    schedule_urls,
    service_levels,
    servicenow,
    services,
    silences,
    teams,
    victorops,
)
from alertcenter.api import heartbeat_settings as beats
from alertcenter.api.alertmanager import AlertmanagerAlertsView
from alertcenter.api.alerts import AlertsView
from alertcenter.api.deliveries import DeliveriesView, DeliveryView
from alertcenter.api.docs import DocumentView, SwaggerView
from alertcenter.api.explain import (
    AlertExplainView,
    ExplainView,
    GroupExplainView,
)
from alertcenter.api.groups import ActsView, GroupsView, GroupView

app_name = "api"
V1 = "t/<str:slug>/api/v1"

urlpatterns: list[URLPattern | URLResolver] = [
    path(f"{V1}/alerts", AlertsView.as_view(), name="alerts"),
    path(f"{V1}/groups", GroupsView.as_view(), name="groups"),
    path(f"{V1}/groups/<int:number>", GroupView.as_view(), name="group"),
    path(
        f"{V1}/groups/<int:number>/explain",
        GroupExplainView.as_view(),
        name="group-explain",
    ),
    path(
        f"{V1}/alerts/<uuid:pk>/explain",
        AlertExplainView.as_view(),
        name="alert-explain",
    ),
    path(f"{V1}/explain", ExplainView.as_view(), name="explain"),
    path(f"{V1}/acts", ActsView.as_view(), name="acts"),
    path(f"{V1}/deliveries", DeliveriesView.as_view(), name="deliveries"),
    path(f"{V1}/deliveries/<uuid:pk>", DeliveryView.as_view(), name="delivery"),
    path(f"{V1}/heartbeats", beats.HeartbeatsView.as_view(), name="heartbeats"),
    path(f"{V1}/heartbeats/<uuid:pk>", beats.HeartbeatView.as_view(), name="heartbeat"),
    path(
        f"{V1}/heartbeats/<uuid:pk>/address",
        beats.AddressView.as_view(),
        name="heartbeat-address",
    ),
    path(
        f"{V1}/me/notifications",
        personal.MyNotificationsView.as_view(),
        name="my-notifications",
    ),
    path(
        f"{V1}/members/<uuid:pk>/notifications",
        personal.MemberNotificationsView.as_view(),
        name="member-notifications",
    ),
    *schedule_urls.routes(V1),
    path(f"{V1}/policies", policies.PoliciesView.as_view(), name="policies"),
    path(f"{V1}/policies/<uuid:pk>", policies.PolicyView.as_view(), name="policy"),
    path(
        f"{V1}/policies/<uuid:pk>/timeline",
        policies.PolicyCourseView.as_view(),
        name="policy-timeline",
    ),
    path(f"{V1}/teams", teams.TeamsView.as_view(), name="teams"),
    path(f"{V1}/teams/<uuid:pk>", teams.TeamView.as_view(), name="team"),
    path(
        f"{V1}/service_levels",
        service_levels.ServiceLevelsView.as_view(),
        name="service-levels",
    ),
    path(
        f"{V1}/service_levels/<str:severity>",
        service_levels.ServiceLevelView.as_view(),
        name="service-level",
    ),
    path(f"{V1}/services", services.ServicesView.as_view(), name="services"),
    path(
        f"{V1}/services/import",
        services.ServiceImportView.as_view(),
        name="service-import",
    ),
    path(f"{V1}/services/<uuid:pk>", services.ServiceView.as_view(), name="service"),
    path(
        f"{V1}/services/<uuid:pk>/dependencies",
        services.ServiceNeedsView.as_view(),
        name="service-needs",
    ),
    path(f"{V1}/silences", silences.SilencesView.as_view(), name="silences"),
    path(
        f"{V1}/silences/preview",
        silences.SilencePreviewView.as_view(),
        name="silence-preview",
    ),
    path(f"{V1}/silences/<uuid:pk>", silences.SilenceView.as_view(), name="silence"),
    path(f"{V1}/calendars", calendar_feeds.FeedsView.as_view(), name="calendars"),
    path(
        f"{V1}/calendars/<uuid:pk>",
        calendar_feeds.FeedView.as_view(),
        name="calendar-feed",
    ),
    re_path(r"^calendar/(?P<place>.*)$", calendar.show, name="calendar"),
    # Whatever follows: an address that is none must not be named in a log either.
    re_path(r"^h/(?P<place>.*)$", heartbeats.ping, name="ping"),
    path(
        "t/<str:slug>/api/v2/alerts",
        AlertmanagerAlertsView.as_view(),
        name="alertmanager-alerts",
    ),
    *(
        path(f"t/<str:slug>/{where}", view.as_view(), name=f"alertmanager-{name}")
        for where, view, name in (
            ("api/v2/status", more.StatusView, "status"),
            ("api/v2/receivers", more.ReceiversView, "receivers"),
            ("api/v2/silences", am_silences.AlertmanagerSilencesView, "silences"),
            (
                "api/v2/silence/<str:silence>",
                am_silences.AlertmanagerSilenceView,
                "silence",
            ),
            ("api/v2/alerts/groups", more.GroupsView, "groups"),
            ("metrics", more.MetricsView, "metrics"),
        )
    ),
    path("pagerduty/v2/enqueue", pagerduty.enqueue, name="pagerduty"),
    path("pagerduty/v2/change/enqueue", pagerduty.change, name="pagerduty-change"),
    path(
        "pagerduty/generic/2010-04-15/create_event.json",
        pagerduty.create_event,
        name="pagerduty-v1",
    ),
    path("servicenow/<uuid:tenant>/<uuid:pk>", servicenow.changed, name="servicenow"),
    path("opsgenie/v2/", include("alertcenter.api.opsgenie_urls")),
    path("alerta/", include("alertcenter.api.alerta_urls")),
    path(
        "victorops/integrations/generic/20131114/alert/<str:secret>/<str:routing_key>",
        victorops.alert,
        name="victorops",
    ),
    path("api/schema/", DocumentView.as_view(), name="schema"),
    path("api/docs/", SwaggerView.as_view(), name="docs"),
]
