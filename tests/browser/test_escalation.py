"""What people do with policies and what they start, in a real browser."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Opener, Town, shoot
from tests.browser.test_live import SOON, live, row

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

# A debug message has no other target; nobody waits for it.
LEVEL = """
from alertcenter.alerts.models.choices import Severity
from escalation.models import SlaTarget
from tenants.access import tenant_named
from tenants.rls import in_tenant
pk = tenant_named("acme")
with in_tenant(pk):
    SlaTarget.objects.update_or_create(
        tenant_id=pk, severity=Severity.WARNING,
        defaults={"acknowledge_seconds": 3600, "resolve_seconds": 7200})
    SlaTarget.objects.update_or_create(
        tenant_id=pk, severity=Severity.ERROR,
        defaults={"acknowledge_seconds": 1, "resolve_seconds": 7200})
"""
WIDE = "document.documentElement.scrollWidth > innerWidth"
PHONE = {"viewport": {"width": 390, "height": 844}}


def shown(page: Page, number: int) -> set[str]:
    """Return the fields of a step that are in sight."""
    rows = page.locator(f"#steps-{number} .form-row").all()
    names = (re.findall(r"field-(\w+)", r.get_attribute("class") or "") for r in rows)
    return {
        name
        for row, found in zip(rows, names, strict=True)
        for name in found
        if row.is_visible()
    }


def test_a_step_asks_only_for_what_its_kind_is_told(town: Town, open_as: Opener):
    page = open_as("ben", "/admin/escalation/policy/add/", locale="en")
    page.fill("[name=name]", "Written by hand")
    kind = page.locator("#id_steps-0-kind")
    kind.select_option("wait")
    assert shown(page, 0) == {"position", "kind", "wait_seconds"}
    kind.select_option("if_time")
    times = {"days", "begins", "ends", "time_zone", "otherwise"}
    assert shown(page, 0) == {"position", "kind"} | times
    page.locator("#steps-group .add-row a").click()
    last = page.locator("#steps-group .inline-related:not(.empty-form)").last
    expect(last.locator("[name$=-position]")).to_have_value("4")
    page.locator("#id_steps-1-kind").select_option("hand_over")
    assert shown(page, 1) == {"position", "kind", "next_policy"}
    page.locator("#id_steps-1-next_policy").select_option(index=1)
    page.locator("input[name=_continue]").click()
    said = page.locator("#says li")
    expect(said.first).to_contain_text("Go on only")
    expect(said.nth(1)).to_contain_text("Hand over")
    assert said.count() >= 2
    shoot(page, "policy-steps")


def test_an_acknowledgement_is_taken_back_by_the_toast(town: Town, open_as: Opener):
    page = open_as("clara", "/t/acme/", **PHONE)
    live(page)
    town.fire("TakenBack", cluster="taken-back")
    expect(row(page, "TakenBack")).to_be_visible(timeout=SOON)
    row(page, "TakenBack").locator("[data-act=acknowledge]").click()
    expect(row(page, "TakenBack").locator(".state-acknowledged")).to_be_visible()
    undo = page.locator(".toast button")
    box = undo.bounding_box()
    assert box is not None
    assert box["height"] >= 44  # a thumb at night
    undo.click()
    expect(row(page, "TakenBack").locator(".state-firing")).to_be_visible(timeout=SOON)
    expect(page.locator(".toast.bad")).to_have_count(0)
    row(page, "TakenBack").locator("a.title").click()
    expect(page.locator(".timeline .detail").first).to_be_visible()
    expect(page.locator(".timeline")).to_contain_text("Clara Weiß")


def test_a_service_level_counts_down_in_full_sight(town: Town, open_as: Opener):
    town.stack.manage("shell", "-c", LEVEL)
    page = open_as("ben", "/t/acme/", locale="en")
    live(page)
    town.fire("CountsDown", cluster="counts-down", severity="warning")
    level = row(page, "CountsDown").locator(".level")
    expect(level).to_have_text(re.compile(r"^acknowledge within \d+m"), timeout=SOON)
    assert not level.evaluate("e => e.scrollWidth > e.clientWidth + 1")
    expect(level).not_to_have_class(re.compile("soon|missed"))
    town.fire("IsMissed", cluster="is-missed", severity="error")
    missed = row(page, "IsMissed").locator(".level")
    expect(missed).to_have_class(re.compile("missed"), timeout=SOON)
    expect(missed).to_have_text(re.compile("^service level missed by"))
    row(page, "CountsDown").locator("[data-act=acknowledge]").click()
    expect(level).to_have_text(re.compile("^resolve within"), timeout=SOON)
    shoot(page, "service-levels")


def test_a_double_click_on_escalate_now_does_one_step(town: Town, open_as: Opener):
    page = open_as("ben", "/t/acme/", locale="en")
    live(page)
    town.fire("Hurry", cluster="hurry")
    row(page, "Hurry").locator("a.title").click()
    button = page.locator("[data-act=escalate]")
    expect(button).to_be_visible(timeout=SOON)
    button.dblclick()
    expect(page.locator(".toast", has_text="changed meanwhile")).to_be_visible()
    escalated = page.locator(".timeline .k-escalated")
    expect(escalated.first).to_be_visible(timeout=SOON)
    expect(escalated).to_have_count(1)


def test_a_private_address_shows_a_phone_who_is_on_call(town: Town, open_as: Opener):
    page = open_as("ben", "/admin/escalation/calendarfeed/add/", locale="en")
    page.locator(".field-schedule .select2-selection").click()
    page.locator("li.select2-results__option", has_text="Primary").click()
    page.locator("input[name=_save]").click()
    expect(page.locator("#content")).to_contain_text("cannot be shown again")
    address = re.search(r"/calendar/([\w-]+)\.ics", page.content())
    assert address is not None
    phone = open_as("", f"/on-call/{address[1]}", locale="en", **PHONE)
    expect(phone.locator(".on-call-now bdi")).to_be_visible()
    phone.locator("summary").click()
    expect(phone.locator("details li").first).to_contain_text("now")
    assert not phone.evaluate(WIDE)
    assert urlsplit(phone.url).path.startswith("/on-call/")
    shoot(phone, "on-call-phone")
