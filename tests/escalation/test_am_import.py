"""What alertmanager.yml becomes: recognised, made once, and never in silence lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from alertcenter.alerts import inhibition, routing
from alertcenter.alerts.am_yaml import spelled
from alertcenter.alerts.models import InhibitRule, Route, RouteChannel, TimeInterval
from escalation.am_export import config_text
from escalation.am_import import carrying
from escalation.am_import.actions import Plan
from escalation.am_import.report import lines_of
from escalation.models import Policy
from notifications.models import Channel
from tenants.actors import Actor
from tenants.fields import reveal
from tenants.models import Audit
from tenants.rls import in_tenant
from tests.cast import Cast

pytestmark = pytest.mark.django_db

SHOP = (Path(__file__).parent / "configs" / "shop.yml").read_bytes()
ALICE = Actor("member", "1", "Alice")
SMALL = """
route:
  receiver: a
receivers:
- name: a
  webhook_configs: [{url: https://a.example/}]
"""


def look(cast: Cast, body: bytes | str, *, replace: bool = False) -> Plan:
    """Return the plan alone."""
    raw = body.encode() if isinstance(body, str) else body
    with in_tenant(cast.id):
        return carrying.planned(cast.id, raw, replace=replace)[0]


def bring(cast: Cast, body: bytes | str, *, replace: bool = False) -> Plan:
    """Import the file, and show the report where it was refused."""
    raw = body.encode() if isinstance(body, str) else body
    with in_tenant(cast.id):
        plan, document = carrying.carry_out(cast.id, raw, actor=ALICE, replace=replace)
        assert list(lines_of(plan, document))
    return plan


def said(remarks: Any) -> dict[str, str]:
    """Return the sentences by path."""
    found: dict[str, str] = {}
    for one in remarks:
        path = spelled(one.path)
        found[path] = f"{found[path]} {one.text}" if path in found else one.text
    return found


def all_rows(cast: Cast) -> dict[str, list[Any]]:
    models = (Route, RouteChannel, Channel, TimeInterval, InhibitRule)
    with in_tenant(cast.id):
        return {
            model.__name__: list(model._default_manager.order_by("pk").values())
            for model in models
        }


def channels_by_route(cast: Cast) -> dict[str, set[str]]:
    with in_tenant(cast.id):
        return {
            route.name: {channel.name for channel in route.channels.all()}
            for route in Route.objects.all()
        }


# --- the whole of a grown file ---


def test_a_grown_file_is_carried_over(acme):
    plan = bring(acme, SHOP)
    assert plan.errors == []
    assert plan.counts == {"create": 19, "change": 0, "leave": 0}
    with in_tenant(acme.id):
        root = routing.load(acme.id)
        routes = {"/".join(r.path.split("/")[1:]): r for r in routing.walk(root)}
        assert (root.receiver, root.group_by) == ("ops", ("alertname", "cluster"))
        times = (root.wait_seconds, root.interval_seconds, root.repeat_seconds)
        assert times == (30, 60, 3 * 3600)
        database = routes['{team="database"}']
        assert (database.wait_seconds, database.interval_seconds) == (0, 60)
        assert database.continue_matching
        pager = routes['{team="database"}/{severity=~"critical|page"}']
        assert list(pager.group_by) == ["..."]
        assert pager.channels == ()
        nobody = routes[r'{team="database"}/{instance=~"db-\\d+",severity="info"}']
        assert list(nobody.mute_intervals) == ["nights", "weekends"]
        web = routes['{env!~"dev|test",team="web"}']
        assert list(web.group_by) == []
        assert web.repeat_seconds == 9 * 86_400
        assert list(web.active_intervals) == ["office"]
        hook = routes['{"service name"="check out"}']
        inner = routes['{"service name"="check out"}/{path=~"/api/.*"}']
        assert inner.channels == hook.channels
        assert inner.receiver == "hook"
        rules = inhibition.load(acme.id)
        assert len(rules.rules) == 2
        assert rules.as_source({"severity": "critical"})
        assert rules.as_target({"severity": "info"})


def test_channels_lead_where_the_receivers_did(acme):
    bring(acme, SHOP)
    with in_tenant(acme.id):
        found = {channel.name: channel for channel in Channel.objects.all()}
        assert set(found) == {
            "ops",
            "database",
            "database (email 2)",
            "web",
            "hook",
            "old",
        }
        assert found["ops"].settings == {"channel": "#ops", "send_resolved": True}
        assert not found["ops"].secret
        bot = json.loads(reveal(found["database"], "secret"))
        assert bot == {"bot_token": "xoxb-canary-token"}
        assert found["database (email 2)"].settings == {
            "to": ["dba@shop.example", "night@shop.example"],
            "send_resolved": False,
        }
        assert found["hook"].settings["send_resolved"] is True
        assert json.loads(reveal(found["hook"], "secret")) == {
            "bearer_token": "canary-bearer"
        }
        assert found["old"].settings["send_resolved"] is False


def test_what_is_lost_is_said_with_its_path_and_without_secrets(acme):
    plan = look(acme, SHOP)
    lost = said(plan.lost)
    assert "five minutes" in lost["global.resolve_timeout"]
    assert "AlertCenter's own" in lost["templates"]
    assert "title" in lost["receivers[0].slack_configs[0]"]
    assert "bot's token" in lost["receivers[0].slack_configs[0]"]
    assert "bot's token" not in lost.get("receivers[1].slack_configs[0]", "")
    assert "headers" in lost["receivers[1].email_configs[0]"]
    assert "victorops" in lost["receivers[2].victorops_configs[0]"]
    assert "in a file" in lost["receivers[4].opsgenie_configs[0]"]
    assert "http_config.proxy_url" in lost["receivers[5].webhook_configs[0]"]
    assert "max_alerts" in lost["receivers[5].webhook_configs[0]"]
    assert "in a file" in lost["receivers[5].webhook_configs[1]"]
    untold = said(plan.untold)
    assert set(untold) == {
        "route.routes[0].routes[0].receiver",
        "route.routes[0].routes[1].receiver",
    }
    assert "Nobody would be told" in untold["route.routes[0].routes[0].receiver"]
    with in_tenant(acme.id):
        lines = "\n".join(lines_of(*carrying.planned(acme.id, SHOP)))
    assert "canary" not in lines
    assert "(line 67)" in lines or "(line " in lines


def test_a_look_changes_nothing(acme):
    before = all_rows(acme)
    look(acme, SHOP)
    assert all_rows(acme) == before


def test_a_second_import_leaves_everything(acme):
    bring(acme, SHOP)
    before = all_rows(acme)
    plan = bring(acme, SHOP)
    assert plan.errors == []
    assert {a.verdict for a in plan.actions} == {"leave"}
    assert all_rows(acme) == before


def test_what_is_exported_is_recognised(acme):
    bring(acme, SHOP)
    with in_tenant(acme.id):
        text = config_text(acme.id)
    before = all_rows(acme)
    plan = bring(acme, text)
    assert plan.errors == []
    assert [a for a in plan.actions if a.verdict != "leave"] == []
    assert all_rows(acme) == before


def test_the_import_is_audited_row_by_row(acme):
    bring(acme, SHOP)
    with in_tenant(acme.id):
        rows = Audit.objects.filter(actor_label="Alice")
        assert rows.filter(action="route.create").count() == 8
        whole = rows.get(action="alertmanager.import")
        assert whole.data["create"] == 19
        assert "canary" not in json.dumps([row.data for row in rows])


def test_other_tenants_have_nothing_of_it(acme, globex):
    bring(acme, SHOP)
    with in_tenant(globex.id):
        assert not Route.objects.exists()
        assert not Channel.objects.exists()


# --- beside what is there ---


def test_another_default_route_is_replaced_only_when_asked(acme):
    with in_tenant(acme.id):
        policy = Policy.objects.create(tenant=acme.tenant, name="Everybody")
        Route.objects.create(
            tenant=acme.tenant, name="all", is_default=True, policy=policy
        )
    refused = bring(acme, SMALL)
    (path,) = said(refused.errors)
    assert path == "route"
    assert "--replace" in said(refused.errors)[path]
    with in_tenant(acme.id):
        assert Route.objects.get().policy_id == policy.pk
        assert not Channel.objects.exists()
    plan = bring(acme, SMALL, replace=True)
    (change,) = [a for a in plan.actions if a.verdict == "change"]
    assert "policy_id: a policy → -" in change.changes
    with in_tenant(acme.id):
        route = Route.objects.get()
        assert (route.name, route.policy_id) == ("all", None)
        assert routing.load(acme.id).receiver == "a"
    assert bring(acme, SMALL).counts["leave"] == 2


def test_a_changed_root_needs_the_word_as_well_and_keeps_a_policy_given_since(acme):
    bring(acme, SMALL)
    with in_tenant(acme.id):
        policy = Policy.objects.create(tenant=acme.tenant, name="Everybody")
        Route.objects.update(policy=policy)
    assert bring(acme, SMALL).errors == []
    other = SMALL.replace("receiver: a", "receiver: a\n  group_wait: 5m")
    assert "30s → 5m" in said(bring(acme, other).errors)["route"]
    bring(acme, other, replace=True)
    with in_tenant(acme.id):
        route = Route.objects.get()
        assert (route.policy_id, route.group_wait_seconds) == (policy.pk, 300)


def test_a_route_is_known_by_its_conditions_and_keeps_name_and_policy(acme):
    with in_tenant(acme.id):
        policy = Policy.objects.create(tenant=acme.tenant, name="DBA")
        Route.objects.create(
            tenant=acme.tenant,
            name="the database",
            matchers=["severity=page", 'team="db"'],
            policy=policy,
        )
        Route.objects.create(tenant=acme.tenant, name="mine", matchers=["a=b"])
    body = SMALL.replace(
        "receiver: a\n",
        "receiver: a\n  routes:\n"
        '  - {matchers: [team="db", severity="page"], group_wait: 7s}\n',
    )
    plan = bring(acme, body)
    by_name = {a.name: a for a in plan.actions if a.kind == "route"}
    assert by_name["the database"].verdict == "change"
    assert "not in the file" in by_name["mine"].changes
    assert "keeps its policy" in said(plan.lost)["route.routes[0]"]
    with in_tenant(acme.id):
        row = Route.objects.get(name="the database")
        assert (row.policy_id, row.group_wait_seconds, row.position) == (
            policy.pk,
            7,
            1,
        )
        assert Route.objects.filter(name="mine").exists()
    assert bring(acme, body).counts["change"] == 0


def test_a_route_of_mine_among_those_of_the_file_is_said(acme):
    with in_tenant(acme.id):
        Route.objects.create(
            tenant=acme.tenant, name="mine", matchers=["a=b"], position=1
        )
    body = SMALL.replace("receiver: a\n", "receiver: a\n  routes: [{match: {x: y}}]\n")
    assert "mine" in said(look(acme, body).lost)["route"]


def test_a_receiver_that_cannot_be_carried_leaves_what_a_person_chose(acme):
    bring(acme, SHOP)
    with in_tenant(acme.id):
        policy = Policy.objects.create(tenant=acme.tenant, name="DBA")
        row = Route.objects.get(receiver="pager")
        assert row.tells_nobody
        row.policy, row.tells_nobody = policy, False
        row.save()
    plan = bring(acme, SHOP)
    assert plan.counts["change"] == 0
    assert "route.routes[0].routes[0].receiver" not in said(plan.untold)


def test_a_channel_is_known_by_where_it_leads(acme):
    with in_tenant(acme.id):
        Channel.objects.create(
            tenant=acme.tenant,
            kind="webhook",
            slug="mine",
            name="mine",
            settings={"url": "https://a.example/"},
            active=False,
        )
    plan = bring(acme, SMALL)
    (channel,) = [a for a in plan.actions if a.kind == "channel"]
    assert (channel.verdict, channel.name) == ("leave", "mine")
    assert "switched off" in said(plan.untold)["receivers[0].webhook_configs[0]"]
    assert channels_by_route(acme) == {"default": {"mine"}}


def test_taken_names_get_a_number(acme):
    with in_tenant(acme.id):
        Route.objects.create(
            tenant=acme.tenant, name="default", matchers=["x=y"], position=50
        )
        Channel.objects.create(
            tenant=acme.tenant, kind="email", slug="a", name="a", settings={}
        )
    bring(acme, SMALL)
    with in_tenant(acme.id):
        assert Route.objects.get(is_default=True).name == "a"
        assert Channel.objects.get(kind="webhook").slug == "a-2"


def test_twins_among_the_routes_stay_two(acme):
    body = SMALL.replace(
        "receiver: a\n",
        "receiver: a\n  routes:\n"
        "  - {match: {x: y}, continue: true}\n  - {match: {x: y}, group_wait: 1s}\n",
    )
    bring(acme, body)
    assert bring(acme, body).counts == {"create": 0, "change": 0, "leave": 4}
    with in_tenant(acme.id):
        found = routing.choose(routing.load(acme.id), {"x": "y"})
        assert [route.wait_seconds for route in found] == [30, 1]


def test_the_simulations_slack_takes_an_imported_channel(acme, settings):
    settings.SIMULATION = True
    bring(acme, SHOP)
    with in_tenant(acme.id):
        channel = Channel.objects.get(name="ops")
        assert json.loads(reveal(channel, "secret"))["bot_token"].startswith("xoxb-sim")
