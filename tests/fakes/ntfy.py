"""An ntfy server on loopback that takes JSON. https://docs.ntfy.sh/publish/"""

from __future__ import annotations

from tests.fakes.vendor import FakeVendor, Json, Reply, Request

MESSAGE_BYTES, BODY_BYTES = 4_096, 8_192


class FakeNtfy(FakeVendor):
    """See the module. `messages` are the notifications that a phone shows: what has
    the sequence of another one stands in its place. `old`: before version 2.16."""

    SECRET_TEXT = "tk_s3cr3tpiece0123456789abcde"

    def __init__(self, *, old: bool = False) -> None:
        super().__init__()
        self.old = old

    def settings(self) -> Json:
        return {"topic": "acme-alerts", "url": self.url}

    def secret(self) -> dict[str, str]:
        return {"token": self.SECRET_TEXT}

    def act(self, request: Request) -> Reply:
        if request.headers.get("authorization") != f"Bearer {self.SECRET_TEXT}":
            return error(403, 40301, "forbidden")
        if request.path != "/" or len(request.raw) > BODY_BYTES:
            return error(413, 41301, "entity too large")
        said = request.json
        if not said.get("topic"):
            return error(400, 40009, "invalid request: topic invalid")
        if not 1 <= said.get("priority", 3) <= 5 or len(said.get("actions", [])) > 3:
            return error(400, 40007, "invalid request")
        if len(said["message"].encode()) > MESSAGE_BYTES:
            said["attached"] = True
        number = f"m{len(self.requests)}"
        answer = {"id": number, "event": "message", "topic": said["topic"]}
        if self.old:
            said.pop("sequence_id", None)
        elif said.get("sequence_id"):
            answer["sequence_id"] = said["sequence_id"]
        self.show(said | {"id": number})
        return Reply(200, answer)

    def show(self, said: Json) -> None:
        for at, one in enumerate(self.messages):
            if (
                said.get("sequence_id")
                and one.get("sequence_id") == said["sequence_id"]
            ):
                self.messages[at] = said
                return
        self.messages.append(said)

    def limited(self, seconds: int) -> Reply:
        reply = error(429, 42901, "limit reached: too many requests")
        return Reply(429, reply.body, {"Retry-After": str(seconds)})

    def refusal(self) -> Reply:
        return error(403, 40301, "forbidden")


def error(status: int, code: int, text: str) -> Reply:
    return Reply(status, {"code": code, "http": status, "error": text})
