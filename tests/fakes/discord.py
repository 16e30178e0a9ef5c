"""A Discord webhook on loopback: execute with ?wait=true, and edit.

https://docs.discord.com/developers/resources/webhook#execute-webhook
"""

from __future__ import annotations

from tests.fakes.vendor import FakeVendor, Json, Reply, Request

LIMITS = {"title": 256, "description": 4096}


class FakeDiscord(FakeVendor):
    """See the module."""

    def secret(self) -> dict[str, str]:
        return {"webhook_url": f"{self.url}{self.path}"}

    @property
    def path(self) -> str:
        return f"/api/webhooks/11111111/{self.SECRET_TEXT}"

    def act(self, request: Request) -> Reply:
        if not request.path.startswith(self.path):
            return Reply(401, {"message": "Invalid Webhook Token", "code": 50027})
        said = request.json
        if wrong := what_is_wrong(said):
            return Reply(400, {"message": wrong, "code": 50035})
        if request.query.get("with_components") != "true":
            said.pop("components", None)  # ignored, as Discord does
        if request.method == "PATCH":
            return self.edit(request.path.rpartition("/")[2], said)
        number = str(900_000 + len(self.messages))
        self.messages.append(said | {"id": number, "query": request.query})
        if request.query.get("wait") != "true":
            return Reply(204)
        return Reply(200, {"id": number, "channel_id": "777", "type": 0})

    def edit(self, number: str, said: Json) -> Reply:
        for at, one in enumerate(self.messages):
            if one["id"] == number:
                self.messages[at] = one | said
                return Reply(200, {"id": number, "channel_id": "777"})
        return Reply(404, {"message": "Unknown Message", "code": 10008})

    def limited(self, seconds: int) -> Reply:
        body = {
            "message": "You are being rate limited.",
            "retry_after": float(seconds),
            "global": False,
        }
        return Reply(429, body, {"X-RateLimit-Remaining": "0"})

    def refusal(self) -> Reply:
        return Reply(404, {"message": "Unknown Webhook", "code": 10015})


def what_is_wrong(said: Json) -> str:
    """Return the complaint about a message, "" for none."""
    embeds = said.get("embeds", [])
    if not embeds and not said.get("content"):
        return "Cannot send an empty message"
    if len(said.get("content", "")) > 2_000 or len(embeds) > 10:
        return "Invalid Form Body"
    for embed in embeds:
        texts = [embed.get("title", ""), embed.get("description", "")]
        if any(len(embed.get(name, "")) > most for name, most in LIMITS.items()):
            return "Invalid Form Body"
        for one in embed.get("fields", []):
            if not 1 <= len(one["name"]) <= 256 or not 1 <= len(one["value"]) <= 1_024:
                return "Invalid Form Body"
            texts += [one["name"], one["value"]]
        texts.append(embed.get("footer", {}).get("text", ""))
        if sum(map(len, texts)) > 6_000:
            return "Embed size exceeds maximum size of 6000"
    for row in said.get("components", []):
        if not 1 <= len(row["components"]) <= 5:
            return "Invalid Form Body"
        if any(len(b["url"]) > 512 or len(b["label"]) > 80 for b in row["components"]):
            return "Invalid Form Body"
    return ""
