"""Bob's telephone, and an account at the fake Twilio."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from notifications.channels.base import Parcel
from tests.fakes.twilio import ACCOUNT, FROM, TOKEN, FakeTwilio
from tests.notifications.scene import a_parcel

BOB = "+4915112345678"
LOOPBACK = [ip_network("127.0.0.0/8")]


def account(fake: FakeTwilio, **changes: Any) -> dict[str, Any]:
    """Return a channel's settings."""
    given = {"account_sid": ACCOUNT, "from_number": FROM, "api_url": fake.url}
    return given | {"callbacks": True} | changes


def to_bob(fake: FakeTwilio, kind: str = "page", **changes: Any) -> Parcel:
    """Return a text message's parcel; `settings` are added to the account's."""
    more = changes.pop("settings", {})
    given: dict[str, Any] = {
        "channel_kind": "sms",
        "address": BOB,
        "settings": account(fake, **more),
        "secret": {"auth_token": TOKEN},
        "title": "#12 Critical: Disks are full",
        "body": "Two disks are full.",
    }
    return a_parcel(kind, **given | changes)


class AtTheFake(TwilioHttpClient):
    """The SDK's own client, which finds the fake in place of api.twilio.com."""

    def __init__(self, fake: FakeTwilio) -> None:
        super().__init__()
        self.fake = fake

    def request(self, method: str, url: str, *given: Any, **named: Any) -> Any:
        where, here = urlsplit(url), urlsplit(self.fake.url)
        moved = where._replace(scheme=here.scheme, netloc=here.netloc)
        return super().request(method, urlunsplit(moved), *given, **named)


def sdk(fake: FakeTwilio, token: str = TOKEN) -> Client:
    """Return Twilio's SDK, talking to the fake."""
    return Client(ACCOUNT, token, http_client=AtTheFake(fake))
