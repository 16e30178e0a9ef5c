"""What does StatusCake send to a contact group's webhook?

It posts a form, or asks with the same fields behind the question mark. A test is known
by its name and address: there is no id.
https://developers.statuscake.com/guides/api/web-hooks/
"""

from __future__ import annotations

from alertcenter.alerts.events import Event
from alertcenter.alerts.sources.adapter import (
    Adapter,
    Incoming,
    NotUnderstood,
    as_object,
    event,
    joined,
)
from alertcenter.alerts.sources.adapter import marked as _
from alertcenter.alerts.sources.shapes import first, parts, tags, text

NAME = "statuscake"
OVER = ("up", "ok", "recovered", "resolved")


def read(incoming: Incoming) -> list[Event]:
    """Return the one event of a form, a query or a JSON body. Raises NotUnderstood."""
    data = {**incoming.query, **as_object(incoming)}
    low = {str(name).lower(): value for name, value in list(data.items())[:200]}
    name = first(low, "name", "testname", "website_name")
    address = first(low, "url", "websiteurl", "website_url")
    state = first(low, "status").lower()
    if not state or not (name or address):
        raise NotUnderstood("Status with a Name or a URL is missing")
    code = first(low, "statuscode", "status_code")
    words = first(low, "tags", "tag")
    over = state in OVER
    return [
        event(
            NAME,
            title=f"{name or address} is {state}",
            key=first(low, "testid", "test_id") or joined(name, address),
            firing=not over,
            severity="critical",
            labels={
                "alertname": "Down",
                "instance": name or address,
                "contact_group": first(low, "contactgroup", "contact_group"),
                **tags(low.get("tags") if parts(low, "tags") else words),
            },
            annotations={
                "description": f"{name or address} answered {code}"
                if code and code != "0"
                else f"{name or address} did not answer"
                if code and not over
                else "",
                "url": address,
                "ip": first(low, "ip"),
                "check_seconds": text(low.get("checkrate")),
                "locations": first(low, "locations", "location"),
            },
            link=address,
        )
    ]


def recognise(incoming: Incoming) -> bool:
    data = incoming.data
    return (
        type(data) is dict
        and "Status" in data
        and "StatusCode" in data
        and ("Name" in data or "URL" in data)
    )


ADAPTER = Adapter(
    NAME,
    "StatusCake",
    read,
    recognise,
    takes_get=True,
    example={
        "Name": "Shop",
        "URL": "https://shop.example",
        "Status": "Down",
        "StatusCode": "503",
        "IP": "192.0.2.10",
        "Checkrate": "300",
        "Tags": "web,production",
    },
    steps=(
        _("In StatusCake, open Alerting, Contact Groups, and add or edit a group."),
        _("Paste the URL as webhook URL, method POST, and give your tests this group."),
    ),
    docs="https://developers.statuscake.com/guides/api/web-hooks/",
)
