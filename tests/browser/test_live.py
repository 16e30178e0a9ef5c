"""What one does, everybody sees: two browsers, cuts, outsiders, strange texts."""

from __future__ import annotations

import json
import signal
import time

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Opener, Town, shoot
from tests.stack import until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

SECOND = 1_000
SOON = 10 * SECOND
EVIL = [
    "<script>window.hit=1</script>",
    "<img src=x onerror=window.hit=1>",
    '"><svg onload=window.hit=1>',
    "javascript:window.hit=1",
    "{{constructor.constructor('window.hit=1')()}}",
    "</script><script>window.hit=1</script>",
    "\u202egnirts desrever",
    "line\u2028separator",
]


def row(page: Page, text: str) -> Locator:
    return page.locator(".row").filter(has_text=text)


def live(page: Page) -> None:
    expect(page.locator("#pill")).to_have_attribute(
        "data-state", "live", timeout=30_000
    )


def test_a_click_in_one_browser_shows_in_the_other_within_a_second(
    town: Town, open_as: Opener
):
    ana, clara = open_as("ana", "/t/acme/"), open_as("clara", "/t/acme/")
    live(ana)
    live(clara)
    town.fire("TwoBrowsers", cluster="two")
    for page in (ana, clara):
        expect(row(page, "TwoBrowsers")).to_be_visible(timeout=SOON)
    row(ana, "TwoBrowsers").locator("[data-act=acknowledge]").click()
    begun = time.monotonic()
    there = row(clara, "TwoBrowsers")
    expect(there.locator(".state-acknowledged")).to_be_visible(timeout=SECOND)
    assert time.monotonic() - begun < 1
    expect(there.locator(".by")).to_contain_text("Ana Moreau")
    town.fire("TwoBrowsers", cluster="two", over=True)
    for page in (ana, clara):
        expect(row(page, "TwoBrowsers").locator(".state-resolved")).to_be_visible(
            timeout=SOON
        )


def test_a_resolve_is_undone_from_its_toast(town: Town, open_as: Opener):
    page = open_as("clara", "/t/acme/")
    live(page)
    town.fire("TooSoon", cluster="undo")
    there = row(page, "TooSoon")
    expect(there).to_be_visible(timeout=SOON)
    there.locator("[data-act=resolve]").click()
    expect(there.locator(".state-resolved")).to_be_visible(timeout=SOON)
    page.locator("#toasts button").first.click()
    expect(there.locator(".state-firing")).to_be_visible(timeout=SOON)
    expect(there.locator("[data-act=acknowledge]")).to_be_visible(timeout=SOON)
    town.fire("TooSoon", cluster="undo", over=True)
    expect(there.locator(".state-resolved")).to_be_visible(timeout=SOON)


def test_a_screen_survives_the_end_of_the_web_process(town: Town, open_as: Opener):
    page = open_as("clara", "/t/acme/")
    live(page)
    page.evaluate("window.kept = true")
    town.stack.kill("web", signal.SIGKILL)
    expect(page.locator("#pill")).to_have_attribute("data-state", "reconnecting")
    until(lambda: answered(town), 30)
    town.fire("AfterTheKill", cluster="kill")
    expect(row(page, "AfterTheKill")).to_be_visible(timeout=30_000)
    live(page)
    assert page.evaluate("window.kept")


def answered(town: Town) -> bool:
    try:
        return bool(town.fire("Probe", cluster="probe") == 200)
    except OSError:
        return False


def test_a_screen_goes_on_when_redis_dies(town: Town, open_as: Opener):
    page = open_as("clara", "/t/acme/")
    live(page)
    town.stack.kill("redis", signal.SIGKILL)
    town.fire("WithoutRedis", cluster="redis")
    expect(row(page, "WithoutRedis")).to_be_visible(timeout=SOON)


def test_an_outsider_gets_neither_page_nor_socket(town: Town, open_as: Opener):
    page = open_as("charlie", "/t/globex/")
    live(page)
    answers = [
        page.request.get(path).status
        for path in (
            "/t/acme/",
            "/t/acme/pulse/",
            "/t/acme/groups/1",
            "/outbox/?tenant=acme",
        )
    ]
    assert answers == [404] * 4
    script = """slug => new Promise(done => {
        const socket = new WebSocket(`ws://${location.host}/ws/${slug}/`);
        socket.onopen = () => done("open"); socket.onclose = () => done("closed");
    })"""
    assert page.evaluate(script, "acme") == "closed"
    assert page.evaluate(script, "nowhere") == "closed"
    assert page.evaluate(script, "globex") == "open"


def test_strange_texts_stay_texts_everywhere(town: Town, open_as: Opener):
    for number, text in enumerate(EVIL):
        town.fire(text, cluster=f"evil-{number}", note=text, summary=text)
    page = open_as("clara", "/t/acme/?q=cluster%3Devil")
    expect(page.locator(".row")).to_have_count(len(EVIL), timeout=SOON)
    assert page.locator(".row script, .row img").count() == 0
    shown = json.dumps(page.locator(".row .title").all_inner_texts())
    assert "<img src=x onerror=window.hit=1>" in shown
    page.locator(".row .title").first.click()
    expect(page.locator(".alerts tbody tr")).to_have_count(1)
    assert page.evaluate("window.hit") is None
    page.goto("/outbox/")
    expect(page.locator(".post").first).to_be_visible(timeout=30_000)
    assert page.evaluate("window.hit") is None


def test_a_press_in_the_outbox_acknowledges_everywhere(town: Town, open_as: Opener):
    board, outbox = open_as("ana", "/t/acme/"), open_as("ben", "/outbox/")
    town.fire("PressedInSlack", cluster="press", team="database")
    expect(row(board, "PressedInSlack")).to_be_visible(timeout=SOON)
    card = outbox.locator(".post").filter(has_text="PressedInSlack").first
    expect(card).to_be_visible(timeout=40_000)
    outbox.select_option("#user", label="Clara Weiß")
    card.locator(".s-primary").click()
    taken = row(board, "PressedInSlack")
    expect(taken.locator(".state-acknowledged")).to_be_visible(timeout=SOON)
    expect(taken.locator(".by")).to_contain_text("Clara Weiß")
    expect(card.locator(".thread")).to_contain_text("Clara Weiß", timeout=30_000)
    expect(card.locator(".s-primary")).to_have_count(0, timeout=SOON)
    shoot(outbox, "outbox")
    taken.locator(".title").click()
    expect(board.locator(".timeline")).to_contain_text("Clara Weiß")
    expect(board.locator(".sent")).to_contain_text("#database")
    shoot(board, "group")


def test_the_keyboard_is_enough(town: Town, open_as: Opener):
    town.fire("ByKeyboard", cluster="keys")
    page = open_as("clara", "/t/acme/?q=ByKeyboard")
    target = row(page, "ByKeyboard")
    expect(target).to_be_visible(timeout=SOON)
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator("#bulk")).to_be_visible()
    page.keyboard.press("a")
    expect(target.locator(".state-acknowledged")).to_be_visible(timeout=SOON)
    expect(page.locator("#bulk")).to_be_hidden()
    page.keyboard.press("u")
    expect(target.locator(".state-firing")).to_be_visible(timeout=SOON)
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.type(" r")  # letters in the search are letters
    expect(target).to_be_visible()
    expect(target.locator(".state-firing")).to_be_visible()


def test_a_paused_list_waits_and_tells_how_much(town: Town, open_as: Opener):
    page = open_as("clara", "/t/acme/?q=Paused")
    live(page)
    page.keyboard.press("p")
    town.fire("PausedList", cluster="paused")
    expect(page.locator("#news")).to_be_visible(timeout=SOON)
    assert row(page, "PausedList").count() == 0
    page.locator("#news").click()
    expect(row(page, "PausedList")).to_be_visible()


def test_filters_live_in_the_address(town: Town, open_as: Opener):
    town.fire("FilterMe", cluster="filter", severity="warning")
    page = open_as("clara", "/t/acme/?q=FilterMe")
    expect(row(page, "FilterMe")).to_be_visible(timeout=SOON)
    page.locator("#severities [data-severity='5']").click()
    expect(row(page, "FilterMe")).to_have_count(0)
    page.locator("#severities [data-severity='3']").click()
    expect(row(page, "FilterMe")).to_be_visible()
    assert "severity=3%2C5" in page.url
    page.reload()
    expect(row(page, "FilterMe")).to_be_visible(timeout=SOON)
    page.locator("#states [data-state=resolved]").click()
    expect(page.locator("#empty")).to_be_visible()


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("light", {"viewport": {"width": 1360, "height": 900}}),
        ("dark", {"viewport": {"width": 1360, "height": 900}, "color_scheme": "dark"}),
        ("phone", {"viewport": {"width": 390, "height": 844}}),
    ],
)
def test_nothing_spills_over_at_any_width(town: Town, open_as: Opener, name, given):
    town.fire("A" * 200, cluster="width", label="v" * 300)
    page = open_as("clara", "/t/acme/", **given)
    expect(row(page, "AAAA")).to_be_visible(timeout=SOON)
    shoot(page, f"dashboard-{name}")
    for path in ("/t/acme/", "/outbox/", "/t/acme/groups/1", "/t/acme/silences"):
        page.goto(path)
        wide = "document.documentElement.scrollWidth > innerWidth"
        assert not page.evaluate(wide), path


def test_a_storm_shows_its_funnel(town: Town, open_as: Opener):
    page = open_as("ben", "/outbox/")
    page.select_option("select[name=speed]", "10")
    page.click("#storm-start")
    expect(page.locator("#f-alerts")).to_have_text("400", timeout=60_000)
    until(lambda: int(page.inner_text("#f-notifications")) > 0, 60)
    groups = int(page.inner_text("#f-groups"))
    assert groups == 3
    expect(page.locator("#f-notifications")).to_have_text("3", timeout=60_000)
    shoot(page, "storm")
    page.click("#storm-stop")
    expect(page.locator("#storm-stop")).to_be_hidden(timeout=30_000)
