"""ServiceNow's Table API on loopback: records of one table, and OAuth tokens.

https://www.servicenow.com/docs/ ("Table API"): POST 201 and PATCH 200 answer
{"result": {...}}, errors {"error": {"message", "detail"}, "status": "failure"}.
Journal fields (work_notes) gather what is written into them.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from itertools import count
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

from tests.fakes.tool import Call, FakeTool, Json

CLOSE = ("close_code", "close_notes")


@dataclass
class Record:
    """One record as it stands."""

    number: str
    fields: Json
    sys_id: str = field(default_factory=lambda: uuid4().hex)
    notes: list[str] = field(default_factory=list)

    @property
    def state(self) -> str:
        return str(self.fields.get("state", "1"))

    def shown(self, names: list[str]) -> Json:
        known = self.fields | {
            "sys_id": self.sys_id,
            "number": self.number,
            "state": self.state,
        }
        return {name: str(known.get(name, "")) for name in names}


class FakeServiceNow(FakeTool):
    """See the module. `user` and `password` serve basic authentication and OAuth."""

    def __init__(self, user: str, password: str, table: str = "incident") -> None:
        super().__init__()
        self.user, self.password, self.table = user, password, table
        self.records: list[Record] = []
        self.tokens: set[str] = set()
        self.given = 0
        self._numbers = count(10_001)

    def act(self, call: Call) -> tuple[int, Json]:
        parts = urlsplit(call.path)
        if parts.path == "/oauth_token.do":
            return self.token(parse_qs(call.raw.decode()))
        if not self.knows(call.headers.get("authorization", "")):
            return 401, failure("User Not Authenticated", "Required to provide Auth")
        steps = parts.path.strip("/").split("/")
        if steps[:4] != ["api", "now", "table", self.table]:
            return 400, failure(f"Invalid table {steps[-1]}")
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        names = query.get("sysparm_fields", "sys_id,number").split(",")
        if len(steps) == 5:
            return self.one(call, steps[4], names)
        if call.method == "GET":
            return 200, {"result": [r.shown(names) for r in self.matching(query)]}
        return self.create(call.json, names)

    def create(self, body: Json, names: list[str]) -> tuple[int, Json]:
        if len(body.get("short_description", "")) > 160:
            return 400, failure("Value too long", "short_description")
        record = Record(f"INC00{next(self._numbers)}", {})
        self.write(record, body)
        self.records.append(record)
        return 201, {"result": record.shown(names)}

    def one(self, call: Call, sys_id: str, names: list[str]) -> tuple[int, Json]:
        found = next((r for r in self.records if r.sys_id == sys_id), None)
        if found is None:
            return 404, failure("No Record found", "Record doesn't exist")
        if call.method == "PATCH":
            body = call.json
            if body.get("state") in ("6", "7") and not all(map(body.get, CLOSE)):
                wrong = "The following mandatory fields are not filled in"
                return 403, failure("Operation Failed", f"{wrong}: {', '.join(CLOSE)}")
            self.write(found, body)
        return 200, {"result": found.shown(names)}

    def write(self, record: Record, body: Json) -> None:
        record.notes += [body["work_notes"]] if body.get("work_notes") else []
        record.fields |= {k: v for k, v in body.items() if k != "work_notes"}

    def matching(self, query: dict[str, str]) -> list[Record]:
        name, _is, value = query.get("sysparm_query", "").partition("=")
        found = [r for r in self.records if not name or r.fields.get(name) == value]
        return found[: int(query.get("sysparm_limit", "10"))]

    def token(self, form: dict[str, list[str]]) -> tuple[int, Json]:
        asked = (form.get("client_id"), form.get("client_secret"))
        if form.get("grant_type") != ["client_credentials"] or asked != (
            [self.user],
            [self.password],
        ):
            said = f"access_denied for {form.get('client_secret')}"
            return 401, {"error": "server_error", "error_description": said}
        self.given += 1
        token = f"token-{uuid4().hex}"
        self.tokens.add(token)
        return 200, {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": 1799,
            "scope": "useraccount",
        }

    def knows(self, proof: str) -> bool:
        kind, _space, value = proof.partition(" ")
        pair = f"{self.user}:{self.password}".encode()
        if kind == "Basic":
            return value == base64.b64encode(pair).decode()
        return kind == "Bearer" and value in self.tokens


def failure(message: str, detail: str = "") -> Json:
    return {"error": {"message": message, "detail": detail}, "status": "failure"}
