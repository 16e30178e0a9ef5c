"""A service that Apprise reaches by json://: https://appriseit.com/services/json/"""

from __future__ import annotations

from tests.fakes.vendor import FakeVendor, Reply, Request


class FakeJson(FakeVendor):
    """See the module."""

    def secret(self) -> dict[str, str]:
        host = self.url.removeprefix("http://")
        return {"url": f"json://user:{self.SECRET_TEXT}@{host}/hook"}

    def act(self, request: Request) -> Reply:
        self.messages.append(request.json)
        return Reply(200)
