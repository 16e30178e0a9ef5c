"""What people click to keep alerts quiet, in a real browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Opener, Town, shoot

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

SOON = 15_000
WIDE = "document.documentElement.scrollWidth > innerWidth"


def row(page: Page, text: str) -> Locator:
    return page.locator("#groups .row", has_text=text)


def silence(page: Page, text: str, reason: str) -> None:
    """Silence a group by its row's button."""
    row(page, text).locator("[data-act=silence]").click()
    dialog = page.locator("dialog#silence")
    expect(dialog.locator("#silence-matchers")).to_have_value(
        has(f'cluster="{text}"'), timeout=SOON
    )
    expect(dialog.locator("#silence-reach p")).to_contain_text("Mutes", timeout=SOON)
    dialog.locator("#silence-comment").fill(reason)
    dialog.locator("button.primary").click()
    if dialog.locator("#silence-confirm").is_visible():
        dialog.locator("#silence-confirm input").check()
        dialog.locator("button.primary").click()
    expect(dialog).to_be_hidden(timeout=SOON)


def has(text: str) -> re.Pattern[str]:
    return re.compile(re.escape(text))


def test_a_silence_greys_the_group_on_every_screen_and_a_click_ends_it(
    town: Town, open_as: Opener
):
    town.fire("Quiet", cluster="hush-1", summary="hush-1 lags")
    clara = open_as("clara", "/t/acme/", locale="en")
    david = open_as("david", "/t/acme/", locale="en")
    expect(row(david, "hush-1")).to_be_visible(timeout=SOON)
    expect(row(clara, "hush-1")).to_be_visible(timeout=SOON)
    silence(david, "hush-1", "we know")
    for page in (clara, david):
        expect(row(page, "hush-1")).to_have_class(has("is-quiet"), timeout=SOON)
    david.locator("#states [data-state=quiet]").click()
    expect(david.locator("#groups .row")).to_have_count(1)
    shoot(david, "dashboard-quiet")
    david.goto("/t/acme/silences")
    listed = david.locator(".silence-row", has_text="we know")
    expect(listed).to_contain_text("mutes 1 alert")
    shoot(david, "silences")
    listed.locator("button.danger").click()
    expect(david.locator(".silence-row", has_text="we know")).to_have_count(0)
    expect(row(clara, "hush-1")).not_to_have_class(has("is-quiet"), timeout=SOON)


def test_the_keyboard_silences_and_undoes(town: Town, open_as: Opener):
    town.fire("Quiet", cluster="hush-2", summary="hush-2 lags")
    page = open_as("david", "/t/acme/?q=hush-2", locale="en")
    expect(row(page, "hush-2")).to_be_visible(timeout=SOON)
    page.keyboard.press("j")
    page.keyboard.press("m")
    dialog = page.locator("dialog#silence")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.keyboard.press("m")
    expect(dialog.locator("#silence-matchers")).to_have_value(has("hush-2"))
    dialog.locator("#silence-matchers").fill('cluster="hush-2"')
    dialog.locator("#silence-comment").fill("keys")
    page.keyboard.press("Enter")
    expect(row(page, "hush-2")).to_have_class(has("is-quiet"), timeout=SOON)
    page.locator(".toast button").click()
    expect(row(page, "hush-2")).not_to_have_class(has("is-quiet"), timeout=SOON)


def test_the_forms_help_while_they_are_filled_in(town: Town, open_as: Opener):
    town.fire("Quiet", cluster="hush-3")
    page = open_as("ben", "/admin/alerts/silence/add/")
    page.fill("#id_matchers", 'cluster="hush-3"')
    expect(page.locator(".reach p")).to_contain_text("1", timeout=SOON)
    expect(page.locator(".field-ends_at")).to_be_hidden()
    page.check("input[name=lasting][value=until]")
    expect(page.locator(".field-ends_at")).to_be_visible()
    page.goto("/admin/alerts/timeinterval/add/")
    before = page.locator(".entries > fieldset").count()
    page.click(".entries > p button")
    expect(page.locator(".entries > fieldset")).to_have_count(before + 1)
    page.goto("/admin/alerts/route/add/")
    page.fill("#id_group_by", "cluster")
    expect(page.locator("input[name=grouping][value=labels]")).to_be_checked()


def test_silences_are_no_wider_than_a_phone(town: Town, open_as: Opener):
    town.fire("Quiet", cluster="hush-4", summary="w" * 200, label="v" * 300)
    phone = {"viewport": {"width": 390, "height": 844}}
    page = open_as("david", "/t/acme/?q=hush-4", locale="en", **phone)
    expect(row(page, "hush-4")).to_be_visible(timeout=SOON)
    assert not page.evaluate(WIDE)
    silence(page, "hush-4", "w" * 300)
    page.goto("/t/acme/silences")
    expect(page.locator(".silence-row", has_text="www")).to_be_visible()
    assert not page.evaluate(WIDE)
    page.click("#new-silence")
    expect(page.locator("dialog#silence")).to_be_visible()
    assert not page.evaluate(WIDE)
    shoot(page, "silence-phone")


def test_several_groups_are_silenced_at_once_from_the_bar(town: Town, open_as: Opener):
    for name in ("hush-6", "hush-7"):
        town.fire("Chorus", cluster=name, summary=f"{name} lags")
    page = open_as("david", "/t/acme/?q=lags", locale="en")
    for name in ("hush-6", "hush-7"):
        row(page, name).locator("input[type=checkbox]").check(timeout=SOON)
    page.locator("#bulk-acts [data-act=silence]").click()
    dialog = page.locator("dialog#silence")
    conditions = dialog.locator("#silence-matchers")
    expect(conditions).to_have_value(has('alertname="Chorus"'), timeout=SOON)
    assert "cluster" not in conditions.input_value()
    expect(dialog.locator("#silence-scope")).to_be_hidden()
    dialog.locator("#silence-comment").fill("we know both")
    dialog.locator("button.primary").click()
    if dialog.locator("#silence-confirm").is_visible():
        dialog.locator("#silence-confirm input").check()
        dialog.locator("button.primary").click()
    for name in ("hush-6", "hush-7"):
        expect(row(page, name)).to_have_class(has("is-quiet"), timeout=SOON)
