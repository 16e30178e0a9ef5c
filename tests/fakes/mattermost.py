"""A Mattermost on loopback: incoming webhooks, and posts of a bot.

https://developers.mattermost.com/api-documentation/#/operations/CreatePost
"""

from __future__ import annotations

import re

from tests.fakes.vendor import FakeVendor, Json, Reply, Request

MOST_CHARS = 16_383
MENTION = re.compile(r"@(channel|all|here|[a-z][a-z0-9._-]+)", re.IGNORECASE)
CHANNEL = "c" * 26


class FakeMattermost(FakeVendor):
    """See the module. `as_webhook` and `as_bot` are the two ways to reach it."""

    SECRET_TEXT = "s3cr3tpiece0123456789abcde"

    def secret(self) -> dict[str, str]:
        return {"bot_token": self.SECRET_TEXT}

    def settings(self) -> Json:
        return {"url": self.url, "channel_id": CHANNEL}

    def hook(self) -> dict[str, str]:
        return {"webhook_url": f"{self.url}/hooks/{self.SECRET_TEXT}"}

    def act(self, request: Request) -> Reply:
        said = request.json
        if request.path.startswith("/hooks/"):
            if request.path != f"/hooks/{self.SECRET_TEXT}":
                return error(400, "Invalid webhook.")
            return self.post(said, said["text"], said["attachments"], "ok")
        if request.headers.get("authorization") != f"Bearer {self.SECRET_TEXT}":
            return error(401, "Invalid or expired session, please login again.")
        attachments = said["props"]["attachments"]
        if request.path == "/api/v4/posts":
            return self.post(said, said["message"], attachments, None)
        return self.patch(request.path.split("/")[4], said)

    def post(
        self, said: Json, text: str, attachments: list[Json], answer: str | None
    ) -> Reply:
        if not text and not attachments:
            return error(400, "Invalid message.")
        if len(text) + sum(len(a["text"]) for a in attachments) > MOST_CHARS:
            return error(400, "Message property is too long.")
        roots = {one["id"] for one in self.messages}
        if said.get("root_id") and said["root_id"] not in roots:
            return error(400, "Invalid RootId parameter.")
        number = f"{len(self.messages):026d}"
        self.messages.append(said | {"id": number})
        return Reply(200, answer) if answer else Reply(201, {"id": number})

    def patch(self, number: str, said: Json) -> Reply:
        for at, one in enumerate(self.messages):
            if one["id"] == number:
                self.messages[at] = one | said
                return Reply(200, {"id": number})
        return error(404, "Unable to get the post.")

    def limited(self, seconds: int) -> Reply:
        headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(seconds)}
        return Reply(429, "limit exceeded", headers)

    def refusal(self) -> Reply:
        return error(403, "You do not have the appropriate permissions.")


def error(status: int, message: str) -> Reply:
    return Reply(status, {"id": "api.x.app_error", "message": message})


def mentions(text: str) -> list[str]:
    """Return who is told by name."""
    return MENTION.findall(text)
