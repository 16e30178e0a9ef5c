"""Opsgenie's Alert API on loopback, as far as an integration's key reaches.

https://docs.opsgenie.com/docs/alert-api: requests are taken with 202 and carried out
after; one open alert for each alias, counted up by what comes again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import uuid4

from tests.fakes.tool import Call, FakeTool, Json

PRIORITIES = ("P1", "P2", "P3", "P4", "P5")
REQUESTS = ("acknowledge", "unacknowledge", "close", "notes")


@dataclass
class Alert:
    """One alert as it stands."""

    alias: str
    first: Json
    id: str = field(default_factory=lambda: str(uuid4()))
    count: int = 1
    status: str = "open"
    acknowledged: bool = False
    notes: list[str] = field(default_factory=list)
    users: list[str] = field(default_factory=list)


class FakeOpsgenie(FakeTool):
    """See the module. `key` is the one API key; `requests` what became of each."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self.key = key
        self.alerts: list[Alert] = []
        self.requests: dict[str, tuple[bool, str]] = {}

    def act(self, call: Call) -> tuple[int, Json]:
        if call.headers.get("authorization") != f"GenieKey {self.key}":
            said = call.headers.get("authorization", "")
            return 401, {"message": f"Could not authenticate {said}", "took": 0.001}
        parts = urlsplit(call.path)
        steps = [unquote(step) for step in parts.path.strip("/").split("/")]
        if steps[:2] != ["v2", "alerts"]:
            return 404, {"message": "No such endpoint"}
        if call.method == "GET":
            return self.read(steps[2:], parse_qs(parts.query))
        if steps[2:]:
            return self.request(steps[2], steps[3], parse_qs(parts.query), call.json)
        wrong = what_is_wrong(call.json)
        if wrong:
            return 422, {"message": "Request body is not processable", "errors": wrong}
        return self.accepted(*self.create(call.json))

    def create(self, body: Json) -> tuple[bool, str]:
        alias = body.get("alias") or str(uuid4())
        found = self.find(alias)
        if found is None:
            self.alerts.append(Alert(alias, body))
            return True, "Created alert"
        found.count += 1
        return True, "Updated count"

    def request(
        self, name: str, what: str, query: dict[str, list[str]], body: Json
    ) -> tuple[int, Json]:
        if what not in REQUESTS:
            return 404, {"message": "No such endpoint"}
        if query.get("identifierType") != ["alias"]:
            return 422, {"message": "Only aliases here"}
        if what == "notes" and not body.get("note"):
            return 422, {"message": "note cannot be empty"}
        found = self.find(name)
        if found is None:
            return self.accepted(False, "Alert does not exist")
        found.notes += [body["note"]] if body.get("note") else []
        found.users += [body["user"]] if body.get("user") else []
        if what == "close":
            found.status = "closed"
        if what in ("acknowledge", "unacknowledge"):
            found.acknowledged = what == "acknowledge"
        return self.accepted(True, "Done")

    def accepted(self, success: bool, status: str) -> tuple[int, Json]:
        identity = str(uuid4())
        self.requests[identity] = (success, status)
        said = {"result": "Request will be processed", "took": 0.02}
        return 202, said | {"requestId": identity}

    def read(self, steps: list[str], query: dict[str, list[str]]) -> tuple[int, Json]:
        if steps[0] == "requests":
            success, status = self.requests[steps[1]]
            data: dict[str, Any] = {"isSuccess": success, "status": status}
            return 200, {"data": data, "took": 0.01, "requestId": steps[1]}
        found = next((a for a in self.alerts if a.alias == steps[0]), None)
        if found is None or query.get("identifierType") != ["alias"]:
            return 404, {"message": "Alert does not exist"}
        data = {
            "id": found.id,
            "alias": found.alias,
            "message": found.first["message"],
            "status": found.status,
            "acknowledged": found.acknowledged,
            "count": found.count,
            "priority": found.first.get("priority", "P3"),
        }
        return 200, {"data": data, "took": 0.01, "requestId": str(uuid4())}

    def find(self, alias: str) -> Alert | None:
        open_ones = (a for a in self.alerts if a.alias == alias and a.status == "open")
        return next(open_ones, None)


def what_is_wrong(body: Json) -> Json:
    """Return Opsgenie's complaints about an alert by field."""
    wrong = {}
    if not 0 < len(body.get("message") or "") <= 130:
        wrong["message"] = "is missing or too long"
    if len(body.get("alias") or "") > 512:
        wrong["alias"] = "is too long"
    if len(body.get("description") or "") > 15_000:
        wrong["description"] = "is too long"
    if body.get("priority", "P3") not in PRIORITIES:
        wrong["priority"] = "is unknown"
    if sum(len(k) + len(v) for k, v in (body.get("details") or {}).items()) > 8_000:
        wrong["details"] = "are too long"
    if len(body.get("tags") or []) > 20:
        wrong["tags"] = "are too many"
    return wrong
