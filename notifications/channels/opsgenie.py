"""How does a delivery reach Opsgenie? By its Alert API; so is Jira Service Management.

https://docs.opsgenie.com/docs/alert-api (fields and their lengths; each request is
answered with 202 and a requestId, and carried out later),
https://docs.opsgenie.com/docs/api-rate-limiting. Each group has one alias for ever, by
which the alert is created once, acknowledged, noted on and closed.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.utils.translation import gettext_lazy

from notifications import localize
from notifications.channels import http, simulated, tooling
from notifications.channels.base import Parcel, Receipt, Setting, Spec

REGIONS = {
    "us": "https://api.opsgenie.com",
    "eu": "https://api.eu.opsgenie.com",
    # https://developer.atlassian.com/cloud/jira/service-desk-ops/rest/v2/
    "jsm": "https://api.atlassian.com/jsm/ops/integration",
}
LONGEST_MESSAGE = 130
LONGEST_DESCRIPTION = 15_000
LONGEST_DETAILS = 8_000
LONGEST_ENTITY = 512
LONGEST_USER = 100
LONGEST_NOTE = 25_000
MOST_TAGS, LONGEST_TAG = 20, 50
MOST_TEAMS = 50
SOURCE = "AlertCenter"
PRIORITIES = {5: "P1", 4: "P2", 3: "P3", 2: "P4", 1: "P5"}  # by severity
REQUESTS = {
    "acknowledged": "acknowledge",
    "snoozed": "acknowledge",
    "resolved": "close",
}
FIRES_AGAIN = frozenset(("unacknowledged", "woken"))


def send(parcel: Parcel) -> Receipt:
    """Send one delivery. Raises DeliveryError."""
    if tooling.says_nothing_new(parcel):
        return tooling.UNSAID
    if parcel.kind == "test":
        made = post(parcel, "", alert(parcel))
        closed = post(parcel, "close", about(parcel))
        return Receipt(
            made.provider_id, f"create: {made.answer}; close: {closed.answer}"
        )
    if parcel.kind == "reply":
        note = parcel.message.note
        again = note is not None and note.kind in FIRES_AGAIN
        return post(parcel, "unacknowledge" if again else "notes", about(parcel))
    if request := REQUESTS.get(parcel.message.state):
        return post(parcel, request, about(parcel))
    if parcel.kind == "update":  # what joins a group adds no count to its alert
        return tooling.UNSAID
    return post(parcel, "", alert(parcel))


def post(parcel: Parcel, request: str, body: dict[str, Any]) -> Receipt:
    """Make one request about the group's alert; "" creates it. Raises DeliveryError."""
    url = f"{address_of(parcel)}/v2/alerts"
    if request:
        alias = quote(tooling.name_of(parcel), safe="")
        url += f"/{alias}/{request}?identifierType=alias"
    if settings.SIMULATION:
        title = f"Opsgenie · {request or 'create'} · {parcel.title}"
        return simulated.keep(parcel, to=url, title=title, text=parcel.body, sent=body)
    key = tooling.key_of(parcel, "api_key")
    headers = {"Authorization": f"GenieKey {key}"}
    answer = tooling.ask(parcel, url, json_body=body, headers=headers)
    said = http.read_json(answer)
    words = str(said.get("message") or said.get("result") or "")
    short = http.need_success(answer, said=words)
    identity = str(said.get("requestId") or tooling.name_of(parcel))
    return Receipt(provider_id=identity, answer=f"{short} ({identity})")


def address_of(parcel: Parcel) -> str:
    known = REGIONS.get(str(parcel.settings.get("region")), REGIONS["us"])
    return str(parcel.settings.get("api_url") or known).rstrip("/")


def alert(parcel: Parcel) -> dict[str, Any]:
    """Return the body that creates the alert, or counts one more of it."""
    message = parcel.message
    given = parcel.settings
    body: dict[str, Any] = {
        "message": tooling.title_of(parcel, LONGEST_MESSAGE),
        "alias": tooling.name_of(parcel),
        "description": description(parcel),
        "priority": priority_of(parcel),
        "entity": tooling.fitted(message.service, LONGEST_ENTITY),
        "source": SOURCE,
        "details": details(parcel),
        "tags": [
            tooling.fitted(str(tag), LONGEST_TAG) for tag in given.get("tags") or []
        ][:MOST_TAGS],
        "responders": [
            {"name": str(name), "type": "team"} for name in given.get("teams") or []
        ][:MOST_TEAMS],
    }
    return {name: value for name, value in body.items() if value}


def priority_of(parcel: Parcel) -> str:
    message = parcel.message
    if 1 <= message.priority <= 5:
        return f"P{message.priority}"
    return PRIORITIES.get(message.severity, "P3")


def description(parcel: Parcel) -> str:
    """Return the words; the links stay, however long they are."""
    message = parcel.message
    links = [tooling.web(message.url), tooling.web(message.runbook)]
    tail = "\n".join(link for link in links if link)
    room = LONGEST_DESCRIPTION - len(tail) - 2
    return f"{tooling.fitted(parcel.body, room)}\n\n{tail}".strip()


def details(parcel: Parcel) -> dict[str, str]:
    """Return the facts as texts, as many as there is room for."""
    message = parcel.message
    wanted = {
        "url": tooling.web(message.url),
        "tenant": message.tenant,
        "number": str(message.number),
        "severity": str(message.severity),
        "state": message.state,
        "alerts": str(message.alert_count),
        **{f"label.{name}": value for name, value in message.labels.items()},
    }
    found, room = {}, LONGEST_DETAILS
    for name, value in wanted.items():
        room -= len(name) + len(value)
        if value and room >= 0:
            found[name] = value
    return found


def about(parcel: Parcel) -> dict[str, Any]:
    """Return who did what, for a request about an alert."""
    note = parcel.message.note
    body = {"source": SOURCE}
    if note:
        line = localize.note_line(note, parcel.language, parcel.time_zone)
        body["note"] = tooling.fitted(line, LONGEST_NOTE)
        if note.actor:
            body["user"] = tooling.fitted(note.actor, LONGEST_USER)
    return body


SPEC = Spec(
    kind="opsgenie",
    label=gettext_lazy("Opsgenie"),
    about=gettext_lazy("Alerts in Opsgenie or Jira Service Management."),
    settings=(
        Setting(
            "api_key",
            gettext_lazy("API key"),
            gettext_lazy("Of an integration of the kind API."),
            secret=True,
        ),
        Setting(
            "region",
            gettext_lazy("Region"),
            kind="choice",
            choices=(
                ("us", gettext_lazy("Opsgenie, US")),
                ("eu", gettext_lazy("Opsgenie, EU")),
                ("jsm", gettext_lazy("Jira Service Management")),
            ),
            default="us",
            required=True,
        ),
        Setting(
            "teams",
            gettext_lazy("Teams"),
            gettext_lazy("Who answers for its alerts there, one name a line."),
            kind="lines",
        ),
        Setting("tags", gettext_lazy("Tags"), gettext_lazy("One a line."), "lines"),
        Setting(
            "send_resolved",
            gettext_lazy("Say when it is over"),
            kind="flag",
            default=True,
        ),
    ),
    place=lambda settings: str(settings.get("region") or "us").upper(),
    check=tooling.needs("api_key"),
    updates=True,
    replies=frozenset((*FIRES_AGAIN, "reopened", "flapping", "calm", "storm_over")),
    for_people=False,
)
