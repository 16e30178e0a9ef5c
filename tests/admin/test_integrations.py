"""Connecting a tool in the admin: keys, set-up, trying, reading again."""

from __future__ import annotations

import json
import re

import pytest
from django.urls import reverse

from alertcenter.alerts import intake, raw_events
from alertcenter.alerts.models import Alert, RawEvent
from alertcenter.alerts.sources.registry import adapters
from alertcenter.api import keys
from alertcenter.api.integrations import USE
from tenants.models import ApiKey, Integration
from tenants.rls import in_tenant
from tests.api.client import post

pytestmark = pytest.mark.django_db(transaction=True)

ADD = reverse("admin:tenants_integration_add")


@pytest.fixture(autouse=True)
def _threads():
    intake.start()
    keys.CACHE.clear()
    yield
    intake.stop()
    keys.CACHE.clear()


def connect(client, source: str, name: str = "Ours") -> str:
    """Make an integration; return the page with its keys."""
    page = client.post(ADD, {"source": source, "name": name})
    assert page.status_code == 200, page
    return str(page.content.decode())


def only(acme) -> Integration:
    with in_tenant(acme.id):
        return Integration.objects.get(tenant_id=acme.id)


def address_in(page: str) -> str:
    found = re.search(r'id="address">[^<]*?(/in/[a-z_]+/[0-9a-f]{32})<', page)
    assert found, page
    return str(found[1])


def change(row: Integration) -> str:
    return reverse("admin:tenants_integration_change", args=[row.pk])


@pytest.mark.parametrize("source", sorted(adapters()))
def test_every_source_has_a_page_that_can_be_pasted_from(source, alice, acme):
    page = connect(alice, source)
    assert "{url}" not in page
    assert "{key}" not in page
    assert "{example}" not in page
    shown = alice.get(change(only(acme)))
    assert shown.status_code == 200
    assert "waiting for the first event" in shown.content.decode()


def test_the_address_on_the_page_takes_events_and_the_page_turns_green(alice, acme):
    USE.flush()
    page = connect(alice, "datadog")
    address = address_in(page)
    assert post(address, adapters()["datadog"].example).status == 200
    USE.flush()
    row = only(acme)
    state = alice.get(reverse("admin:tenants_integration_state", args=[row.pk])).json()
    assert state["events"] == 1
    assert "receiving" in state["pill"]


def test_the_keys_are_shown_once_and_a_new_address_leaves_the_old_open(alice, acme):
    first = address_in(connect(alice, "grafana"))
    row = only(acme)
    assert first.rpartition("/")[2] not in alice.get(change(row)).content.decode()
    page = alice.post(f"{change(row).removesuffix('change/')}do/renew/")
    second = address_in(page.content.decode())
    assert first != second
    example = adapters()["grafana"].example
    assert post(first, example).status == post(second, example).status == 200
    alice.post(f"{change(row).removesuffix('change/')}do/revoke/")
    keys.CACHE.clear()
    assert post(first, example).status == post(second, example).status == 401


def test_only_keys_of_apis_whose_clients_act_may_act(alice, acme):
    for source in ("github", "opsgenie_api", "alerta_api"):
        alice.post(ADD, {"source": source, "name": source})
    with in_tenant(acme.id):
        rows = ApiKey.objects.values_list("integration__source", "kind", "scopes")
        found = {(source, kind): set(scopes) for source, kind, scopes in rows}
    both = {"ingest", "read"}
    assert found["github", "url"] == {"ingest"}
    assert found["github", "api"] == both
    assert found["opsgenie_api", "api"] == both | {"act"}
    assert found["alerta_api", "api"] == both | {"act"}


def test_an_integration_that_is_deleted_takes_its_keys_along(alice, acme):
    address = address_in(connect(alice, "grafana"))
    row = only(acme)
    alice.post(
        reverse("admin:tenants_integration_delete", args=[row.pk]), {"post": "yes"}
    )
    keys.CACHE.clear()
    assert post(address, adapters()["grafana"].example).status == 401
    with in_tenant(acme.id):
        assert not ApiKey.objects.exists()


def test_an_example_becomes_an_alert_that_ends_by_itself(alice, acme):
    connect(alice, "zabbix")
    row = only(acme)
    page = alice.post(f"{change(row).removesuffix('change/')}do/example/", follow=True)
    assert "Sent:" in page.content.decode()
    with in_tenant(acme.id):
        found = Alert.objects.get()
    assert found.labels["example"] == "true"
    assert found.expires_at is not None
    assert found.dedup_key.startswith(f"k/{row.pk.hex}/")


def test_a_pasted_payload_is_tried_and_nothing_is_kept(alice, acme):
    connect(alice, "json")
    row = only(acme)
    said = {"name": "Ours", "settings": '{"title": "what", "key": "id"}', "_try": "1"}
    payload = {"what": "Disk is full", "id": 7}
    page = alice.post(change(row), said | {"payload": json.dumps(payload)})
    text = page.content.decode()
    assert "Disk is full" in text
    assert "&quot;what&quot;" in text
    with in_tenant(acme.id):
        assert not Alert.objects.exists()
        assert only(acme).settings == {}
    page = alice.post(change(row), said | {"payload": "{no"})
    assert "This is no JSON." in page.content.decode()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ('{"title": ""}', "needs a title or a key"),
        ('{"titel": "x"}', "has no titel"),
        ('{"title": "{{ x"}', "title:"),
        ("[1]", "is a JSON object"),
        ('{"title": "x", "labels": [1]}', "labels must be an object"),
    ],
)
def test_a_wrong_mapping_is_refused_with_a_sentence(settings, words, alice, acme):
    connect(alice, "json")
    page = alice.post(change(only(acme)), {"name": "Ours", "settings": settings})
    assert words in page.content.decode()
    assert only(acme).settings == {}


def test_what_was_not_understood_is_read_again_after_the_mapping_is_mended(alice, acme):
    raw_events.start()
    try:
        address = address_in(connect(alice, "json"))
        assert post(address, {"what": "Disk is full", "id": 7}).status == 200
    finally:
        raw_events.stop()
    row = only(acme)
    with in_tenant(acme.id):
        kept = RawEvent.objects.get()
        assert kept.outcome == "unknown"
        assert kept.integration_id == row.pk
    alice.post(
        change(row), {"name": "Ours", "settings": '{"title": "what", "key": "id"}'}
    )
    listed = reverse("admin:alerts_rawevent_changelist")
    assert alice.get(f"{listed}?integration_id={row.pk}").status_code == 200
    page = alice.post(
        listed,
        {"action": "replay_selected", "_selected_action": [str(kept.pk)], "index": 0},
        follow=True,
    )
    assert "1 payloads read again: 1 events, 0 not understood." in (
        page.content.decode()
    )
    with in_tenant(acme.id):
        titles = set(Alert.objects.values_list("title", flat=True))
    assert "Disk is full" in titles


def test_others_see_nothing_and_responders_make_no_keys(alice, bob, charlie, acme):
    connect(alice, "grafana")
    row = only(acme)
    assert charlie.get(change(row)).status_code in (302, 404)
    state = reverse("admin:tenants_integration_state", args=[row.pk])
    assert charlie.get(state).status_code == 404
    assert bob.post(ADD, {"source": "grafana", "name": "x"}).status_code == 403
    renew = f"{change(row).removesuffix('change/')}do/renew/"
    assert bob.post(renew).status_code == 403
