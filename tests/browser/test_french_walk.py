"""A person who speaks French sets up a second tenant, from the door to the first
acknowledged alert, with the browser alone."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.binaries import require_binary
from tests.browser.conftest import SHOTS
from tests.browser.french import assert_french
from tests.stack import Stack

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

PASSWORD = "un long chemin de nuit"
TENANT, SLUG = "Boulangerie Dupont", "dupont"
MEMBER, EMAIL, SLACK_ID = "Zoé Dupont", "zoe@dupont.example", "U0ZOE"
CHANNEL, PLACE = "Salle de garde", "#garde"
RULE, ROUTE, POLICY, KEY = "Fours importants", "Fours", "Boulangers", "Sonde des fours"
ALERT = "FourTropChaud"
# Everything typed in is content, which nobody translates; so is what protocols fix.
CONTENT = (
    *(TENANT, SLUG, MEMBER, EMAIL, SLACK_ID, CHANNEL, PLACE, RULE, ROUTE, POLICY, KEY),
    *(
        ALERT,
        "AlertCenter",
        "admin",
        "Slack",
        "SIMULATION",
        "Acme",
        "Prometheus",
        "English",
    ),
    *("DiskWillFillIn4Hours", "equipe=four", "equipe", "four", "localhost.invalid"),
)
SLOW = 20_000


@pytest.fixture(scope="module")
def house() -> Iterator[Stack]:
    """An installation in simulation, with the demo's tenant as the first one."""
    require_binary("chromium")
    stack = Stack(demo=True, ALERTCENTER_SIMULATION="1")
    try:
        stack.start()
        yield stack
        stack.stop()
    finally:
        stack.remove()


class Walk:
    """One browser window, and what it has complained about."""

    def __init__(self, page: Page, house: Stack) -> None:
        self.page, self.house = page, house
        self.complaints: list[str] = []
        self.english: list[str] = []
        self.number = 0
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on(
            "console",
            lambda m: self.complaints.append(m.text) if m.type == "error" else None,
        )

    def look(self, name: str) -> None:
        """Keep a picture, and note every text that is not French."""
        self.number += 1
        folder = SHOTS / "french-walk"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.number:02}-{name}.png"
        self.page.screenshot(path=path, full_page=True)
        try:
            assert_french(self.page, *CONTENT)
        except AssertionError as error:
            self.english.append(f"{name}: {error}")

    def add(self, model: str) -> None:
        """From the first page of the admin to the form of a new `model`."""
        self.page.goto("/admin/")
        self.page.click(f"#content a.addlink[href$='/{model}/add/']")

    def save(self, name: str) -> None:
        """Look at the filled form, save it, and see that it was taken."""
        self.look(f"{name}-filled")
        self.page.click("input[name=_save]")
        errors = self.page.locator(".errornote, .errorlist").all_inner_texts()
        assert not errors, errors
        self.look(f"{name}-saved")


def test_from_the_door_to_the_acknowledged_alert_in_french(
    house: Stack, chromium: Browser
):
    context = chromium.new_context(base_url=house.url, locale="fr-FR")
    walk = Walk(context.new_page(), house)
    walk.page.set_default_timeout(SLOW)
    log_in(walk)
    make_tenant(walk)
    make_member(walk)
    key = make_key(walk)
    make_channel(walk)
    word_template(walk)
    make_rule(walk)
    make_policy(walk)
    make_route(walk)
    number = receive_alert(walk, key)
    press_in_outbox(walk)
    see_it_everywhere(walk, number)
    context.close()
    assert walk.complaints == []
    assert not walk.english, "\n" + "\n".join(walk.english)


def log_in(walk: Walk) -> None:
    walk.page.goto("/admin/")
    if walk.page.locator("html").get_attribute("lang") != "fr":
        walk.page.select_option("#language-chooser", "fr")
    expect(walk.page.locator("html")).to_have_attribute("lang", "fr")
    walk.look("login")
    walk.page.fill("input[name=username]", "admin")
    walk.page.fill("input[name=password]", walk.house.password)
    walk.page.click("#login-form input[type=submit], main button[type=submit]")
    walk.page.wait_for_url("**/admin/")
    if walk.page.locator("html").get_attribute("lang") != "fr":
        walk.page.select_option("#language-chooser", "fr")
        expect(walk.page.locator("html")).to_have_attribute("lang", "fr")
    walk.look("overview")


def make_tenant(walk: Walk) -> None:
    walk.add("tenant")
    walk.page.fill("#id_name", TENANT)
    walk.page.fill("#id_slug", SLUG)
    walk.page.select_option("#id_language", "fr")
    walk.page.fill("#id_time_zone", "Europe/Paris")
    walk.save("tenant")
    expect(walk.page.locator("h1")).to_have_text(TENANT)


def make_member(walk: Walk) -> None:
    walk.add("member")
    walk.page.fill("#id_name", MEMBER)
    walk.page.fill("#id_email", EMAIL)
    walk.page.select_option("#id_role", "responder")
    walk.page.select_option("#id_language", "fr")
    walk.page.fill("#id_time_zone", "Europe/Paris")
    walk.page.fill("#id_password", PASSWORD)
    walk.page.select_option("#id_contacts-0-kind", "slack")
    walk.page.fill("#id_contacts-0-address", SLACK_ID)
    walk.save("member")


def make_key(walk: Walk) -> str:
    walk.add("apikey")
    walk.page.fill("#id_name", KEY)
    walk.page.check("input[name=scopes][value=ingest]")
    walk.save("key")
    return walk.page.locator("#new-key").inner_text()


def make_channel(walk: Walk) -> None:
    walk.add("channel")
    walk.page.click("ul.choices a[href='?kind=slack']")
    walk.page.fill("#id_name", CHANNEL)
    walk.page.fill("#id_channel", PLACE)
    walk.save("channel")
    walk.page.click(f"#result_list a:has-text('{CHANNEL}')")
    walk.page.click("form[action$='/do/send_test/'] button")
    expect(walk.page.locator(".messagelist .success")).to_be_visible()
    walk.look("channel-tested")


def word_template(walk: Walk) -> None:
    walk.page.goto("/admin/")
    walk.page.click("#content a[href$='/messagetemplate/']")
    walk.page.click("#changelist-filter a[href*='channel_kind__exact=slack']")
    walk.page.wait_for_url("**channel_kind__exact=slack**")
    walk.page.click("#changelist-filter a[href*='kind__exact=firing']")
    walk.page.wait_for_url("**kind__exact=firing**")
    walk.page.click("#result_list tbody th a")
    walk.page.click("a[href='#tab_id_body_fr']")
    walk.page.fill("#id_body_fr", "Les fours chauffent trop : {{ title }}")
    walk.page.select_option("select[name=preview_language]", "fr")
    frame = walk.page.frame_locator("iframe.preview-frame")
    expect(frame.locator("body")).to_contain_text("Les fours chauffent trop")
    walk.save("template")


def make_rule(walk: Walk) -> None:
    walk.add("rule")
    walk.page.fill("#id_name", RULE)
    walk.page.fill("#id_matchers", 'atelier="nuit"')
    walk.page.select_option("#id_set_severity", "5")
    walk.page.fill("#id_set_labels", "equipe=four")
    walk.save("rule")


def make_policy(walk: Walk) -> None:
    walk.add("policy")
    walk.page.fill("#id_name", POLICY)
    walk.page.select_option("#id_steps-0-kind", "channel")
    walk.page.select_option("#id_steps-0-channel", label=CHANNEL)
    walk.page.select_option("#id_steps-1-kind", "wait")
    walk.page.fill("#id_steps-1-wait_seconds", "300")
    walk.page.select_option("#id_steps-2-kind", "member")
    walk.page.select_option("#id_steps-2-member", label=MEMBER)
    walk.save("policy")


def make_route(walk: Walk) -> None:
    walk.add("route")
    walk.page.fill("#id_name", ROUTE)
    walk.page.fill("#id_matchers", 'equipe="four"')
    walk.page.fill("#id_group_by", "alertname")
    walk.page.fill("#id_group_wait_seconds", "1")
    walk.page.click(".field-policy .select2-selection")
    walk.page.fill(".select2-search__field", POLICY[:4])
    walk.page.click(f".select2-results__option:has-text('{POLICY}')")
    walk.save("route")
    walk.page.click("a[href$='/route/tester/']")
    walk.page.fill("#id_text", json.dumps(alert()))
    walk.page.click("#content button[type=submit]")
    expect(walk.page.locator("#verdict")).to_contain_text(ROUTE)
    expect(walk.page.locator("#verdict")).to_contain_text(POLICY)
    walk.look("route-tested")


def alert() -> dict[str, object]:
    return {
        "title": ALERT,
        "severity": "warning",
        "labels": {"alertname": ALERT, "atelier": "nuit"},
    }


def receive_alert(walk: Walk, key: str) -> int:
    """Watch the dashboard while the alert comes in; return its group's number."""
    walk.page.click("a.to-dashboard")
    walk.page.wait_for_url(f"**/t/{SLUG}/")
    expect(walk.page.locator("#pill")).to_have_attribute(
        "data-state", "live", timeout=SLOW
    )
    request = urllib.request.Request(
        f"{walk.house.url}/t/{SLUG}/api/v1/alerts",
        json.dumps(alert()).encode(),
        {"Content-Type": "application/json", "Authorization": f"Bearer {key}"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert 200 <= answer.status < 300
    row = walk.page.locator(".row").filter(has_text=ALERT)
    expect(row).to_be_visible(timeout=SLOW)
    expect(row.locator(".state-firing")).to_be_visible()
    walk.look("dashboard-firing")
    return 1


def press_in_outbox(walk: Walk) -> None:
    walk.page.goto("/outbox/")
    card = walk.page.locator("article.post").filter(has_text=ALERT).first
    expect(card).to_be_visible(timeout=SLOW)
    expect(card).to_contain_text("Les fours chauffent trop")
    walk.look("outbox-paged")
    walk.page.select_option("#user", SLACK_ID)
    card.locator(".b-actions button").first.click()
    expect(card.locator(".thread .reply").first).to_contain_text(MEMBER, timeout=SLOW)
    walk.look("outbox-acknowledged")


def see_it_everywhere(walk: Walk, number: int) -> None:
    walk.page.goto(f"/t/{SLUG}/")
    row = walk.page.locator(".row").filter(has_text=ALERT)
    expect(row.locator(".state-acknowledged")).to_be_visible(timeout=SLOW)
    expect(row).to_contain_text(MEMBER)
    walk.look("dashboard-acknowledged")
    walk.page.goto("/admin/alerts/group/")
    walk.page.click(f"#result_list a:has-text('#{number} {ALERT}')")
    expect(walk.page.locator("#content")).to_contain_text(MEMBER)
    expect(walk.page.locator(".field-state_word .pill.warn")).to_be_visible()
    walk.look("admin-acknowledged")
    walk.page.goto("/admin/tenants/audit/")
    expect(walk.page.locator("#result_list")).to_contain_text("group.acknowledged")
    walk.look("admin-audit")
