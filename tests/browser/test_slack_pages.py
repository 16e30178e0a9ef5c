"""Slack's pages in a real browser: connecting an account, making the app."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Opener, Town, shoot

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

INVITE = """
from alertcenter.api.slack_people import Stranger, invitation
from tenants.access import tenant_named
print(invitation(Stranger(tenant_named("acme"), "U0NEW", "clara.slack", "acme-chat")))
"""
LINK = re.compile(r"<http://[^/]+(/slack/connect/[^|]+)\|")
PHONE = {"viewport": {"width": 390, "height": 800}, "color_scheme": "dark"}


def test_a_person_connects_an_account_on_a_phone(town: Town, open_as: Opener):
    found = LINK.search(town.stack.manage("shell", "-c", INVITE))
    assert found
    page = open_as("clara", found[1], **PHONE)
    expect(page.get_by_text("clara.slack")).to_be_visible()
    shoot(page, "slack-connect-phone")
    page.locator("main button").click()
    expect(page.get_by_role("heading", name=re.compile("Slack"))).to_be_visible()
    expect(page.locator("main button")).to_have_count(0)
    shoot(page, "slack-connected-phone")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_administrator_sees_the_manifest_and_writes_channels_down(
    scheme, town: Town, open_as: Opener
):
    page = open_as("ben", "/admin/slack/", color_scheme=scheme)
    expect(page.locator("#manifest")).to_have_value(re.compile("slash_commands"))
    shoot(page, f"slack-admin-{scheme}")
    page.fill("#config", "slack_config: {default_channel: 5}")
    page.locator("form[action$='/slack/config/'] button").click()
    expect(page.locator(".messagelist")).to_contain_text("default_channel")
    expect(page.locator("#config")).to_have_value(re.compile("default_channel: 5"))
    page.set_viewport_size({"width": 390, "height": 800})
    wide = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    shoot(page, f"slack-admin-{scheme}-phone")
    assert wide <= 0
