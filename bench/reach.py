"""How long from the 2xx to Slack, and to a browser?

Alerts are sent one at a time, so that each figure is one alert's way through the
whole line: feed, flow, run, outbox, worker, Slack; and feed, flow, relay, socket.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import re
import time
import urllib.parse
from dataclasses import dataclass, field
from http.cookies import SimpleCookie

from websockets.asyncio.client import connect

from bench.figures import percentile, table
from tests.fakes.slack import FakeSlack
from tests.flows.world import World

PASSWORD = "a-good-password"
PATIENCE = 15.0
PAUSE = 0.1


@dataclass
class Reached:
    """Milliseconds from each 2xx; what never came is missing and counted."""

    slack: list[float] = field(default_factory=list)
    browser: list[float] = field(default_factory=list)
    sent: int = 0


def measure(world: World, slack: FakeSlack, number: int) -> Reached:
    """Send `number` alerts, each a group of its own, and watch both ends."""
    cookie = log_in(world, f"{world.slug}-alice")
    return asyncio.run(_measure(world, slack, number, cookie))


def show(found: Reached) -> str:
    rows = [
        [name, *(f"{percentile(values, p):.0f}" for p in (0.5, 0.95, 0.99)), arrived]
        for name, values, arrived in (
            ("Slack", found.slack, f"{len(found.slack)} of {found.sent}"),
            ("browser", found.browser, f"{len(found.browser)} of {found.sent}"),
        )
    ]
    head = ["from 2xx to", "p50 ms", "p95 ms", "p99 ms", "arrived"]
    return table("From the answer to people", head, rows)


async def _measure(world: World, slack: FakeSlack, number: int, cookie: str) -> Reached:
    address = world.stack.url.replace("http", "ws", 1) + f"/ws/{world.slug}/"
    headers = {"Cookie": cookie, "Origin": world.stack.url}
    seen: dict[str, int] = {}
    reached = Reached()
    async with connect(address, additional_headers=headers, max_size=None) as socket:
        reader = asyncio.create_task(_watch(socket, seen))
        answered: dict[str, int] = {}
        for index in range(number):
            title = f"reach-{index}-{time.time_ns()}"
            status = await asyncio.to_thread(world.fire, title)
            if status == 200:
                answered[title] = time.monotonic_ns()
            await asyncio.sleep(PAUSE)
        await _all_there(answered, seen, slack)
        reader.cancel()
    reached.sent = len(answered)
    paged = arrivals(slack)
    for title, at in answered.items():
        if title in paged:
            reached.slack.append(max(0, paged[title] - at) / 1e6)
        if title in seen:
            reached.browser.append(max(0, seen[title] - at) / 1e6)
    return reached


async def _watch(socket: object, seen: dict[str, int]) -> None:
    async for text in socket:  # type: ignore[attr-defined]
        now = time.monotonic_ns()
        frame = json.loads(text)
        for group in frame.get("groups", []):
            seen.setdefault(group["title"], now)


async def _all_there(
    answered: dict[str, int], seen: dict[str, int], slack: FakeSlack
) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if set(answered) <= set(seen) and set(answered) <= set(arrivals(slack)):
            return
        await asyncio.sleep(0.1)


def arrivals(slack: FakeSlack) -> dict[str, int]:
    """Return when each alert's first message reached Slack, by title."""
    found: dict[str, int] = {}
    for call in list(slack.requests):
        if call.method == "chat.postMessage":
            title = re.search(r"reach-\d+-\d+", json.dumps(call.json))
            if title:
                found.setdefault(title.group(), call.monotonic_ns)
    return found


def log_in(world: World, username: str) -> str:
    """Return the Cookie header of a logged-in member, as a browser gets it."""
    host = urllib.parse.urlsplit(world.stack.url).netloc
    cookies: SimpleCookie = SimpleCookie()
    connection = http.client.HTTPConnection(host, timeout=10)
    connection.request("GET", "/admin/login/")
    first = connection.getresponse()
    page = first.read().decode()
    take(cookies, first)
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    form = {
        "username": username,
        "password": PASSWORD,
        "csrfmiddlewaretoken": token.group(1) if token else "",
        "next": "/",
    }
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Cookie": as_header(cookies),
        "Referer": f"{world.stack.url}/admin/login/",
    }
    body = urllib.parse.urlencode(form)
    connection.request("POST", "/admin/login/", body, headers)
    second = connection.getresponse()
    second.read()
    connection.close()
    take(cookies, second)
    if second.status != http.client.FOUND:
        raise SystemExit(f"bench: {username} cannot log in ({second.status}).")
    return as_header(cookies)


def take(cookies: SimpleCookie, response: http.client.HTTPResponse) -> None:
    for value in response.headers.get_all("Set-Cookie") or []:
        cookies.load(value)


def as_header(cookies: SimpleCookie) -> str:
    return "; ".join(f"{name}={one.value}" for name, one in cookies.items())
