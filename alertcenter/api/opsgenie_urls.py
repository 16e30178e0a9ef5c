"""Which of Opsgenie's addresses leads where?"""

from __future__ import annotations

from django.urls import URLPattern, path

from alertcenter.api import opsgenie as api
from alertcenter.api import opsgenie_heartbeats as beats
from alertcenter.api import opsgenie_shapes as shapes
from alertcenter.api.opsgenie import act, endpoint

ONE = "alerts/<path:identifier>"

urlpatterns: list[URLPattern] = [
    path("alerts", endpoint(GET=api.list_alerts, POST=api.create)),
    path("alerts/count", endpoint(GET=api.count_alerts)),
    path("alerts/requests/<str:request_id>", endpoint(GET=api.request_status)),
    path(f"{ONE}/acknowledge", endpoint(POST=act("acknowledge"))),
    path(f"{ONE}/unacknowledge", endpoint(POST=act("unacknowledge"))),
    path(f"{ONE}/close", endpoint(POST=act("close"))),
    path(f"{ONE}/snooze", endpoint(POST=act("snooze", shapes.required("endTime")))),
    path(
        f"{ONE}/notes",
        endpoint(GET=api.list_notes, POST=act("note", shapes.required("note"))),
    ),
    path(f"{ONE}/assign", endpoint(POST=act("assign", shapes.required("owner")))),
    path(
        f"{ONE}/escalate", endpoint(POST=act("escalate", shapes.required("escalation")))
    ),
    path(
        f"{ONE}/responders",
        endpoint(POST=act("annotate", shapes.responding("responder"))),
    ),
    path(f"{ONE}/teams", endpoint(POST=act("annotate", shapes.responding("team")))),
    path(
        f"{ONE}/tags",
        endpoint(
            POST=act("labels", shapes.adding_tags),
            DELETE=act("labels", shapes.removing_tags),
        ),
    ),
    path(
        f"{ONE}/details",
        endpoint(
            POST=act("labels", shapes.adding_details),
            DELETE=act("labels", shapes.removing_details),
        ),
    ),
    path(f"{ONE}/message", endpoint(PUT=act("message", shapes.required("message")))),
    path(f"{ONE}/description", endpoint(PUT=act("description", shapes.described))),
    path(f"{ONE}/priority", endpoint(PUT=act("priority", shapes.prioritized))),
    path(f"{ONE}/actions/<str:action>", endpoint(POST=act("note"))),
    path(f"{ONE}/logs", endpoint(GET=api.list_logs)),
    path(f"{ONE}/recipients", endpoint(GET=api.list_recipients)),
    path(f"{ONE}/attachments", endpoint(GET=api.nothing_attached)),
    path("heartbeats", endpoint(GET=beats.list_all, POST=beats.create)),
    path(
        "heartbeats/<str:name>/ping",
        endpoint(**dict.fromkeys(("GET", "PUT", "POST", "PATCH"), beats.ping)),
    ),
    path("heartbeats/<str:name>/enable", endpoint(POST=beats.switch(True))),
    path("heartbeats/<str:name>/disable", endpoint(POST=beats.switch(False))),
    path(
        "heartbeats/<str:name>",
        endpoint(GET=beats.get, PATCH=beats.update, DELETE=beats.delete),
    ),
    path(ONE, endpoint(GET=api.get_alert, DELETE=act("close"))),
]
