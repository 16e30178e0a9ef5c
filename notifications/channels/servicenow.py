"""How does a delivery reach ServiceNow? As a record of its Table API, one a group.

https://www.servicenow.com/docs/ ("Table API", "Client credentials grant workflow",
"Incident Management state model"). The record has the group's id as correlation_id, by
which it is found again when nobody knows whether it was made. What is written there is
only ever news to it: a record that people closed stays closed, and what they said
there themselves is not told them again.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notifications import localize
from notifications.channels import (
    http,
    servicenow_access,
    servicenow_fields,
    simulated,
    tooling,
)
from notifications.channels.base import (
    DeliveryError,
    Parcel,
    Receipt,
    Setting,
    Spec,
    ThreadPlace,
)
from notifications.channels.servicenow_fields import CLOSED, STATES, state_of

# The incident table's own lengths (sys_dictionary): String of 160, 4000, 100.
LONGEST_NAME = 100
NOT_FOUND = 404
# How an act is signed that came from there; told back, it would go round in a circle.
FROM_THERE = " (ServiceNow)"
NOTES = frozenset(
    ("unacknowledged", "woken", "reopened", "flapping", "calm", "storm_over")
)


def send(parcel: Parcel) -> Receipt:
    """Send one delivery. Raises DeliveryError."""
    if tooling.says_nothing_new(parcel):
        return tooling.UNSAID
    if settings.SIMULATION:
        return keep(parcel)
    servicenow_access.begin()
    if parcel.kind == "test":
        made = create(parcel)
        over = servicenow_fields.resolved(parcel)
        place = made.thread or ThreadPlace("", "")
        ended = write(parcel, place, over)
        answer = f"create: {made.answer}; resolve: {ended.answer}"
        return Receipt(made.provider_id, answer)
    if parcel.kind == "page" and parcel.message.state == "firing":
        return page(parcel)
    return follow(parcel)


def page(parcel: Parcel) -> Receipt:
    """Open a record, or say in the one there is that it is told again."""
    place = parcel.thread or (find(parcel) if parcel.may_be_a_repeat else None)
    if place is None:
        return create(parcel)
    if parcel.thread is None:  # made by the try that nobody heard the end of
        return Receipt(place.ts, f"200 {place.ts}", thread=place)
    said = {"work_notes": servicenow_fields.words(parcel)}
    try:
        return write(parcel, place, said)
    except Gone:
        return create(parcel)


def follow(parcel: Parcel) -> Receipt:
    """Tell a record what became of its group."""
    message, note = parcel.message, parcel.message.note
    if parcel.kind == "update" and message.state == "firing":
        return tooling.UNSAID  # what is worth a note comes as a reply
    place = parcel.thread or find(parcel)
    if place is None:
        return Receipt(answer="there is no record of it")
    echo = note is not None and note.actor.endswith(FROM_THERE)
    said: dict[str, Any] = {}
    if note and not echo:
        line = localize.note_line(note, parcel.language, parcel.time_zone)
        said["work_notes"] = tooling.fitted(line, servicenow_fields.LONGEST_TEXT)
    try:
        if parcel.kind != "reply":
            said |= change_of_state(parcel, read(parcel, place))
        if not said:
            return Receipt(place.ts, "nothing new to it", thread=place)
        return write(parcel, place, said)
    except Gone:
        return Receipt(answer="the record no longer exists")


def change_of_state(parcel: Parcel, state: str) -> dict[str, Any]:
    """Return what moves a record on: forward only, and never out of closed."""
    if state in {*CLOSED, state_of(parcel, "state_resolved")}:
        return {}
    if parcel.message.state == "resolved":
        return servicenow_fields.resolved(parcel)
    if state != state_of(parcel, "state_new"):  # On Hold stays on hold
        return {}
    return {"state": state_of(parcel, "state_taken")}


class Gone(DeliveryError):
    """There is no such record."""


# --- requests ---


def create(parcel: Parcel) -> Receipt:
    """Open a record. Raises DeliveryError."""
    answer = servicenow_access.ask(
        parcel, f"{table(parcel)}?{SHORT}", json_body=servicenow_fields.opened(parcel)
    )
    said = http.need_success(answer, said=complaint(answer))
    place = place_in(http.read_json(answer).get("result"))
    if place is None:
        # An instance that sleeps answers 200 with a page; half an answer is no better.
        raise DeliveryError(
            _("ServiceNow's answer names no record."), ambiguous=True, permanent=False
        )
    return Receipt(place.ts, f"{said[:3]} {place.ts}", thread=place)


def find(parcel: Parcel) -> ThreadPlace | None:
    """Return the record of the group, if there is one. Raises DeliveryError."""
    query = {
        "sysparm_query": f"correlation_id={tooling.name_of(parcel)}",
        "sysparm_limit": "1",
    }
    answer = servicenow_access.ask(
        parcel, f"{table(parcel)}?{SHORT}&{urlencode(query)}", method="GET"
    )
    http.need_success(answer, said=complaint(answer))
    found = http.read_json(answer).get("result")
    if not isinstance(found, list):
        raise DeliveryError(_("ServiceNow's answer cannot be read."))
    return place_in(found[0]) if found else None


def read(parcel: Parcel, place: ThreadPlace) -> str:
    """Return the state of a record. Raises DeliveryError, Gone."""
    answer = servicenow_access.ask(
        parcel, f"{record(parcel, place)}&sysparm_display_value=false", method="GET"
    )
    need_record(answer)
    found = http.read_json(answer).get("result")
    if not isinstance(found, dict) or "state" not in found:
        raise DeliveryError(_("ServiceNow's answer cannot be read."))
    return str(found["state"])


def write(parcel: Parcel, place: ThreadPlace, fields: dict[str, Any]) -> Receipt:
    """Change fields of a record. Raises DeliveryError, Gone."""
    answer = servicenow_access.ask(
        parcel, record(parcel, place), method="PATCH", json_body=fields
    )
    said = need_record(answer)
    return Receipt(place.ts, f"{said[:3]} {place.ts}", thread=place)


def need_record(answer: Any) -> str:
    """Return what was said. Raises DeliveryError unless it is a success."""
    words = complaint(answer)
    if answer.status == NOT_FOUND:
        raise Gone(f"{NOT_FOUND} {words}".strip(), permanent=True)
    return http.need_success(answer, said=words)


SHORT = urlencode({"sysparm_fields": "sys_id,number,state"})


def table(parcel: Parcel) -> str:
    name = str(parcel.settings.get("table") or servicenow_fields.TABLE)
    return f"{servicenow_access.address_of(parcel)}/api/now/table/{quote(name)}"


def record(parcel: Parcel, place: ThreadPlace) -> str:
    return f"{table(parcel)}/{quote(place.channel, safe='')}?{SHORT}"


def place_in(found: Any) -> ThreadPlace | None:
    """Return where a record stands, from its fields."""
    if not isinstance(found, dict) or not found.get("sys_id"):
        return None
    number = str(found.get("number") or found["sys_id"])
    return ThreadPlace(str(found["sys_id"])[:LONGEST_NAME], number[:LONGEST_NAME])


def complaint(answer: Any) -> str:
    """Return ServiceNow's own words of an error; "" for none."""
    error = http.read_json(answer).get("error")
    if not isinstance(error, dict):
        return str(error or "")[: http.SHOWN_ANSWER]
    words = (str(error.get(part) or "") for part in ("message", "detail"))
    return ": ".join(filter(None, words))[: http.SHOWN_ANSWER]


def keep(parcel: Parcel) -> Receipt:
    """Keep what would have been written, for the outbox page."""
    message = parcel.message
    sent = servicenow_fields.opened(parcel)
    if parcel.kind not in ("page", "test"):
        sent = {"state": message.state}
    title = f"ServiceNow · {parcel.title}"
    return simulated.keep(
        parcel, to=table(parcel), title=title, text=parcel.body, sent=sent
    )


SPEC = Spec(
    kind="servicenow",
    label=gettext_lazy("ServiceNow"),
    about=gettext_lazy("An incident for each group, kept in step in both directions."),
    settings=(
        Setting(
            "url",
            gettext_lazy("Instance"),
            gettext_lazy("Such as https://acme.service-now.com."),
            required=True,
            check=servicenow_access.an_instance,
        ),
        Setting(
            "auth",
            gettext_lazy("Log in by"),
            kind="choice",
            choices=(
                ("basic", gettext_lazy("User and password")),
                ("oauth", gettext_lazy("OAuth client credentials")),
            ),
            default="basic",
            required=True,
        ),
        Setting("user", gettext_lazy("User or client id"), required=True),
        Setting("password", gettext_lazy("Password or client secret"), secret=True),
        Setting(
            "table",
            gettext_lazy("Table"),
            default=servicenow_fields.TABLE,
            check=servicenow_fields.a_table,
        ),
        Setting(
            "fields",
            gettext_lazy("More fields"),
            gettext_lazy(
                "JSON: a template for each field, such as "
                '{"assignment_group": "{{ service_owner }}"}.'
            ),
            kind="long",
            check=servicenow_fields.fields_setting,
        ),
        *(
            Setting(name, label, default=default, check=servicenow_fields.a_value)
            for name, label, default in STATES
        ),
        Setting(
            "close_code",
            gettext_lazy("Resolution code"),
            default=servicenow_fields.CLOSE_CODE,
        ),
        Setting(
            "close_notes",
            gettext_lazy("Resolution notes"),
            gettext_lazy("A template."),
            default=servicenow_fields.CLOSE_NOTES,
            check=servicenow_fields.a_template,
        ),
        Setting(
            "send_resolved",
            gettext_lazy("Say when it is over"),
            kind="flag",
            default=True,
        ),
        Setting(
            "inbound_secret",
            gettext_lazy("Secret of its business rule"),
            gettext_lazy(
                "With it ServiceNow acknowledges and resolves here: at least twenty "
                "characters (docs/tools.md)."
            ),
            secret=True,
            check=servicenow_access.a_long_secret,
        ),
    ),
    place=lambda settings: str(settings.get("url") or ""),
    check=servicenow_access.check,
    updates=True,
    replies=NOTES,
    for_people=False,
    inbound="/servicenow/{tenant}/{channel}",
)
