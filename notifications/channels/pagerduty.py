"""How does a delivery reach PagerDuty? As events of its Events API v2.

https://developer.pagerduty.com/docs/events-api-v2-overview (codes, 512 KB),
https://developer.pagerduty.com/docs/send-alert-event (fields and their lengths).
Each group has one dedup_key for ever: triggers of it join one incident, and what is
acknowledged or resolved here is so there. Taking an acknowledgement back has no event.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy

from notifications.channels import http, simulated, tooling
from notifications.channels.base import Parcel, Receipt, Setting, Spec

REGIONS = {
    "us": "https://events.pagerduty.com",
    "eu": "https://events.eu.pagerduty.com",
}
LONGEST_SUMMARY = 1_024
MOST_BYTES = 512 * 1024
LONGEST_SOURCE = 255
MOST_LINKS = 10
SEVERITIES = {5: "critical", 4: "error", 3: "warning", 2: "info", 1: "info"}
EVENTS = {
    "firing": "trigger",
    "acknowledged": "acknowledge",
    "snoozed": "acknowledge",
    "resolved": "resolve",
}
# Labels that name the place of the trouble, the best first.
SOURCES = ("instance", "host", "hostname", "node", "pod", "service", "job", "cluster")


def send(parcel: Parcel) -> Receipt:
    """Send one delivery. Raises DeliveryError."""
    if tooling.says_nothing_new(parcel):
        return tooling.UNSAID
    if parcel.kind == "test":
        begun = post(parcel, event(parcel, "trigger"))
        ended = post(parcel, event(parcel, "resolve"))
        answer = f"trigger: {begun.answer}; resolve: {ended.answer}"
        return Receipt(begun.provider_id, answer)
    return post(parcel, event(parcel, EVENTS.get(parcel.message.state, "trigger")))


def post(parcel: Parcel, body: dict[str, Any]) -> Receipt:
    """Send one event. Raises DeliveryError."""
    url = f"{address_of(parcel)}/v2/enqueue"
    name = body["dedup_key"]
    if settings.SIMULATION:
        title = f"PagerDuty · {body['event_action']} · {parcel.title}"
        return simulated.keep(
            parcel, to=url, title=title, text=parcel.body, sent=body, provider_id=name
        )
    keyed = {"routing_key": tooling.key_of(parcel, "routing_key")} | body
    answer = tooling.ask(parcel, url, json_body=keyed)
    said = http.read_json(answer)
    errors = said.get("errors")
    more = "; ".join(map(str, errors)) if isinstance(errors, list) else ""
    words = ": ".join(filter(None, (str(said.get("message") or ""), more)))
    return Receipt(provider_id=name, answer=http.need_success(answer, said=words))


def address_of(parcel: Parcel) -> str:
    known = REGIONS.get(str(parcel.settings.get("region")), REGIONS["us"])
    return str(parcel.settings.get("api_url") or known).rstrip("/")


def event(parcel: Parcel, action: str) -> dict[str, Any]:
    """Return the event, without its key."""
    message = parcel.message
    body: dict[str, Any] = {
        "event_action": action,
        "dedup_key": tooling.name_of(parcel),
    }
    if action != "trigger":
        return body
    payload = {
        "summary": tooling.title_of(parcel, LONGEST_SUMMARY),
        "source": source_of(parcel),
        "severity": SEVERITIES.get(message.severity, "warning"),
        "timestamp": message.opened_at,
        "component": message.service,
        "group": message.tenant,
        "class": tooling.fitted(message.labels.get("alertname", ""), LONGEST_SOURCE),
    }
    body |= {
        "payload": {name: value for name, value in payload.items() if value},
        "client": "AlertCenter",
        "links": links_of(parcel),
    }
    if url := tooling.web(message.url):
        body["client_url"] = url
    details = tooling.facts(parcel)
    body["payload"]["custom_details"] = details
    shrink(body, details)
    return body


def shrink(body: dict[str, Any], details: dict[str, Any]) -> None:
    """Drop details until the event is not too long: its alerts, the mildest first."""
    room = MOST_BYTES - 1024  # the key comes to it
    while tooling.size(body) > room and details.get("alerts"):
        details["alerts"].pop()
        details["truncated"] = True
    if tooling.size(body) > room:
        details["labels"] = {}


def source_of(parcel: Parcel) -> str:
    """Return where the trouble is, as far as anybody said."""
    message = parcel.message
    maps = [message.labels, *(line.labels for line in message.alerts)]
    found = (one[name] for name in SOURCES for one in maps if one.get(name))
    text = next(found, "") or message.service or message.tenant
    return tooling.fitted(text, LONGEST_SOURCE) or "AlertCenter"


def links_of(parcel: Parcel) -> list[dict[str, str]]:
    """Return the group's page, the runbook, and where its alerts come from."""
    message = parcel.message
    wanted = [
        (message.url, "AlertCenter"),
        (message.runbook, "Runbook"),
        *((line.link, line.title) for line in message.alerts),
    ]
    found = {
        url: tooling.fitted(text, LONGEST_SOURCE)
        for url, text in reversed(wanted)
        if tooling.web(url)
    }
    listed = [{"href": url, "text": text} for url, text in reversed(found.items())]
    return listed[:MOST_LINKS]


SPEC = Spec(
    kind="pagerduty",
    label=gettext_lazy("PagerDuty"),
    about=gettext_lazy("Incidents of a service, by an Events API v2 integration."),
    settings=(
        Setting(
            "routing_key",
            gettext_lazy("Integration key"),
            gettext_lazy("Of an integration of the kind Events API v2."),
            secret=True,
        ),
        Setting(
            "region",
            gettext_lazy("Region"),
            kind="choice",
            choices=(("us", gettext_lazy("US")), ("eu", gettext_lazy("EU"))),
            default="us",
            required=True,
        ),
        Setting(
            "send_resolved",
            gettext_lazy("Say when it is over"),
            kind="flag",
            default=True,
        ),
    ),
    place=lambda settings: str(settings.get("region") or "us").upper(),
    check=tooling.needs("routing_key"),
    updates=True,
    replies=frozenset(),
    for_people=False,
)
