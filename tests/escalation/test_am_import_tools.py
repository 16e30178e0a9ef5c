"""Which channels do receivers of tools and chats become, and what are they called?"""

from __future__ import annotations

import json

import pytest
from django.core.exceptions import ValidationError

from escalation import am_export
from escalation.am_import import tools
from notifications.channels.base import Setting, Spec
from notifications.models import Channel
from tenants.fields import reveal
from tenants.rls import in_tenant
from tests.escalation.test_am_import import bring, look, said

pytestmark = pytest.mark.django_db(transaction=True)

TOOLS = """
global:
  opsgenie_api_key: canary-global-genie
  opsgenie_api_url: https://api.eu.opsgenie.com/
route: {receiver: duty, routes: [{match: {a: b}, receiver: genie}]}
receivers:
- name: duty
  pagerduty_configs:
  - {routing_key: canary-duty, url: 'https://events.eu.pagerduty.com/v2/enqueue'}
  - {routing_key: canary-other, description: '{{ .x }}', send_resolved: false}
- name: genie
  opsgenie_configs:
  - tags: 'prod, {{ .x }}'
    responders: [{name: NOC, type: team}, {username: bob, type: user}]
    message: '{{ .y }}'
"""
CHATS = """
global: {telegram_bot_token: canary-bot}
route: {receiver: chats}
receivers:
- name: chats
  telegram_configs: [{chat_id: -100123}]
  discord_configs: [{webhook_url: 'https://discord.com/api/webhooks/1/canary'}]
  msteams_configs: [{webhook_url: 'https://old.example/canary'}]
  msteamsv2_configs: [{webhook_url: 'https://prod.logic.azure.com/canary'}]
"""


def test_they_lead_where_they_did(acme):
    bring(acme, TOOLS)
    with in_tenant(acme.id):
        found = {channel.name: channel for channel in Channel.objects.all()}
        secrets = {n: json.loads(reveal(c, "secret")) for n, c in found.items()}
    assert {n: c.settings for n, c in found.items()} == {
        "duty": {"region": "eu", "send_resolved": True},
        "duty (pagerduty 2)": {"region": "us", "send_resolved": False},
        "genie": {
            "region": "eu",
            "tags": ["prod"],
            "teams": ["NOC"],
            "send_resolved": True,
        },
    }
    assert secrets == {
        "duty": {"routing_key": "canary-duty"},
        "duty (pagerduty 2)": {"routing_key": "canary-other"},
        "genie": {"api_key": "canary-global-genie"},
    }


def test_what_is_lost_is_said_without_secrets(acme):
    plan = look(acme, TOOLS)
    lost = said(plan.lost)
    assert "description" in lost["receivers[0].pagerduty_configs[1]"]
    assert "message" in lost["receivers[1].opsgenie_configs[0]"]
    assert "canary" not in str(lost)
    assert plan.untold == []


def test_a_second_import_knows_them_by_their_keys(acme):
    bring(acme, TOOLS)
    plan = bring(acme, TOOLS)
    assert {a.verdict for a in plan.actions} == {"leave"}
    other = TOOLS.replace("canary-duty", "canary-new")
    made = [a.name for a in look(acme, other).actions if a.verdict == "create"]
    assert made == ["duty"]


def test_they_are_told_in_alertmanagers_words_without_secrets(acme):
    bring(acme, TOOLS)
    with in_tenant(acme.id):
        text = am_export.config_text(acme.id)
    assert "canary" not in text
    assert "url: https://events.eu.pagerduty.com/v2/enqueue" in text
    assert "api_url: https://api.eu.opsgenie.com/" in text
    assert text.count("routing_key: <secret>") == 2


# --- chats, which may be installed or not ---


def no_kind(kind: str) -> Spec:
    raise KeyError(kind)


def a_workflow(url: str) -> str:
    if "logic.azure.com" not in url:
        raise ValidationError("This is no Workflows address.")
    return url


def any_kind(kind: str) -> Spec:
    address = Setting("webhook_url", "address", secret=True, check=a_workflow)
    return Spec(kind, kind, settings=(address,) if kind == "teams" else ())


def test_a_kind_that_is_not_installed_is_lost_as_ever(acme, monkeypatch):
    monkeypatch.setattr(tools, "spec_of", no_kind)
    plan = look(acme, CHATS)
    assert not [a for a in plan.actions if a.kind == "channel"]
    lost = said(plan.lost)
    for kind in ("telegram", "discord", "msteams", "msteamsv2"):
        text = f"there are no channels of the kind {kind} here."
        assert text in lost[f"receivers[0].{kind}_configs[0]"]


def test_a_kind_that_is_installed_is_carried_over(acme, monkeypatch):
    monkeypatch.setattr(tools, "spec_of", any_kind)
    plan = look(acme, CHATS)
    made = {a.values["kind"]: a for a in plan.actions if a.kind == "channel"}
    assert set(made) == {"telegram", "discord", "teams"}
    assert made["telegram"].values["settings"]["chat_id"] == "-100123"
    assert made["telegram"].secrets == {"bot_token": "canary-bot"}
    assert made["teams"].secrets == {
        "webhook_url": "https://prod.logic.azure.com/canary"
    }
    lost = said(plan.lost)["receivers[0].msteams_configs[0]"]
    assert "no Workflows address" in lost
    assert "canary" not in lost
