"""Which of Alerta's addresses leads where?"""

from __future__ import annotations

from django.urls import URLPattern, path

from alertcenter.api import alerta as api
from alertcenter.api import alerta_reading as reading
from alertcenter.api.alerta import endpoint
from alertcenter.api.alerta_reading import listing

ONE = "alert/<str:identifier>"

urlpatterns: list[URLPattern] = [
    path("", endpoint(GET=reading.index)),
    path("config", endpoint(GET=reading.config)),
    path("management/status", endpoint(GET=reading.management)),
    path("alert", endpoint(POST=api.send)),
    path("alerts", endpoint(GET=reading.list_alerts)),
    path("alerts/count", endpoint(GET=reading.count)),
    path("alerts/history", endpoint(GET=reading.history)),
    path("alerts/groups", endpoint(GET=listing("groups", "a_group"))),
    path("alerts/tags", endpoint(GET=listing("tags", "a_tags", many=True))),
    path("environments", endpoint(GET=listing("environments", "a_environment"))),
    path("services", endpoint(GET=listing("services", "a_service", many=True))),
    path(f"{ONE}/action", endpoint(PUT=api.action)),
    path(f"{ONE}/status", endpoint(PUT=api.status)),
    path(f"{ONE}/note", endpoint(PUT=api.add_note)),
    path(f"{ONE}/notes", endpoint(GET=reading.list_notes)),
    path(f"{ONE}/tag", endpoint(PUT=api.tag)),
    path(f"{ONE}/untag", endpoint(PUT=api.untag)),
    path(f"{ONE}/attributes", endpoint(PUT=api.attributes)),
    path(ONE, endpoint(GET=reading.get_alert, DELETE=api.delete)),
]
