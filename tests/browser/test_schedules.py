"""What people do on a schedule's calendar, in a real browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Opener, Town, shoot

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

WIDE = "document.documentElement.scrollWidth > innerWidth"


def open_calendar(page: Page) -> None:
    page.goto("/admin/escalation/schedule/")
    page.locator("#result_list a[href$='/calendar/']").first.click()
    expect(page.locator("[data-final]")).to_be_visible()
    page.locator("a[rel=next]").click()
    expect(page.locator("[data-final]")).to_have_attribute("tabindex", "0")


def test_dragging_over_the_last_row_puts_somebody_on_call(town: Town, open_as: Opener):
    page = open_as("ben", "/admin/", locale="en")
    open_calendar(page)
    row = page.locator("[data-final]")
    box = row.bounding_box()
    assert box is not None
    day, middle = box["width"] / 7, box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + day * 1.5, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + day * 2, middle, steps=4)
    page.mouse.move(box["x"] + day * 2.5, middle, steps=4)
    page.mouse.up()
    form = page.locator("[data-override]")
    begin = form.locator("[name=starts_at]")
    expect(begin).to_have_value(re.compile(r"T12:00$"))
    expect(form.locator("[name=ends_at]")).to_have_value(re.compile(r"T12:00$"))
    expect(form.locator("[name=member]")).to_be_focused()
    expect(form.locator("[data-field=instead]")).to_be_hidden()
    form.locator("[name=kind]").select_option("replace")
    expect(form.locator("[name=instead]")).not_to_have_value("")
    name = form.locator("[name=instead] option:checked").inner_text()
    others = form.locator("[name=member] option").all_inner_texts()
    taker = next(one for one in others if one not in ("---------", name))
    form.locator("[name=member]").select_option(label=taker)
    shoot(page, "schedule-override")
    form.locator("button.primary").click()
    said = page.locator(".rota-list li", has_text=f"{taker} for {name}")
    expect(said).to_be_visible()
    expect(page.locator(".rota-row.overrides .bar")).to_have_count(1)
    shoot(page, "schedule-week")
    said.locator("button.danger").click()
    expect(page.locator(".rota-list li")).to_have_count(0)


def test_the_keyboard_chooses_a_stretch_and_a_click_a_shift(
    town: Town, open_as: Opener
):
    page = open_as("ben", "/admin/", locale="en")
    open_calendar(page)
    row = page.locator("[data-final]")
    row.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    expect(page.locator("[data-chosen]")).to_contain_text("00:30 – ")
    page.keyboard.press("Enter")
    expect(page.locator("[name=starts_at]")).to_have_value(re.compile("T00:30$"))
    expect(page.locator("[name=ends_at]")).to_have_value(re.compile("T01:30$"))
    bar = row.locator("[data-starts]").last
    bar.locator("rect").first.click(position={"x": 20, "y": 10})
    expect(page.locator("[name=starts_at]")).not_to_have_value(re.compile("T00:30$"))


def test_a_layer_shows_at_once_what_it_would_do(town: Town, open_as: Opener):
    page = open_as("ben", "/admin/escalation/layer/", locale="en")
    page.locator("#result_list tbody th a").first.click()
    shown = page.locator("[data-layer-preview]")
    expect(shown.locator(".rota-row.layer .bar").first).to_be_visible()
    expect(shown.locator(".nobody")).to_have_count(0)
    for day in ("mon", "tue"):
        page.locator(f"#id_weekdays input[value={day}]").uncheck()
    expect(shown.locator(".nobody")).to_be_visible()
    shoot(page, "schedule-layer")


def test_a_calendar_is_no_wider_than_a_phone(town: Town, open_as: Opener):
    phone = {"viewport": {"width": 390, "height": 844}}
    page = open_as("ben", "/admin/", locale="en", **phone)
    open_calendar(page)
    assert not page.evaluate(WIDE)
    page.locator("a", has_text="Month").click()
    expect(page.locator(".rota-grid.month")).to_be_visible()
    assert not page.evaluate(WIDE)
    shoot(page, "schedule-month-phone")
