"""Can anybody take more than his role gives? Forms, choices, addresses, passwords."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from alertcenter.alerts.models import Route
from escalation.models import Policy, Schedule, Step
from notifications.models import Channel
from tenants.access import memberships
from tenants.models import ApiKey, Audit, Member, Tenant
from tenants.rls import in_tenant
from tests.admin.conftest import CANARY, fill
from tests.cast import PASSWORD, make_member

NEW_MEMBER = {
    "name": "Dora",
    "email": "dora@acme.example",
    "role": "responder",
    "language": "fr",
    "time_zone": "Europe/Paris",
    "password": "a long and winding road",
    "contacts-TOTAL_FORMS": "0",
    "contacts-INITIAL_FORMS": "0",
}


def test_a_new_member_can_log_in_and_is_spoken_to_in_his_language(alice, acme, client):
    page = reverse("admin:tenants_member_add")
    assert alice.post(page, NEW_MEMBER).status_code == 302
    login = reverse("admin:login")
    given = {"username": "dora@acme.example", "password": NEW_MEMBER["password"]}
    assert client.post(login, given).status_code == 302
    assert client.session["language"] == "fr"
    assert client.get(reverse("admin:index")).headers["Content-Language"] == "fr"


def test_a_made_up_password_is_shown_once(alice, acme):
    page = reverse("admin:tenants_member_add")
    response = alice.post(page, NEW_MEMBER | {"password": ""})
    assert response.status_code == 200
    password = response.context["account"].password
    assert password in response.content.decode()
    user = User.objects.get(username="dora@acme.example")
    assert user.check_password(password)
    assert not user.is_superuser


def test_an_account_that_exists_is_let_in_by_an_operator_only(alice, acme, globex):
    """Whoever made it may know its password: globex could walk into acme with it."""
    known = NEW_MEMBER | {"email": "charlie@globex.example", "name": "Charlie"}
    response = alice.post(reverse("admin:tenants_member_add"), known)
    assert "email" in response.context["adminform"].form.errors
    user = globex.user("charlie")
    assert {item.slug for item in memberships(user.pk)} == {"globex"}


def let_in(operator, acme, known) -> None:
    """Let an operator, inside acme, add a person whom another tenant has."""
    operator.post(reverse("admin:switch"), {"tenant": str(acme.id)})
    added = operator.post(reverse("admin:tenants_member_add"), known)
    assert added.status_code == 302


def test_a_person_of_another_tenant_is_linked_and_keeps_his_password(
    alice, operator, acme, globex
):
    before = globex.user("charlie").password
    known = NEW_MEMBER | {"email": "charlie@globex.example", "name": "Charlie"}
    let_in(operator, acme, known)
    charlie = User.objects.get(username="charlie")
    assert charlie.password == before
    assert {item.slug for item in memberships(charlie.pk)} == {"acme", "globex"}
    member = member_of(acme, "Charlie")
    page = reverse("admin:tenants_member_change", args=[member.pk])
    assert "new_password" not in alice.get(page).content.decode()
    alice.post(page, changed(member, new_password="taken over by acme"))
    charlie.refresh_from_db()
    assert charlie.password == before


def test_the_password_of_who_is_retired_elsewhere_is_not_given_away(
    alice, operator, acme, globex
):
    """Globex may call him back: then whoever knew his password would come along."""
    with in_tenant(globex.id):
        Member.objects.filter(user=globex.user("charlie")).update(active=False)
    known = NEW_MEMBER | {"email": "charlie@globex.example", "name": "Charlie"}
    let_in(operator, acme, known)
    member = member_of(acme, "Charlie")
    page = reverse("admin:tenants_member_change", args=[member.pk])
    assert "new_password" not in alice.get(page).content.decode()
    before = member.user.password
    alice.post(page, changed(member, new_password="taken over by acme"))
    assert member_of(acme, "Charlie").user.password == before


def test_the_same_person_cannot_join_twice(alice, acme):
    again = NEW_MEMBER | {"email": "bob@acme.example"}
    response = alice.post(reverse("admin:tenants_member_add"), again)
    assert response.status_code == 200
    assert "email" in response.context["adminform"].form.errors


def test_nobody_raises_anyone_above_himself(acme, login):
    admin_user = make_member(acme.tenant, "anna", "admin").user
    anna = login(admin_user)
    bob = acme.members["bob"]
    page = reverse("admin:tenants_member_change", args=[bob.pk])
    response = anna.post(page, changed(bob, role="owner"))
    assert "role" in response.context["adminform"].form.errors
    own = member_of(acme, "Anna")
    page = reverse("admin:tenants_member_change", args=[own.pk])
    response = anna.post(page, changed(own, role="owner"))
    assert "role" in response.context["adminform"].form.errors
    assert member_of(acme, "Anna").role == "admin"
    adding = reverse("admin:tenants_member_add")
    assert anna.post(adding, NEW_MEMBER | {"role": "owner"}).status_code == 200
    assert not User.objects.filter(username="dora@acme.example").exists()


def test_whoever_stands_above_can_only_be_looked_at(acme, login):
    anna = login(make_member(acme.tenant, "anna", "admin").user)
    alice = acme.members["alice"]
    page = reverse("admin:tenants_member_change", args=[alice.pk])
    assert anna.get(page).status_code == 200
    assert anna.post(page, changed(alice, active="")).status_code == 403
    removal = reverse("admin:tenants_member_delete", args=[alice.pk])
    assert anna.post(removal, {"post": "yes"}).status_code == 403


def test_the_last_owner_stays(alice, acme):
    own = acme.members["alice"]
    page = reverse("admin:tenants_member_change", args=[own.pk])
    assert alice.post(page, changed(own, role="viewer")).status_code == 200
    assert member_of(acme, "Alice").role == "owner"
    removal = reverse("admin:tenants_member_delete", args=[own.pk])
    assert alice.post(removal, {"post": "yes"}).status_code == 403


def test_a_member_retired_everywhere_loses_the_staff_flag(alice, acme):
    bob = acme.members["bob"]
    page = reverse("admin:tenants_member_change", args=[bob.pk])
    data = changed(bob)
    del data["active"]
    assert alice.post(page, data).status_code == 302
    assert not User.objects.get(pk=bob.user_id).is_staff


@pytest.mark.parametrize("field", ["tenant", "tenant_id"])
def test_the_tenant_in_a_form_is_ignored(alice, acme, globex, field):
    given = route_data() | {field: str(globex.id)}
    assert alice.post(reverse("admin:alerts_route_add"), given).status_code == 302
    with in_tenant(acme.id):
        assert Route.objects.filter(name="mine").exists()
    with in_tenant(globex.id):
        assert not Route.objects.exists()


@pytest.mark.parametrize("field", ["is_superuser", "is_staff", "user", "user_id", "id"])
def test_a_member_form_takes_nothing_else(alice, acme, field):
    bob = acme.members["bob"]
    root = User.objects.create_superuser("root", "root@example.com", PASSWORD)
    page = reverse("admin:tenants_member_change", args=[bob.pk])
    alice.post(page, changed(bob) | {field: str(root.pk)})
    with in_tenant(acme.id):
        after = Member.objects.get(pk=bob.pk)
    assert after.user_id == bob.user_id
    assert not User.objects.get(pk=bob.user_id).is_superuser


def test_choices_never_show_another_tenants_rows(alice, acme, globex):
    foreign = fill(globex)
    page = alice.get(reverse("admin:escalation_policy_add")).content.decode()
    assert "globex" not in page
    assert str(foreign[Channel].pk) not in page
    given = policy_data(channel=str(foreign[Channel].pk))
    response = alice.post(reverse("admin:escalation_policy_add"), given)
    assert response.status_code == 200
    with in_tenant(acme.id):
        assert not Policy.objects.filter(name="mine").exists()


def test_autocomplete_finds_only_own_rows(alice, acme, globex):
    fill(globex)
    fill(acme)
    for app, model, field in (
        ("alerts", "route", "policy"),
        ("escalation", "turn", "member"),
    ):
        asked = {"app_label": app, "model_name": model, "field_name": field, "term": ""}
        answer = alice.get(reverse("admin:autocomplete"), asked).json()
        assert answer["results"], model
        assert "globex" not in json.dumps(answer).lower()
        assert "Charlie" not in json.dumps(answer)


@pytest.mark.parametrize(
    "asked",
    [
        "lookup_hash__startswith=a",
        "tenant__slug__startswith=a",
        "scopes__contains=x",
        "user__password__startswith=pbkdf2",
    ],
)
def test_no_column_can_be_guessed_through_the_address(alice, filled, asked):
    for name in ("tenants_apikey", "tenants_member", "notifications_channel"):
        response = alice.get(reverse(f"admin:{name}_changelist") + f"?{asked}")
        assert response.status_code in (302, 400)


@pytest.mark.parametrize(
    "address",
    [
        "alerts_alert_changelist ?state__exact=%00",
        "alerts_transition_changelist ?kind__exact=a%00",
        "tenants_audit_changelist ?object_kind=%00",
        "tenants_member_changelist ?role__exact=%00",
        "autocomplete ?app_label=alerts&model_name=route&field_name=policy&term=%00",
    ],
)
def test_nul_in_an_address_is_400_and_no_fault_of_ours(alice, address):
    name, query = address.split()
    assert alice.get(reverse(f"admin:{name}") + query).status_code == 400


@pytest.mark.parametrize("ticked", ["\0", "abc", "9" * 40])
@pytest.mark.parametrize(
    ("name", "action"),
    [
        ("alerts_group", "acknowledge_selected"),
        ("alerts_alert", "acknowledge_alerts"),
        ("tenants_apikey", "revoke_selected"),
        ("notifications_contact", "delete_selected"),
        ("notifications_delivery", "retry_selected"),
    ],
)
def test_ticks_that_are_no_ids_are_400(alice, filled, name, action, ticked):
    given = {"action": action, "_selected_action": ticked}
    answer = alice.post(reverse(f"admin:{name}_changelist"), given)
    assert answer.status_code == 400


@pytest.mark.parametrize("pasted", ["[" * 50_000, '{"a": ' * 9_000, "[" + "9" * 5000])
def test_the_route_tester_takes_any_text(alice, pasted):
    answer = alice.post(reverse("admin:alerts_route_tester"), {"text": pasted})
    assert answer.status_code == 200


def test_a_responder_acts_but_configures_nothing(bob, filled):
    page = reverse("admin:notifications_channel_change", args=[filled[Channel].pk])
    shown = bob.get(page).content.decode()
    assert CANARY not in shown
    assert bob.post(page, {"name": "mine"}).status_code == 403
    assert bob.get(reverse("admin:tenants_apikey_add")).status_code == 403


def test_a_schedule_of_another_tenant_cannot_be_put_into_a_step(alice, acme, globex):
    foreign = fill(globex)[Schedule]
    given = policy_data(kind="oncall", schedule=str(foreign.pk))
    alice.post(reverse("admin:escalation_policy_add"), given)
    with in_tenant(acme.id):
        assert not Step.objects.exists()


def test_taken_names_are_an_error_at_the_field(alice, filled):
    given = route_data() | {"name": "acme route"}
    response = alice.post(reverse("admin:alerts_route_add"), given)
    assert response.status_code == 200
    assert "name" in response.context["adminform"].form.errors


# --- tenants ---

NEW_TENANT = {
    "name": "Initech",
    "slug": "initech",
    "language": "de",
    "time_zone": "Europe/Berlin",
}


def test_operators_make_tenants_and_go_on_in_them(operator, acme):
    response = operator.post(reverse("admin:tenants_tenant_add"), NEW_TENANT)
    assert response.status_code == 302
    tenant_id = operator.session["tenant_id"]
    assert "Initech" in operator.get(reverse("admin:index")).content.decode()
    with in_tenant(tenant_id):
        assert Tenant.objects.get().slug == "initech"
        acts = set(Audit.objects.values_list("action", flat=True))
    assert {"tenant.create", "tenant.enter"} <= acts


def test_a_short_name_in_use_anywhere_is_an_error(operator, acme):
    given = NEW_TENANT | {"slug": "acme"}
    response = operator.post(reverse("admin:tenants_tenant_add"), given)
    assert response.status_code == 200
    assert "slug" in response.context["adminform"].form.errors


def test_owners_do_not_make_tenants(alice, acme):
    page = reverse("admin:tenants_tenant_add")
    assert alice.get(page).status_code == 403
    assert alice.post(page, NEW_TENANT).status_code == 403


def test_only_ones_own_tenants_can_be_entered(alice, acme, globex):
    switch = reverse("admin:switch")
    assert alice.post(switch, {"tenant": str(globex.id)}).status_code == 404
    assert alice.post(switch, {"tenant": str(acme.id)}).status_code == 302
    assert alice.get(switch).status_code == 405


def test_a_form_is_saved_where_it_was_opened(acme, globex, login):
    """A page of another tenant in another tab chooses that one for the session."""
    both = make_member(globex.tenant, "alice", "owner").user
    browser = login(both)
    assert browser.get("/t/acme/").status_code == 200
    add = reverse("admin:escalation_policy_add")
    page = browser.get(add).content.decode()
    assert f'name="_tenant" value="{acme.id}"' in page
    assert browser.get("/t/globex/").status_code == 200
    given = policy_data(kind="wait", wait_seconds="60")
    given |= {"name": "secret plan", "_tenant": str(acme.id)}
    answer = browser.post(add, given, follow=True)
    assert "secret plan" in answer.content.decode()
    assert answer.context["membership"].slug == "acme"
    with in_tenant(acme.id):
        assert Policy.objects.filter(name="secret plan").exists()
    with in_tenant(globex.id):
        assert not Policy.objects.filter(name="secret plan").exists()


def test_a_form_cannot_name_a_tenant_of_others(alice, acme, globex):
    given = policy_data(kind="wait", wait_seconds="60")
    alice.post(
        reverse("admin:escalation_policy_add"), given | {"_tenant": str(globex.id)}
    )
    with in_tenant(globex.id):
        assert not Policy.objects.filter(name="mine").exists()
    with in_tenant(acme.id):
        assert Policy.objects.filter(name="mine").exists()


def test_operators_visits_are_on_record(operator, acme):
    operator.post(reverse("admin:switch"), {"tenant": str(acme.id)})
    with in_tenant(acme.id):
        assert Audit.objects.filter(action="tenant.enter").count() == 1


# --- helpers ---


def member_of(cast, name: str) -> Member:
    with in_tenant(cast.id):
        return Member.objects.select_related("user").get(name=name)


def changed(member: Member, **values: str) -> dict[str, str]:
    """Return the change form's fields of `member`, with other values."""
    given = {
        "name": member.name,
        "role": member.role,
        "language": member.language,
        "time_zone": member.time_zone,
        "active": "on",
        "contacts-TOTAL_FORMS": "0",
        "contacts-INITIAL_FORMS": "0",
    }
    return {key: value for key, value in (given | values).items() if value}


def route_data() -> dict[str, str]:
    return {
        "name": "mine",
        "position": "1",
        "matchers": 'severity="critical"',
        "group_by": "alertname",
        "group_wait_seconds": "10",
        "active": "on",
    }


def policy_data(**step: Any) -> dict[str, Any]:
    given = {"position": "1", "kind": "channel"} | step
    return {
        "name": "mine",
        "steps-TOTAL_FORMS": "1",
        "steps-INITIAL_FORMS": "0",
        **{f"steps-0-{name}": value for name, value in given.items()},
    }


def test_keys_are_shown_once_and_stored_as_a_hash(alice, acme):
    page = reverse("admin:tenants_apikey_add")
    response = alice.post(page, {"name": "prom", "scopes": ["ingest", "read"]})
    assert response.status_code == 200
    plaintext = response.context["plaintext"]
    shown = response.content.decode()
    assert plaintext in shown
    assert "no-store" in response.headers["Cache-Control"]
    with in_tenant(acme.id):
        key = ApiKey.objects.get()
    assert key.scopes == ["ingest", "read"]
    for url in ("admin:tenants_apikey_changelist", "admin:tenants_audit_changelist"):
        assert plaintext not in alice.get(reverse(url)).content.decode()
    change = reverse("admin:tenants_apikey_change", args=[key.pk])
    page = alice.get(change).content.decode()
    assert plaintext not in page
    assert key.lookup_hash not in page


def test_a_key_can_be_revoked_but_not_widened(alice, acme):
    add = reverse("admin:tenants_apikey_add")
    alice.post(add, {"name": "prom", "scopes": ["ingest"]})
    with in_tenant(acme.id):
        key = ApiKey.objects.get()
    change = reverse("admin:tenants_apikey_change", args=[key.pk])
    alice.post(change, {"name": "prom 2", "scopes": ["admin"], "expires_at_0": ""})
    alice.post(reverse("admin:tenants_apikey_revoke", args=[key.pk]))
    with in_tenant(acme.id):
        key.refresh_from_db()
        acts = set(Audit.objects.values_list("action", flat=True))
    assert key.name == "prom 2"
    assert key.scopes == ["ingest"]
    assert key.revoked_at is not None
    assert {"key.create", "key.revoke", "apikey.change"} <= acts
