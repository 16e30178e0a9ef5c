"""Does a browser take our notifications, and do its buttons act?

Chromium reaches no push service here: its subscription is made up in the page, and what
the service would bring is handed to the worker by the browser's own debugger.
"""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Page, Worker, expect

from tests.browser.conftest import SHOTS, Opener, Town, shoot
from tests.fakes.push import FakeBrowser, FakePush

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

SOON = 15_000
LOOKS: list[tuple[str, dict[str, Any]]] = [
    ("desktop-light", {"viewport": {"width": 1280, "height": 800}}),
    (
        "desktop-dark",
        {"viewport": {"width": 1280, "height": 800}, "color_scheme": "dark"},
    ),
    ("phone-light", {"viewport": {"width": 390, "height": 844}}),
    (
        "phone-dark",
        {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"},
    ),
]
WIDE = "document.documentElement.scrollWidth > innerWidth"
MADE_UP = """
const made = %s;
window.asked = 0;
const real = Notification.requestPermission.bind(Notification);
Notification.requestPermission = () => { window.asked += 1; return real(); };
let held = null;
const one = { endpoint: made.endpoint, toJSON: () => made };
PushManager.prototype.subscribe = async (options) => {
  window.wanted = options;
  return (held = one);
};
PushManager.prototype.getSubscription = async () => held;
"""
# What the browser took to show. Asked for later, Chromium without a window has often
# forgotten it, as nothing shows it there.
RECORD = """
() => {
  self.shown = null;
  const show = self.registration.showNotification.bind(self.registration);
  self.registration.showNotification = async (title, options) => {
    await show(title, options);
    self.shown = { title, ...options };
  };
}
"""
CLICK = """
async ([action, answer]) => {
  const called = [];
  self.fetch = async (url, options) => {
    called.push([url, options.method, options.credentials]);
    return new Response("", { status: answer });
  };
  self.clients.openWindow = async (url) => { called.push([url, "open", ""]); };
  const event = new Event("notificationclick");
  let done;
  Object.assign(event, {
    action,
    notification: { ...self.shown, close() {} },
    waitUntil: (promise) => { done = promise; },
  });
  self.dispatchEvent(event);
  await done;
  return called;
}
"""
SHOWN = """
() => self.shown
  && [self.shown.title, self.shown.body, (self.shown.actions ?? []).map((a) => a.title)]
"""


def prepared(page: Page) -> None:
    browser = FakeBrowser(FakePush(), "made-up")
    browser.endpoint = "https://push.example/send/made-up"
    page.add_init_script(MADE_UP % json.dumps(browser.subscription))


def subscribed(town: Town, open_as: Opener) -> Page:
    page = open_as("clara", "/t/acme/", locale="en", permissions=["notifications"])
    prepared(page)
    page.goto("/t/acme/")
    button = page.locator("#push")
    expect(button).to_have_attribute("aria-pressed", "false", timeout=SOON)
    expect(button).to_be_visible(timeout=SOON)
    assert page.evaluate("window.asked") == 0
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true", timeout=SOON)
    return page


def deliver(page: Page, town: Town, said: dict[str, Any]) -> Worker:
    """Bring a message to the worker, as the push service would; return the worker once
    the browser has taken what is to be shown."""
    (worker,) = page.context.service_workers
    worker.evaluate(RECORD)
    debugger = page.context.new_cdp_session(page)
    seen: list[str] = []
    debugger.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda event: seen.extend(r["registrationId"] for r in event["registrations"]),
    )
    debugger.send("ServiceWorker.enable")
    for _ in range(50):
        if seen:
            break
        page.wait_for_timeout(100)
    given = {"origin": town.url, "registrationId": seen[0], "data": json.dumps(said)}
    debugger.send("ServiceWorker.deliverPushMessage", given)
    for _ in range(50):
        if worker.evaluate(SHOWN):
            break
        page.wait_for_timeout(100)
    return worker


def message(town: Town) -> dict[str, Any]:
    return {
        "title": "Critical: Disk full",
        "body": "db-3 is full",
        "severity": 5,
        "tag": uuid4().hex,  # contexts of one Chromium share them
        "url": f"{town.url}/t/acme/groups/1",
        "silent": False,
        "actions": [
            {"action": "acknowledge", "title": "Acknowledge", "url": f"{town.url}/a/x"},
            {"action": "open", "title": "Open", "url": f"{town.url}/t/acme/groups/1"},
        ],
    }


def test_permission_is_asked_for_on_a_click_and_the_worker_minds_the_whole_site(
    town: Town, open_as: Opener
):
    page = subscribed(town, open_as)
    assert page.evaluate("window.asked") == 1
    wanted = page.evaluate("window.wanted")
    assert wanted["userVisibleOnly"] is True
    assert len(wanted["applicationServerKey"]) == 87  # 65 bytes, base64url
    scope = page.evaluate(
        "navigator.serviceWorker.ready.then((one) => [one.scope, one.active.scriptURL])"
    )
    assert scope == [f"{town.url}/", f"{town.url}/push-worker.js"]
    page.goto("/admin/my-notifications/")
    shown = page.locator("#contacts-group").inner_html()
    assert "Chrome Linux " in shown
    assert "push.example" not in page.content()
    page.goto("/t/acme/")
    page.locator("#push").click()  # a new page: the made-up browser holds nothing
    pressed = page.locator("#push[aria-pressed=true]")
    expect(pressed).to_be_visible(timeout=SOON)
    pressed.click()
    expect(page.locator("#push[aria-pressed=false]")).to_be_visible(timeout=SOON)
    page.goto("/admin/my-notifications/")
    assert "Chrome Linux " not in page.locator("#contacts-group").inner_html()


def test_a_push_is_shown_and_its_buttons_act(town: Town, open_as: Opener):
    page = subscribed(town, open_as)
    worker = deliver(page, town, message(town))
    assert worker.evaluate(SHOWN) == [
        "Critical: Disk full",
        "db-3 is full",
        ["Acknowledge", "Open"],
    ]
    called = worker.evaluate(CLICK, ["acknowledge", 200])
    assert called == [[f"{town.url}/a/x", "POST", "omit"]]
    title, _body, actions = worker.evaluate(SHOWN)
    assert (title, actions) == ("✓ Acknowledge: Critical: Disk full", [])


@pytest.mark.parametrize(
    ("action", "status"), [("open", 200), ("", 200), ("acknowledge", 410)]
)
def test_anything_else_opens_the_group(town: Town, open_as: Opener, action, status):
    page = subscribed(town, open_as)
    worker = deliver(page, town, message(town))
    called = worker.evaluate(CLICK, [action, status])
    assert called[-1] == [f"{town.url}/t/acme/groups/1", "open", ""]


def test_a_message_cannot_lead_elsewhere(town: Town, open_as: Opener):
    page = subscribed(town, open_as)
    evil = message(town) | {"url": "https://evil.example/"}
    evil["actions"] = [
        {"action": "acknowledge", "title": "x", "url": "https://evil.example/"}
    ]
    called = deliver(page, town, evil).evaluate(CLICK, ["acknowledge", 200])
    assert called == [[f"{town.url}/", "open", ""]]


@pytest.mark.parametrize(("name", "look"), LOOKS, ids=[name for name, _look in LOOKS])
def test_the_pages_look_right(town: Town, open_as: Opener, name, look):
    page = open_as("clara", "/t/acme/", locale="en", **look)
    expect(page.locator("#push")).to_be_visible(timeout=SOON)
    assert not page.evaluate(WIDE)
    shoot(page, f"push-dashboard-{name}")
    page.goto("/admin/my-notifications/")
    expect(page.locator("#personal_steps-group h2")).to_be_visible()
    shoot(page, f"personal-{name}")
    assert not page.evaluate(WIDE)
    page.locator("#quiet_hours-group .add-row a").click()
    page.locator("#personal_steps-group").screenshot(path=SHOTS / f"steps-{name}.png")
    page.locator("#quiet_hours-group").screenshot(path=SHOTS / f"quiet-{name}.png")
    page.locator("#personal_rules-group").screenshot(path=SHOTS / f"rule-{name}.png")
    page.locator("button.deed").first.click()
    expect(page.locator("td", has_text="simulated").first).to_be_visible(timeout=60_000)
    shoot(page, f"chain-test-{name}")
    assert not page.evaluate(WIDE)
