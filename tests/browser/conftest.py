"""What does a browser test get? A running demo in simulation, and real Chromium."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from alertcenter.settings.env import ROOT
from tests.binaries import require_binary
from tests.stack import Stack

# Without them Chromium asks its maker's hosts at every start.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PASSWORD = "correct horse battery"
SHOTS = ROOT / "artifacts" / "screenshots"

PEOPLE = """
import sys
from django.contrib.auth.models import User
from alertcenter.common.ids import uuid7
from tenants.access import memberships
from tenants.models import Member, Tenant
from tenants.rls import in_tenant
from django.contrib.auth.hashers import make_password
password = make_password("{password}")
User.objects.filter(email__endswith="@acme.example").update(password=password)
charlie = User.objects.create(username="charlie", is_staff=True, password=password)
pk = uuid7()
with in_tenant(pk):
    tenant = Tenant.objects.create(pk=pk, slug="globex", name="Globex")
    Member.objects.create(tenant=tenant, user=charlie, role="owner", name="Charlie")
"""


class Town:
    """The demo's installation: Acme's people, and Charlie of Globex."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.url = stack.url
        self.key = ""

    def settle(self) -> None:
        self.stack.manage("shell", "-c", PEOPLE.format(password=PASSWORD))
        scopes = ["--scope", "ingest", "--scope", "read"]
        self.key = self.stack.manage("createapikey", "acme", *scopes).split()[-1]

    def fire(self, name: str, *, over: bool = False, summary: str = "", **labels: str):
        """Post one alert as Prometheus does; return the answer's status."""
        ends = datetime.now(UTC) + timedelta(minutes=0 if over else 5)
        alert: dict[str, Any] = {
            "labels": {"alertname": name, "severity": "critical"} | labels,
            "annotations": {"summary": summary} if summary else {},
            "endsAt": ends.isoformat(),
        }
        request = urllib.request.Request(
            f"{self.url}/t/acme/api/v2/alerts",
            json.dumps([alert]).encode(),
            {
                "Content-Type": "application/json",
                "Authorization": f"Bearer {self.key}",
            },
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status


@pytest.fixture(scope="session")
def town() -> Iterator[Town]:
    """One installation for all browser tests: starting it takes seconds."""
    require_binary("chromium")
    stack = Stack(demo=True, ALERTCENTER_SIMULATION="1")
    try:
        stack.start()
        made = Town(stack)
        made.settle()
        yield made
        stack.stop()
    finally:
        stack.remove()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser a module: while Playwright lives, an event loop runs in this
    thread, which tests of other rooms would find in their way."""
    with sync_playwright() as playwright:
        path = require_binary("chromium")
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


class Window(Page):
    """For annotations: a page whose complaints are kept in `complaints`."""

    complaints: list[str]


Opener = Callable[..., Page]


@pytest.fixture
def open_as(town: Town, chromium: Browser) -> Iterator[Opener]:
    """Open a page as somebody: `open_as("clara", "/t/acme/", locale="de")`.

    At the end every page's console must be clean: a violation of the content
    policy, a script error or a failed request fails the test.
    """
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def listen(page: Page) -> None:
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on(
            "console",
            lambda m: (
                complaints.append(m.text) if "Content Security" in m.text else None
            ),
        )

    def opened(who: str, path: str = "/", **given: Any) -> Page:
        context = chromium.new_context(base_url=town.url, **given)
        contexts.append(context)
        context.on("page", listen)
        page = context.new_page()
        if who:
            log_in(page, who)
        page.goto(path)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def log_in(page: Page, who: str) -> None:
    """Log in through the form, as people do."""
    page.goto("/login/")
    name = who if who == "charlie" else f"{who}@acme.example"
    page.fill("input[name=username]", name)
    page.fill("input[name=password]", PASSWORD)
    page.click("main button")
    page.wait_for_url("**/t/**")


def shoot(page: Page, name: str) -> None:
    """Keep a screenshot; the pipeline stores them."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}.png")
