"""Files that are refused as a whole, each with a sentence that names the place."""

from __future__ import annotations

import pytest

from alertcenter.alerts import routing
from alertcenter.alerts.am_reading import MOST_ROUTES
from alertcenter.alerts.models import Route
from notifications.models import Channel
from tenants.models import Audit
from tenants.rls import in_tenant
from tests.escalation.test_am_import import SMALL, bring, look, said

pytestmark = pytest.mark.django_db

HOOK = "\nreceivers: [{name: a, webhook_configs: [{url: https://a.example/}]}]\n"


def with_route(text: str) -> str:
    """A file whose root holds `text`, in YAML's flow notation."""
    return f"route: {{receiver: a, {text}}}{HOOK}"


def child(text: str) -> str:
    """A file with one route below the root."""
    return with_route(f"routes: [{{{text}}}]")


@pytest.mark.parametrize(
    ("body", "path", "words"),
    [
        ("receivers: []", "route", "no route"),
        ("[]", "", "must be a mapping"),
        ("just a text", "", "must be a mapping"),
        ("route: {receiver: b}" + HOOK, "route.receiver", "no receiver b"),
        ("route: {group_by: [a]}" + HOOK, "route.receiver", "needs a receiver"),
        (with_route("match: {a: b}"), "route.match", "takes every alert"),
        (with_route("matchers: [a=b]"), "route.matchers", "takes every alert"),
        (with_route("continue: true"), "route.continue", "takes every alert"),
        (
            with_route("mute_time_intervals: [x]"),
            "route.mute_time_intervals",
            "always",
        ),
        (with_route("unknown: 1"), "route.unknown", "no such setting"),
        ("x: 1\n" + SMALL, "x", "no such setting"),
        (with_route("group_by: [a, b, a]"), "route.group_by", "a is there twice"),
        (with_route("group_by: ['...', a]"), "route.group_by", "Three dots"),
        (with_route("group_by: a"), "route.group_by", "must be a list"),
        (with_route("group_by: [[a]]"), "route.group_by[0]", "must be a text"),
        (with_route("group_wait: soon"), "route.group_wait", "no length|not a length"),
        (with_route("group_interval: 0s"), "route.group_interval", "longer"),
        (with_route("repeat_interval: 5"), "route.repeat_interval", "not a length"),
        (child("receiver: c"), "route.routes[0].receiver", "no receiver c"),
        (child("continue: maybe"), "route.routes[0].continue", "true or false"),
        (child("match: [a]"), "route.routes[0].match", "must be a mapping"),
        (child("match: {a: [b]}"), "route.routes[0].match.a", "must be a text"),
        (
            child("match_re: {team: '(?!db).*'}"),
            "route.routes[0].match_re.team",
            "Look-around",
        ),
        (child("matchers: [team]"), "route.routes[0].matchers[0]", "not a condition"),
        (
            child("matchers: [a=b, 'a=~\"(?=x)\"']"),
            "route.routes[0].matchers[1]",
            "Look-around",
        ),
        (child("matchers: ['a=~(']"), "route.routes[0].matchers[0]", "pattern"),
        (
            child(f"matchers: ['a=~{'x' * 1001}']"),
            "route.routes[0].matchers[0]",
            "too long",
        ),
        (
            child("active_time_intervals: [office]"),
            "route.routes[0].active_time_intervals",
            "no time interval office",
        ),
        (child("routes: {a: b}"), "route.routes[0].routes", "must be a list"),
        (
            "route: {receiver: a}\nreceivers: [{name: a}, {name: a}]",
            "receivers[1].name",
            "there twice",
        ),
        (
            "route: {receiver: a}\nreceivers: [{name: a}, {}]",
            "receivers[1].name",
            "needs a name",
        ),
        (
            "route: {receiver: a}\nreceivers: [{name: a, slack: 1}]",
            "receivers[0].slack",
            "no such setting",
        ),
        (
            "route: {receiver: a}\nreceivers: [{name: a, slack_configs: 1}]",
            "receivers[0].slack_configs",
            "must be a list",
        ),
        (
            "inhibit_rules: [{source_matchers: [x]}]\n" + SMALL,
            "inhibit_rules[0].source_matchers[0]",
            "not a condition",
        ),
        (
            "inhibit_rules: [{target_match_re: {a: '\\1'}}]\n" + SMALL,
            "inhibit_rules[0].target_match_re.a",
            "pattern",
        ),
        (
            "inhibit_rules: [{equals: [a]}]\n" + SMALL,
            "inhibit_rules[0].equals",
            "no such setting",
        ),
        (
            "time_intervals: [{name: x, time_intervals: [{weekdays: [someday]}]}]\n"
            + SMALL,
            "time_intervals[0].time_intervals[0]",
            "no weekday",
        ),
        (
            "time_intervals: [{name: x, time_intervals: [{location: Mars/Base}]}]\n"
            + SMALL,
            "time_intervals[0].time_intervals[0]",
            "no time zone",
        ),
        (
            "time_intervals: [{name: x}]\nmute_time_intervals: [{name: x}]\n" + SMALL,
            "time_intervals[0].name",
            "there twice",
        ),
        ("time_intervals: [{}]\n" + SMALL, "time_intervals[0].name", "needs a name"),
    ],
)
def test_what_alertmanager_would_refuse_is_refused_with_its_path(
    body, path, words, acme
):
    plan = bring(acme, body)
    found = said(plan.errors)
    assert path in found, found
    assert any(word in found[path] for word in words.split("|")), found[path]
    assert plan.actions == []
    with in_tenant(acme.id):
        assert not Route.objects.exists()
        assert not Channel.objects.exists()
        assert not Audit.objects.exists()


def test_all_errors_are_told_at_once(acme):
    body = with_route("group_by: [a, a], group_wait: x, routes: [{receiver: c}]")
    assert len(look(acme, body).errors) == 3


def test_a_tree_too_deep_or_too_large_is_refused(acme):
    deep = "match: {a: b}"
    for _ in range(30):
        deep = f"match: {{a: b}}, routes: [{{{deep}}}]"
    assert "deep at most" in str(said(look(acme, child(deep)).errors))
    many = ",".join(["{}"] * MOST_ROUTES)
    assert "at most" in str(said(look(acme, with_route(f"routes: [{many}]")).errors))


def test_a_tree_as_deep_as_allowed_is_walked_to_its_end(acme):
    deep = "match: {a: b}, group_wait: 7s"
    for _ in range(28):
        deep = f"match: {{a: b}}, routes: [{{{deep}}}]"
    assert bring(acme, child(deep)).errors == []
    with in_tenant(acme.id):
        (found,) = routing.choose(routing.load(acme.id), {"a": "b"})
        assert found.wait_seconds == 7


def test_times_that_do_not_fit_are_rounded_and_said(acme):
    plan = look(acme, with_route("group_wait: 1500ms, repeat_interval: 2y"))
    assert "2 s" in said(plan.lost)["route.group_wait"]
    assert "366 days" in said(plan.lost)["route.repeat_interval"]


@pytest.mark.parametrize(
    ("integration", "words"),
    [
        ("slack_configs: [{api_url: https://x}]", "names no Slack channel"),
        ("slack_configs: [{channel: '#{{ .x }}'}]", "template"),
        ("email_configs: [{to: '{{ .x }}'}]", "template"),
        ("email_configs: [{to: nonsense}]", "cannot be read"),
        ("email_configs: [{}]", "names no address|cannot be read"),
        ("webhook_configs: [{url: <secret>}]", "hidden"),
        ("webhook_configs: [{url: 'http://<secret>/'}]", "hidden"),
        ("webhook_configs: [{url: 'ftp://x'}]", "cannot be called"),
        ("webhook_configs: [{url_file: /x}]", "in a file"),
        ("webhook_configs: [{url: 'https://u:p@x.example/'}]", "holds a password"),
        ("webhook_configs: [{url: 'https://x/{{ .y }}'}]", "template"),
        ("wechat_configs: [{to_user: a}]", "no channels of the kind wechat"),
        ("pagerduty_configs: [{service_key: x}]", "Events API v2"),
        ("pagerduty_configs: [{routing_key: <secret>}]", "hidden"),
        ("pagerduty_configs: [{routing_key: a, url: 'ftp://x'}]", "cannot be called"),
        ("opsgenie_configs: [{}]", "names no key"),
        ("opsgenie_configs: [{api_key_file: /x}]", "in a file"),
    ],
)
def test_an_integration_that_is_lost_is_said_and_so_is_who_is_not_told(
    integration, words, acme
):
    body = f"route: {{receiver: a}}\nreceivers: [{{name: a, {integration}}}]"
    plan = look(acme, body)
    assert plan.errors == []
    (lost,) = [r.text for r in plan.lost]
    assert any(word in lost for word in words.split("|")), lost
    assert "Nobody would be told" in said(plan.untold)["route.receiver"]
