"""Does every page of the admin open for those it is for, and for nobody else?"""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.contrib import admin
from django.urls import reverse

from tenants.admin_base import OperatorsOnly, belongs_to_tenant
from tenants.models import Tenant
from tests.admin.conftest import CANARY, fill

TENANT_MODELS = [
    model
    for model in admin.site._registry
    if belongs_to_tenant(model) or model is Tenant
]
PLATFORM_MODELS = [m for m in admin.site._registry if m not in TENANT_MODELS]


def address(model: Any, what: str, *args: object) -> str:
    meta = model._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_{what}", args=args)


def may_add(model: Any) -> bool:
    return admin.site.get_model_admin(model).__class__.__name__ in (
        "AbsenceAdmin",
        "ApiKeyAdmin",
        "AvailabilityAdmin",
        "CalendarFeedAdmin",
        "CalendarImportAdmin",
        "ChannelAdmin",
        "ContactAdmin",
        "HeartbeatsAdmin",
        "InhibitRuleAdmin",
        "MaintenanceAdmin",
        "MemberAdmin",
        "LayerAdmin",
        "MessageTemplateAdmin",
        "OverrideAdmin",
        "PolicyAdmin",
        "RouteAdmin",
        "RuleAdmin",
        "ScheduleAdmin",
        "SilenceAdmin",
        "SwapAdmin",
        "TemporaryAdmin",
        "TimeIntervalAdmin",
    )


@pytest.mark.parametrize("model", TENANT_MODELS, ids=lambda m: m.__name__)
def test_an_owner_can_open_every_page(model, alice, filled):
    pages = [address(model, "changelist"), address(model, "change", filled[model].pk)]
    pages += [address(model, "changelist") + "?q=lag"]
    if may_add(model):
        pages.append(address(model, "add"))
    for page in pages:
        response = alice.get(page)
        assert response.status_code == 200, page
        assert CANARY not in response.content.decode()
        assert "Content-Security-Policy" in response.headers
        assert "<style" not in response.content.decode()
        assert 'style="' not in response.content.decode()


@pytest.mark.parametrize("model", TENANT_MODELS, ids=lambda m: m.__name__)
def test_every_filter_of_a_list_works(model, alice, filled):
    page = address(model, "changelist")
    shown = alice.get(page).content.decode()
    sidebar = shown.partition('id="changelist-filter"')[2]
    for link in re.findall(r'href="(\?[^"]*)"', sidebar):
        assert alice.get(page + unescape(link)).status_code == 200, link


def test_the_numbers_of_the_first_page_lead_to_their_lists(alice, filled):
    response = alice.get(reverse("admin:index"))
    numbers = response.context["numbers"]
    assert [number["count"] for number in numbers] == [1, 1, 1]
    for number in numbers:
        listed = alice.get(number["url"])
        assert listed.status_code == 200, number
        assert listed.context["cl"].result_count == number["count"]
    for step in response.context["first_steps"]:
        assert alice.get(step["url"]).status_code == 200


@pytest.mark.parametrize("model", TENANT_MODELS, ids=lambda m: m.__name__)
def test_a_viewer_sees_every_row_and_changes_none(model, vera, filled):
    page = address(model, "change", filled[model].pk)
    assert vera.get(page).status_code == 200
    assert vera.post(page, {"name": "taken over"}).status_code == 403
    assert vera.post(address(model, "add"), {"name": "new"}).status_code == 403
    removal = address(model, "delete", filled[model].pk)
    assert vera.post(removal, {"post": "yes"}).status_code == 403
    assert "_save" not in vera.get(page).content.decode()


@pytest.mark.parametrize("model", TENANT_MODELS, ids=lambda m: m.__name__)
def test_an_outsider_finds_nothing(model, charlie, globex, filled):
    row = filled[model]
    for what in ("change", "delete", "history"):
        response = charlie.get(address(model, what, row.pk))
        assert response.status_code == 404, what
        assert "acme" not in response.content.decode()
    listed = charlie.get(address(model, "changelist")).content.decode()
    assert f'/{row.pk}/change/"' not in listed
    assert "acme" not in listed


@pytest.mark.parametrize("model", TENANT_MODELS, ids=lambda m: m.__name__)
def test_buttons_do_nothing_for_an_outsider(model, charlie, globex, filled):
    model_admin: Any = admin.site.get_model_admin(model)
    for name in model_admin.button_names():
        response = charlie.post(address(model, name, filled[model].pk))
        assert response.status_code == 404, name


@pytest.mark.parametrize("model", PLATFORM_MODELS, ids=lambda m: m.__name__)
def test_tables_without_a_tenant_are_for_operators(model, alice, operator, filled):
    assert isinstance(admin.site.get_model_admin(model), OperatorsOnly)
    assert alice.get(address(model, "changelist")).status_code == 403
    assert alice.get(address(model, "add")).status_code == 403
    assert operator.get(address(model, "changelist")).status_code == 200


def test_periodic_tasks_are_not_even_named_to_members(alice, operator):
    page = reverse("admin:index")
    assert "periodictask" not in alice.get(page).content.decode()
    assert "periodictask" in operator.get(page).content.decode()
    adding = reverse("admin:django_celery_beat_periodictask_add")
    assert "<script>" not in operator.get(adding).content.decode()
    assert alice.post(adding, {"name": "x", "task": "os"}).status_code == 403


def test_an_operator_without_any_tenant_can_make_one(operator):
    assert operator.get(reverse("admin:index")).status_code == 200
    assert operator.get(reverse("admin:tenants_tenant_add")).status_code == 200
    assert operator.get(reverse("admin:tenants_member_changelist")).status_code in (
        403,
        404,
    )


def test_strangers_are_led_to_the_login_page(client, db):
    response = client.get(reverse("admin:index"))
    assert response.status_code == 302
    assert response.url.startswith(reverse("admin:login"))


def test_a_retired_member_is_shut_out_at_once(acme, alice):
    from tenants.rls import in_tenant

    assert alice.get(reverse("admin:index")).status_code == 200
    member = acme.members["alice"]
    with in_tenant(acme.id):
        member.active = False
        member.save()
    assert alice.get(reverse("admin:index")).status_code == 302


def test_nobody_sees_rows_of_two_tenants_at_once(acme, globex, operator):
    fill(acme)
    fill(globex)
    page = reverse("admin:escalation_policy_changelist")
    assert "acme policy" in operator.get(page).content.decode()
    operator.post(reverse("admin:switch"), {"tenant": str(globex.id)})
    shown = operator.get(page).content.decode()
    assert "globex policy" in shown
    assert "acme policy" not in shown
