"""A space's webhook of Google Chat on loopback.

https://developers.google.com/workspace/chat/api/reference/rest/v1/spaces.messages/create
"""

from __future__ import annotations

from tests.fakes.vendor import FakeVendor, Json, Reply, Request

MOST_BYTES = 32_000
PATH = "/v1/spaces/AAAA/messages"


class FakeGoogleChat(FakeVendor):
    """See the module; `messages` have their thread's key. A requestId that is known
    says nothing anew."""

    def __init__(self) -> None:
        super().__init__()
        self.known: dict[str, Json] = {}

    def secret(self) -> dict[str, str]:
        query = f"key=AIzaSyD0000000&token={self.SECRET_TEXT}"
        return {"webhook_url": f"{self.url}{PATH}?{query}"}

    def act(self, request: Request) -> Reply:
        if request.path != PATH or request.query.get("token") != self.SECRET_TEXT:
            return error(401, "UNAUTHENTICATED", "Request had invalid credentials.")
        said = request.json
        if len(request.raw) > MOST_BYTES:
            return error(400, "INVALID_ARGUMENT", "Message cannot be larger")
        if not said.get("text") and not said.get("cardsV2"):
            return error(400, "INVALID_ARGUMENT", "Message cannot be empty.")
        for widget in widgets(said):
            for button in widget.get("buttonList", {}).get("buttons", []):
                if not button["onClick"]["openLink"]["url"].startswith("http"):
                    return error(400, "INVALID_ARGUMENT", "Invalid URL")
        once = request.query.get("requestId", "")
        if once in self.known:
            return Reply(200, self.known[once])
        number = len(self.messages) + 1
        key = said.get("thread", {}).get("threadKey", f"own-{number}")
        self.messages.append(said | {"key": key})
        answer = {
            "name": f"spaces/AAAA/messages/{number}",
            "thread": {"name": f"spaces/AAAA/threads/T-{key}"},
        }
        self.known[once] = answer
        return Reply(200, answer)

    def limited(self, seconds: int) -> Reply:
        reply = error(429, "RESOURCE_EXHAUSTED", "Resource has been exhausted")
        return Reply(429, reply.body, {"Retry-After": str(seconds)})

    def refusal(self) -> Reply:
        return error(403, "PERMISSION_DENIED", "Webhooks are not allowed here.")


def widgets(said: Json) -> list[Json]:
    """Return all widgets of a message's cards."""
    return [
        widget
        for card in said.get("cardsV2", [])
        for section in card["card"]["sections"]
        for widget in section["widgets"]
    ]


def error(code: int, status: str, message: str) -> Reply:
    return Reply(code, {"error": {"code": code, "message": message, "status": status}})
