"""Which ways to send events are there, and how does each of them answer?

The same reading, the same writing; only the words of the answers differ.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from alertcenter.alerts.events import ItemError, Parsed
from alertcenter.alerts.sources import alertmanager_v2, alertmanager_webhook, own_json
from alertcenter.api import raw
from alertcenter.common.errors import Refused

Headers = list[tuple[bytes, bytes]]
Reply = tuple[int, bytes, Headers]

JSON: Headers = [(b"content-type", raw.JSON_TYPE)]


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one request's events; `errors` in the order of the items.

    `replayed`: told from the receipt of the same request, which came before.
    """

    accepted: int
    dropped: int
    errors: list[ItemError]
    replayed: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return the answer of our own protocols."""
        items = [{"index": e.index, "reason": e.reason} for e in self.errors]
        told: dict[str, Any] = {"accepted": self.accepted, "errors": items}
        if self.dropped:
            told["dropped"] = self.dropped
        return told


@dataclass(frozen=True, slots=True)
class Protocol:
    """One way to send events: its name in figures, its parser, its answers."""

    name: str
    parse: Callable[[bytes], Parsed]
    answer: Callable[[Result], Reply]
    refuse: Callable[[Refused], Reply]


# --- answers: our own protocols ---


def own_answer(result: Result) -> Reply:
    """200 when all was kept; else 400 that says which items were not."""
    told = result.as_dict()
    if not result.errors:
        return 200, raw.as_json(told), JSON
    return 400, raw.as_json(told | some_refused(result)), JSON


def some_refused(result: Result) -> dict[str, str]:
    first = result.errors[0]
    message = _("%(number)s of the events were not kept; number %(index)s: %(reason)s")
    values = {
        "number": len(result.errors),
        "index": first.index,
        "reason": first.reason,
    }
    return {"code": "bad_events", "message": str(message) % values}


def own_refusal(refused: Refused) -> Reply:
    told = {"code": refused.code, "message": str(refused.message)}
    return refused.status, raw.as_json(told), JSON + outgoing(refused)


# go-openapi's own number for "required".
GO_OPENAPI_REQUIRED = 602

# --- answers: Alertmanager 0.25, observed (reference/wire-protocols.md 3.1) ---


def alertmanager_answer(result: Result) -> Reply:
    """200 without a body; else 400 with one JSON string, the valid part kept."""
    if not result.errors:
        return 200, b"", []
    reasons = "; ".join(dict.fromkeys(error.reason for error in result.errors))
    return 400, raw.as_json(reasons), JSON


def alertmanager_parse(body: bytes) -> Parsed:
    """Return the events of the body. Raises BadBody, and Refused for no body."""
    if not body:
        raise Refused(422, "no_body", "alerts in body is required")
    return alertmanager_v2.parse(body)


def alertmanager_refusal(refused: Refused) -> Reply:
    message = str(refused.message)
    if refused.code == "bad_body":
        message = f'parsing alerts body from "" failed, because {message}'
    code = GO_OPENAPI_REQUIRED if refused.status == 422 else refused.status
    told = {"code": code, "message": message}
    return refused.status, raw.as_json(told).rstrip(), JSON + outgoing(refused)


def outgoing(refused: Refused) -> Headers:
    return [
        (name.lower().encode(), value.encode())
        for name, value in refused.headers.items()
    ]


ALERTMANAGER = Protocol(
    "alertmanager_v2", alertmanager_parse, alertmanager_answer, alertmanager_refusal
)
WEBHOOK = Protocol(
    "alertmanager_webhook", alertmanager_webhook.parse, own_answer, own_refusal
)
OWN = Protocol("events", own_json.parse, own_answer, own_refusal)
DOCUMENTED = Protocol("alerts", own_json.parse, own_answer, own_refusal)
