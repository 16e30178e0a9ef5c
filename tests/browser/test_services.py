"""Services in a real browser: the chip, the filter, the reasons, the graph."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Opener, Town
from tests.browser.test_live import SOON, row

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

# Severity and the service's importance, in Clara's language.
REASONS = re.compile(r"^P1: [^,]+, [^,]+$")
MAKE = """
from alertcenter.alerts.models import Service, ServiceDependency
from tenants.access import tenant_named
from tenants.rls import in_tenant
pk = tenant_named("acme")
with in_tenant(pk):
    def make(slug, name, tier):
        return Service.objects.create(tenant_id=pk, slug=slug, name=name, tier=tier)
    shop, other = make("till", "The till", 1), make("till-2", "Another", 3)
    ServiceDependency.objects.create(tenant_id=pk, service=shop, needs=other)
"""


@pytest.fixture(scope="module")
def services(town: Town) -> None:
    town.stack.manage("shell", "-c", MAKE)


def test_a_row_names_its_service_and_a_click_on_it_shows_only_that_services_groups(
    services: None, town: Town, open_as: Opener
):
    page = open_as("clara", "/t/acme/")
    town.fire("TillDown", cluster="till", service="till")
    mine = row(page, "TillDown")
    expect(mine.locator(".service")).to_have_text("The till", timeout=SOON)
    # Weighed when it opens: the till is in trouble by then.
    town.fire("OtherDown", cluster="other", service="till-2", severity="warning")
    expect(mine.locator(".priority")).to_have_text("P1")
    expect(mine.locator(".priority")).to_have_attribute("title", REASONS)
    other = row(page, "OtherDown").locator(".service")
    expect(other).to_have_text("Another", timeout=SOON)
    mine.locator(".service").click()
    expect(row(page, "OtherDown")).to_have_count(0)
    expect(mine).to_be_visible()
    assert "q=service%3Atill" in page.url
    # A warning, more urgent because the till needs it and is in trouble.
    page.locator("#search").fill("p3 otherdown")
    expect(row(page, "OtherDown")).to_be_visible()
    page.locator("#search").fill("p4 otherdown")
    expect(row(page, "OtherDown")).to_have_count(0)


def test_the_groups_page_says_whose_it_is_and_why_it_is_urgent(
    services: None, town: Town, open_as: Opener
):
    town.fire("TillSlow", cluster="slow", service="till")
    page = open_as("clara", "/t/acme/?q=TillSlow")
    row(page, "TillSlow").locator(".title").click(timeout=SOON)
    why = page.locator("#reasons")
    expect(why).to_have_text(REASONS)
    page.get_by_role("link", name="The till").click()
    expect(page.locator("#search")).to_have_value("service:till")


def test_the_graph_leads_from_a_service_to_what_depends_on_it(
    services: None, open_as: Opener
):
    page = open_as("ana", "/admin/alerts/service/graph/")
    page.locator("svg.graph .box", has_text="Another").click()
    expect(page.locator("#impact")).to_contain_text("The till")
    expect(page.locator("svg.graph .box.chosen")).to_contain_text("Another")
