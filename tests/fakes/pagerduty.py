"""PagerDuty's Events API v2 on loopback: alerts by their dedup_key.

https://developer.pagerduty.com/docs/send-alert-event: a trigger opens an alert or
joins the open one of its key; what acknowledges or resolves none is dropped.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count

from tests.fakes.tool import Call, FakeTool, Json

ACTIONS = ("trigger", "acknowledge", "resolve")
SEVERITIES = ("critical", "error", "warning", "info")


@dataclass
class Incident:
    """One alert as it stands; `triggers` are its payloads."""

    key: str
    state: str = "triggered"
    triggers: list[Json] = field(default_factory=list)


class FakePagerDuty(FakeTool):
    """See the module. `keys` are the routing keys that lead somewhere."""

    def __init__(self, *keys: str) -> None:
        super().__init__()
        self.keys = set(keys)
        self.incidents: list[Incident] = []
        self._made_up = count(1)

    def act(self, call: Call) -> tuple[int, Json]:
        if (call.method, call.path) != ("POST", "/v2/enqueue"):
            return 404, {}
        body = call.json
        if wrong := self.what_is_wrong(body, len(call.raw)):
            return 400, {
                "status": "invalid event",
                "message": "Event object is invalid",
                "errors": wrong,
            }
        key = body.get("dedup_key") or f"made-up-{next(self._made_up)}"
        self.apply(key, body)
        return 202, {
            "status": "success",
            "message": "Event processed",
            "dedup_key": key,
        }

    def what_is_wrong(self, body: Json, length: int) -> list[str]:
        action, payload = body.get("event_action"), body.get("payload") or {}
        wrong = []
        if length > 512 * 1024:
            wrong.append("payload is too large")
        if body.get("routing_key") not in self.keys:
            wrong.append(f"routing_key {body.get('routing_key')} is unknown")
        if action not in ACTIONS:
            wrong.append("'event_action' is invalid")
        if len(body.get("dedup_key") or "") > 255:
            wrong.append("'dedup_key' is too long")
        if action != "trigger":
            return wrong if body.get("dedup_key") else [*wrong, "no 'dedup_key'"]
        if not 0 < len(payload.get("summary") or "") <= 1024:
            wrong.append("'payload.summary' is missing or too long")
        if not payload.get("source"):
            wrong.append("'payload.source' is missing or blank")
        if payload.get("severity") not in SEVERITIES:
            wrong.append("'payload.severity' is invalid")
        return wrong

    def apply(self, key: str, body: Json) -> None:
        action = body["event_action"]
        open_ones = [i for i in self.incidents if i.key == key]
        found = next((i for i in open_ones if i.state != "resolved"), None)
        if action == "trigger":
            if found is None:
                found = Incident(key)
                self.incidents.append(found)
            found.triggers.append(body)
        elif found is not None:
            found.state = "resolved" if action == "resolve" else "acknowledged"
