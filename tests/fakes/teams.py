"""A Power Automate flow on loopback that posts Adaptive Cards to a channel.

It answers 202 with nothing, as the trigger "When a Teams webhook request is received"
does; `messages` are the cards.
"""

from __future__ import annotations

import json

from tests.fakes.vendor import FakeVendor, Json, Reply, Request

# https://learn.microsoft.com/connectors/teams/#known-issues-and-limitations-with-actions
MOST_BYTES = 28 * 1024
ELEMENTS = {"TextBlock", "RichTextBlock", "Container", "ColumnSet", "FactSet"}


class FakeTeams(FakeVendor):
    """See the module."""

    def secret(self) -> dict[str, str]:
        path = f"/workflows/abc/triggers/manual/paths/invoke?sig={self.SECRET_TEXT}"
        return {"webhook_url": self.url + path}

    def act(self, request: Request) -> Reply:
        if request.query.get("sig") != self.SECRET_TEXT:
            return self.refusal()
        if len(request.raw) > MOST_BYTES:
            return Reply(
                413, error("RequestEntityTooLarge", "Request Entity too large")
            )
        body = request.json
        if wrong := what_is_wrong(body):
            return Reply(400, error("TriggerInputSchemaMismatch", wrong))
        self.messages.append(body["attachments"][0]["content"])
        return Reply(202)

    def refusal(self) -> Reply:
        text = "The authentication credentials are not valid."
        return Reply(401, error("DirectApiAuthorizationRequired", text))


def error(code: str, message: str) -> Json:
    return {"error": {"code": code, "message": message}}


def what_is_wrong(body: Json) -> str:
    """Return the complaint about a message, "" for none."""
    if body.get("type") != "message" or len(body.get("attachments", ())) != 1:
        return "a message has one attachment"
    attachment = body["attachments"][0]
    if attachment["contentType"] != "application/vnd.microsoft.card.adaptive":
        return "no Adaptive Card"
    card = attachment["content"]
    if card.get("type") != "AdaptiveCard" or card.get("version") not in ("1.4", "1.5"):
        return "no card of a version that Teams shows"
    if any(element["type"] not in ELEMENTS for element in card["body"]):
        return "an element that Teams does not know"
    actions = card.get("actions", [])
    if len(actions) > 6 or any(not a["url"].startswith("http") for a in actions):
        return "actions that Teams does not take"
    return ""


def shown(card: Json) -> str:
    """Return all that stands on the card."""
    return json.dumps(card, ensure_ascii=False)
